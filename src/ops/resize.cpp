#include "ops/resize.h"

#include <cmath>

namespace hone {

namespace {

// A scale of few bits: exactly numerator / 2^shift.
struct BinaryFraction {
  int64_t numerator = 0;
  int shift = 0;
};

std::optional<BinaryFraction> short_fraction(float scale) {
  int exponent = 0;
  auto numerator = static_cast<int64_t>(std::ldexp(std::frexp(scale, &exponent), 24));
  int shift = 24 - exponent;
  while (numerator % 2 == 0 && shift > 0) {
    numerator /= 2;
    --shift;
  }
  if (shift < 0 || shift > 30 || numerator > 1024) return std::nullopt;
  return BinaryFraction{numerator, shift};
}

bool is_scale(float value) { return std::isfinite(value) && value > 0; }

// Absent, or known to be empty.
bool is_empty(const InferContext& ctx, size_t operand) {
  return !ctx.has_input(operand) || element_count(ctx.shape(operand)) == Dim(0);
}

Status check_length(const InferContext& ctx, size_t operand, std::string_view name, int64_t length) {
  HONE_TRY(ctx.expect_rank(operand, 1));
  const std::optional<int64_t> found = ctx.shape(operand)[0].as_const();
  if (!found || *found == length) return {};
  return invalid_model("'" + std::string(name) + "' has " + std::to_string(*found) + " elements, expected " +
                       std::to_string(length) + ": the number of resized axes" +
                       (operand == Resize::kRoi ? " times two" : ""));
}

Result<Dim> scaled_dim(InferContext& ctx, const Dim& dim, float scale) {
  if (!is_scale(scale)) return invalid_model("'scales' has the element " + std::to_string(scale) + ", must be above 0");
  if (const std::optional<int64_t> size = dim.as_const()) {
    const std::optional<int64_t> scaled = scaled_size(*size, scale);
    if (scaled) return Dim(*scaled);
    return invalid_model("'scales' makes an axis of length " + std::to_string(*size) + " longer than 2^62");
  }
  if (const std::optional<BinaryFraction> fraction = short_fraction(scale)) {
    return floor_div(dim * Dim(fraction->numerator), Dim(int64_t{1} << fraction->shift));
  }
  return ctx.resolved_later("scaled");
}

Status resize_by_scales(InferContext& ctx, const Extents& axes, Shape& shape) {
  HONE_TRY(ctx.expect_dtype(Resize::kScales, {DataType::kFloat32}));
  HONE_TRY(check_length(ctx, Resize::kScales, "scales", static_cast<int64_t>(axes.size())));
  const Tensor* scales = ctx.contents(Resize::kScales);
  for (size_t i = 0; i < axes.size(); ++i) {
    Dim& dim = shape[static_cast<size_t>(axes[i])];
    if (scales == nullptr) {
      dim = ctx.resolved_later("scaled");
    } else {
      HONE_ASSIGN(dim, scaled_dim(ctx, dim, scales->values<float>()[i]));
    }
  }
  return {};
}

Status resize_by_policy(InferContext& ctx, const Resize& op, const Extents& axes, const std::vector<Dim>& sizes,
                        Shape& shape) {
  std::vector<int64_t> in, wanted;
  for (size_t i = 0; i < axes.size(); ++i) {
    const Dim& dim = shape[static_cast<size_t>(axes[i])];
    if (!dim.is_const() || !sizes[i].is_const()) break;
    in.push_back(dim.value());
    wanted.push_back(sizes[i].value());
  }
  const bool known = in.size() == axes.size();
  const double scale = known ? op.policy_scale(in, wanted) : 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    Dim& dim = shape[static_cast<size_t>(axes[i])];
    const double size = known ? std::floor(scale * static_cast<double>(in[i]) + 0.5) : 0;
    if (known && !(size >= 0 && size < 0x1p62)) return invalid_model("'sizes' can't be reached: an axis is empty");
    dim = known ? Dim(static_cast<int64_t>(size)) : ctx.resolved_later("resized");
  }
  return {};
}

Status resize_to_sizes(InferContext& ctx, const Resize& op, const Extents& axes, Shape& shape) {
  HONE_TRY(ctx.expect_dtype(Resize::kSizes, {DataType::kInt64}));
  HONE_TRY(check_length(ctx, Resize::kSizes, "sizes", static_cast<int64_t>(axes.size())));
  const std::optional<std::vector<Dim>> sizes = ctx.elements(Resize::kSizes);
  if (!sizes || sizes->size() != axes.size()) {
    for (const int64_t axis : axes) shape[static_cast<size_t>(axis)] = ctx.resolved_later("resized");
    return {};
  }
  if (op.policy != ResizePolicy::kStretch) return resize_by_policy(ctx, op, axes, *sizes, shape);
  for (size_t i = 0; i < axes.size(); ++i) {
    Dim& dim = shape[static_cast<size_t>(axes[i])];
    const Dim& size = (*sizes)[i];
    if (size.is_const() && size.value() < 0) {
      return invalid_model("'sizes' has the element " + std::to_string(size.value()) + ", must be at least 0");
    }
    if (dim == Dim(0) && size.is_const() && size.value() > 0) {
      return invalid_model("axis " + std::to_string(axes[i]) + " is empty and can't be resized to " +
                           std::to_string(size.value()));
    }
    // A size read at run time may be negative: inference then runs again and says so.
    dim = size.nonnegative() || size.is_const() ? size : ctx.resolved_later("resized");
  }
  return {};
}

// For when one of scales and sizes may turn out to be empty. Asking for the contents makes them host values.
void resize_later(InferContext& ctx, const Extents& axes, Shape& shape) {
  ctx.contents(Resize::kScales);
  ctx.contents(Resize::kSizes);
  for (const int64_t axis : axes) shape[static_cast<size_t>(axis)] = ctx.resolved_later("resized");
}

}  // namespace

std::optional<int64_t> scaled_size(int64_t size, float scale) {
  const double product = short_fraction(scale) ? static_cast<double>(size) * static_cast<double>(scale)
                                               : static_cast<double>(static_cast<float>(size) * scale);
  const double floored = std::floor(product);
  if (!(floored >= 0 && floored < 0x1p62)) return std::nullopt;
  return static_cast<int64_t>(floored);
}

Status Resize::check() const {
  if (antialias && mode == ResizeMode::kNearest) {
    return invalid_model("antialias needs the mode 'linear' or 'cubic'; it has no meaning for 'nearest'");
  }
  return {};
}

Result<Extents> Resize::resized_axes(size_t rank) const {
  if (rank > kMaxRank) return unsupported("rank " + std::to_string(rank) + " exceeds " + std::to_string(kMaxRank));
  Extents all;
  for (size_t i = 0; i < rank; ++i) all.push_back(static_cast<int64_t>(i));
  if (!axes) return all;
  Extents chosen;
  for (const int64_t axis : *axes) {
    HONE_ASSIGN(const int64_t normal, InferContext::normalize_axis(axis, rank));
    if (all[static_cast<size_t>(normal)] < 0) return invalid_model("'axes' has " + std::to_string(axis) + " twice");
    all[static_cast<size_t>(normal)] = -1;
    chosen.push_back(normal);
  }
  return chosen;
}

double Resize::policy_scale(std::span<const int64_t> in, std::span<const int64_t> sizes) const {
  double best = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    const double scale = static_cast<double>(sizes[i]) / static_cast<double>(in[i]);
    const bool better = policy == ResizePolicy::kNotLarger ? scale < best : scale > best;
    if (i == 0 || better) best = scale;
  }
  return best;
}

Status Resize::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 4));
  if (!is_computable(ctx.dtype(kX)) || (ctx.dtype(kX) == DataType::kBool && mode != ResizeMode::kNearest)) {
    return unsupported("elements of type " + std::string(name_of(ctx.dtype(kX))) + " can't be interpolated");
  }
  HONE_ASSIGN(const Extents resized, resized_axes(ctx.rank(kX)));
  if (coordinates == ResizeCoordinates::kTfCropAndResize) {
    if (is_empty(ctx, kRoi)) return invalid_model("tf_crop_and_resize needs the operand 'roi'");
    HONE_TRY(ctx.expect_dtype(kRoi, {DataType::kFloat32, DataType::kFloat64, DataType::kFloat16}));
    HONE_TRY(check_length(ctx, kRoi, "roi", static_cast<int64_t>(2 * resized.size())));
  }
  Shape shape = ctx.shape(kX);
  if (!is_empty(ctx, kScales) && !is_empty(ctx, kSizes)) {
    if (is_const(ctx.shape(kScales)) && is_const(ctx.shape(kSizes))) {
      return invalid_model("both 'scales' and 'sizes' are given; leave one out");
    }
    resize_later(ctx, resized, shape);
  } else if (!is_empty(ctx, kScales)) {
    HONE_TRY(resize_by_scales(ctx, resized, shape));
  } else if (!is_empty(ctx, kSizes)) {
    HONE_TRY(resize_to_sizes(ctx, *this, resized, shape));
  } else if (!resized.empty()) {
    return invalid_model("neither 'scales' nor 'sizes' is given");
  }
  ctx.set_output(0, ctx.dtype(kX), std::move(shape));
  return {};
}

}  // namespace hone
