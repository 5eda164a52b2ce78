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

namespace {

bool has_elements(std::span<const TensorView> inputs, size_t operand) {
  return operand < inputs.size() && inputs[operand].present() && inputs[operand].count() > 0;
}

double roi_element(const TensorView& roi, size_t i) {
  if (roi.dtype == DataType::kFloat64) return roi.as<double>()[i];
  if (roi.dtype == DataType::kFloat16) return static_cast<double>(static_cast<float>(roi.as<Half>()[i]));
  return static_cast<double>(roi.as<float>()[i]);
}

double common_scale(const Resize& op, std::span<const TensorView> inputs, const Extents& resized) {
  Extents in;
  for (const int64_t axis : resized) in.push_back(inputs[Resize::kX].dims[static_cast<size_t>(axis)]);
  return op.policy_scale(in, {inputs[Resize::kSizes].as<int64_t>(), resized.size()});
}

}  // namespace

Status read_resize_axes(const Resize& op, std::span<const TensorView> inputs, const Extents& y,
                        std::span<ResizeAxis> axes) {
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto out = static_cast<double>(y[i]);
    axes[i] = {.in = inputs[Resize::kX].dims[i], .out = y[i], .out_length = out};
    if (axes[i].in == 0) return runtime_error("axis " + std::to_string(i) + " is empty and can't be resized");
    axes[i].scale = out / static_cast<double>(axes[i].in);
  }
  HONE_ASSIGN(const Extents resized, op.resized_axes(axes.size()));
  const bool scaled = has_elements(inputs, Resize::kScales);
  const bool by_policy = !scaled && op.policy != ResizePolicy::kStretch && has_elements(inputs, Resize::kSizes);
  const double common = by_policy ? common_scale(op, inputs, resized) : 1;
  for (size_t i = 0; i < resized.size(); ++i) {
    ResizeAxis& axis = axes[static_cast<size_t>(resized[i])];
    axis.resized = true;
    if (scaled) axis.scale = static_cast<double>(inputs[Resize::kScales].as<float>()[i]);
    if (by_policy) axis.scale = common;
    if (scaled || by_policy) axis.out_length = axis.scale * static_cast<double>(axis.in);
    // An output position stands for at most 2 * in input positions, else there were none.
    if (!(axis.scale * static_cast<double>(axis.in) > 0.49 && std::isfinite(axis.scale))) {
      return runtime_error("axis " + std::to_string(resized[i]) + " of length " + std::to_string(axis.in) +
                           " can't be resized to " + std::to_string(axis.out));
    }
    if (op.coordinates == ResizeCoordinates::kTfCropAndResize) {
      axis.roi_start = roi_element(inputs[Resize::kRoi], i);
      axis.roi_end = roi_element(inputs[Resize::kRoi], i + resized.size());
    }
  }
  return {};
}

double original_position(const Resize& op, const ResizeAxis& axis, int64_t position) {
  const double x = static_cast<double>(position), in = static_cast<double>(axis.in),
               out = static_cast<double>(axis.out);
  switch (op.coordinates) {
    case ResizeCoordinates::kHalfPixel: return (x + 0.5) / axis.scale - 0.5;
    case ResizeCoordinates::kHalfPixelSymmetric:
      return in / 2 * (1 - out / axis.out_length) + (x + 0.5) / axis.scale - 0.5;
    case ResizeCoordinates::kPytorchHalfPixel: return axis.out > 1 ? (x + 0.5) / axis.scale - 0.5 : 0;
    case ResizeCoordinates::kAlignCorners: return axis.out > 1 ? x * (in - 1) / (axis.out_length - 1) : 0;
    case ResizeCoordinates::kAsymmetric: return x / axis.scale;
    case ResizeCoordinates::kTfCropAndResize:
      if (axis.out <= 1) return 0.5 * (axis.roi_start + axis.roi_end) * (in - 1);
      return axis.roi_start * (in - 1) + x * (axis.roi_end - axis.roi_start) * (in - 1) / (out - 1);
    // ONNX Runtime and, for the other modes, ONNX's evaluator leave axes of scale 1 alone.
    case ResizeCoordinates::kTfHalfPixelForNn: return axis.scale == 1 ? x : (x + 0.5) / axis.scale;
  }
  return 0;
}

double nearest_position(const Resize& op, double place) {
  // In float32, quotients like 2 / (2/3) come out whole.
  const double x = static_cast<double>(static_cast<float>(place));
  switch (op.nearest_mode) {
    case ResizeNearest::kRoundPreferFloor: return std::ceil(x - 0.5);
    case ResizeNearest::kRoundPreferCeil: return std::floor(x + 0.5);
    case ResizeNearest::kFloor: return std::floor(x);
    case ResizeNearest::kCeil: return std::ceil(x);
  }
  return x;
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
