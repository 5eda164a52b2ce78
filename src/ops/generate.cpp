#include "ops/generate.h"

#include <cmath>

#include "base/dispatch.h"
#include "ops/elementwise.h"
#include "ops/operand.h"
#include "ops/shape_operand.h"
#include "ops/type_set.h"

namespace hone {

using enum DataType;

Status ConstantOfShape::check() const {
  if (!value.defined()) return {};
  if (!is_computable(value.dtype())) {
    return unsupported("attribute 'value' has the type " + std::string(name_of(value.dtype())) +
                       ", which nothing here computes in");
  }
  if (value.count() == 1) return {};
  return invalid_model("attribute 'value' has " + std::to_string(value.count()) + " elements, must have one");
}

Status ConstantOfShape::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_int_list(ctx, 0, "shape"));
  HONE_ASSIGN(const IntList list, read_int_list(ctx, 0, "shape", kMaxRank));
  Shape shape;
  for (size_t k = 0; k < list.length; ++k) {
    const std::optional<int64_t> number = list.number(k);
    if (number && *number < 0) return bad_element("shape", k, *number, "0 or more");
    shape.push_back(size_from(ctx, list, k, "filled"));
  }
  const std::optional<int64_t> count = element_count(shape).as_const();
  const bool small = shape.size() <= 1 && count && *count >= 0 && *count <= kMaxFollowedElements;
  ctx.set_output(0, value.defined() ? value.dtype() : kFloat32, std::move(shape));
  if (!small || !value.defined()) return {};
  if (const std::optional<std::vector<Dim>> filling = followed_elements(value.reshaped({}))) {
    ctx.set_elements(0, std::vector<Dim>(static_cast<size_t>(*count), filling->front()));
  }
  return {};
}

namespace {

// The only element of a tensor as a float64.
std::optional<double> scalar_number(const Tensor* tensor) {
  if (tensor == nullptr || tensor->count() != 1) return std::nullopt;
  double number = 0;
  const Status known = visit_type(tensor->dtype(), NumberTypes{}, [&]<class T>() {
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      number = static_cast<double>(static_cast<float>(tensor->values<T>()[0]));
    } else {
      number = static_cast<double>(tensor->values<T>()[0]);
    }
    return Status();
  });
  return known.ok() ? std::optional(number) : std::nullopt;
}

// Scalars; lists of one element are let through.
Status expect_scalar(InferContext& ctx, size_t i, std::string_view what) {
  if (ctx.rank(i) > 1) {
    return invalid_model("operand " + std::to_string(i) + " (" + std::string(what) + ") has rank " +
                         std::to_string(ctx.rank(i)) + ", must be a scalar");
  }
  return ctx.require_equal(element_count(ctx.shape(i)), 1,
                           "the number of elements of '" + std::string(what) + "' and 1");
}

Status zero_delta() { return invalid_model("'delta' is 0, so the range would never end"); }

// Of integers that are known as expressions.
Result<Dim> followed_count(InferContext& ctx, const Dim& start, const Dim& limit, const Dim& delta) {
  if (delta == Dim(0)) return zero_delta();
  if (!delta.is_const() && !(delta - 1).nonnegative()) return ctx.resolved_later("range");
  if (delta.is_const() && delta.value() < 0) return max(ceil_div(start - limit, Dim(0) - delta), 0);
  return max(ceil_div(limit - start, delta), 0);
}

Result<Dim> numeric_count(InferContext& ctx, const Tensor* start, const Tensor* limit, const Tensor* delta) {
  const std::optional<double> from = scalar_number(start), to = scalar_number(limit), by = scalar_number(delta);
  if (!from || !to || !by) return ctx.resolved_later("range");
  if (*by == 0) return zero_delta();
  const double count = std::ceil((*to - *from) / *by);
  if (!(count < 0x1p62)) return invalid_model("the range from 'start' to 'limit' has no end, or is not a number");
  return Dim(count > 0 ? static_cast<int64_t>(count) : 0);
}

}  // namespace

Status Range::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(3, 3));
  HONE_TRY(expect_types(ctx, 0, kFloatTypes | TypeSet{kInt16, kInt32, kInt64}));
  HONE_TRY(ctx.expect_same_dtype(0, 1));
  HONE_TRY(ctx.expect_same_dtype(0, 2));
  for (const auto& [i, what] : {std::pair<size_t, const char*>{0, "start"}, {1, "limit"}, {2, "delta"}}) {
    HONE_TRY(expect_scalar(ctx, i, what));
  }
  if (ctx.dtype(0) != kInt32 && ctx.dtype(0) != kInt64) {
    const Tensor *start = ctx.contents(0), *limit = ctx.contents(1), *delta = ctx.contents(2);
    HONE_ASSIGN(const Dim count, numeric_count(ctx, start, limit, delta));
    ctx.set_output(0, ctx.dtype(0), {count});
    return {};
  }
  const auto start = ctx.elements(0), limit = ctx.elements(1), delta = ctx.elements(2);
  if (!start || !limit || !delta || start->size() != 1 || limit->size() != 1 || delta->size() != 1) {
    ctx.set_output(0, ctx.dtype(0), {ctx.resolved_later("range")});
    return {};
  }
  HONE_ASSIGN(const Dim count, followed_count(ctx, start->front(), limit->front(), delta->front()));
  ctx.set_output(0, ctx.dtype(0), {count});
  if (!count.is_const() || count.value() > kMaxFollowedElements) return {};
  std::vector<Dim> elements;
  for (int64_t i = 0; i < count.value(); ++i) elements.push_back(start->front() + Dim(i) * delta->front());
  set_fitting_elements(ctx, std::move(elements));
  return {};
}

Status EyeLike::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(ctx.expect_rank(0, 2));
  const int64_t number = dtype.value_or(static_cast<int64_t>(ctx.dtype(0)));
  if (number <= 0 || number >= kDataTypeCount || !is_computable(static_cast<DataType>(number))) {
    return unsupported("attribute 'dtype' is " + std::to_string(number) + ", which is no type that is computed in");
  }
  ctx.set_output(0, static_cast<DataType>(number), ctx.shape(0));
  return {};
}

namespace {

Result<Dim> one_hot_depth(InferContext& ctx) {
  if (ctx.dtype(1) == kInt32 || ctx.dtype(1) == kInt64) {
    const std::optional<std::vector<Dim>> depth = ctx.elements(1);
    if (!depth || depth->size() != 1) return ctx.resolved_later("depth");
    if (depth->front().nonnegative()) return depth->front();
    if (depth->front().is_const()) return bad_element("depth", 0, depth->front().value(), "0 or more");
    return ctx.resolved_later("depth");
  }
  const std::optional<double> depth = scalar_number(ctx.contents(1));
  if (!depth) return ctx.resolved_later("depth");
  if (!(*depth >= 0 && *depth < 0x1p62))
    return invalid_model("'depth' is " + std::to_string(*depth) + ", must be 0 or more");
  return Dim(static_cast<int64_t>(*depth));
}

}  // namespace

Status OneHot::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(3, 3));
  HONE_TRY(expect_types(ctx, 0, kNumberTypes));
  HONE_TRY(expect_types(ctx, 1, kNumberTypes));
  HONE_TRY(expect_types(ctx, 2, kComputableTypes));
  HONE_TRY(expect_scalar(ctx, 1, "depth"));
  HONE_TRY(ctx.expect_rank(2, 1));
  HONE_TRY(ctx.require_equal(ctx.shape(2)[0], 2, "the number of 'values' (off, on) and 2"));
  HONE_ASSIGN(const int64_t place, InferContext::normalize_axis(axis, ctx.rank(0) + 1));
  HONE_ASSIGN(const Dim depth, one_hot_depth(ctx));
  Shape shape = ctx.shape(0);
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(place), depth);
  ctx.set_output(0, ctx.dtype(2), std::move(shape));
  return {};
}

}  // namespace hone
