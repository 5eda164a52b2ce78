#include "ops/reduce.h"

#include <bit>

#include "ops/elementwise.h"
#include "ops/type_set.h"

namespace hone {

namespace {

Status check_data(const InferContext& ctx, ReduceTypes types) {
  if (ctx.rank(0) > kMaxRank) return unsupported("operand 0 has more than " + std::to_string(kMaxRank) + " axes");
  constexpr TypeSet kWide =
      kFloatTypes | TypeSet{DataType::kInt32, DataType::kInt64, DataType::kUint32, DataType::kUint64};
  constexpr TypeSet kOrdered = kWide | TypeSet{DataType::kInt8, DataType::kUint8, DataType::kBool};
  return expect_types(ctx, 0, types == ReduceTypes::kOrdered ? kOrdered : kWide);
}

Shape drop_axes(const Shape& shape, uint32_t mask, bool keepdims) {
  Shape out;
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool reduced = (mask >> i & 1) != 0;
    if (!reduced) {
      out.push_back(shape[i]);
    } else if (keepdims) {
      out.push_back(Dim(1));
    }
  }
  return out;
}

// The axes operand as numbers: an empty list when there is none, nothing when they aren't known yet.
Result<std::optional<Ints>> known_axes(InferContext& ctx) {
  if (!ctx.has_input(1)) return std::optional(Ints());
  HONE_TRY(expect_types(ctx, 1, {DataType::kInt64}));
  if (ctx.rank(1) > 1)
    return invalid_model("operand 1 (axes) has rank " + std::to_string(ctx.rank(1)) + ", expected 1");
  if (element_count(ctx.shape(1)) == Dim(0)) return std::optional(Ints());
  if (const auto& elements = ctx.known_elements(1); elements && is_const(*elements)) {
    Ints axes;
    for (const Dim& axis : *elements) axes.push_back(axis.value());
    return std::optional(std::move(axes));
  }
  const Tensor* axes = ctx.contents(1);
  if (axes == nullptr) return std::optional<Ints>();
  const auto values = axes->values<int64_t>();
  return std::optional(Ints(values.begin(), values.end()));
}

// The shape when the axes come at run time: their number decides the rank.
Result<Shape> shape_later(InferContext& ctx, bool keepdims) {
  size_t rank = ctx.rank(0);
  if (!keepdims) {
    const std::optional<int64_t> count = element_count(ctx.shape(1)).as_const();
    if (!count) {
      return unsupported(
          "the rank of the result isn't known: how many axes are reduced (operand 1) is only told at run "
          "time; make the axes a constant or set keepdims");
    }
    if (*count > static_cast<int64_t>(rank)) return invalid_model("operand 1 (axes) has more elements than axes exist");
    rank -= static_cast<size_t>(*count);
  }
  Shape out;
  for (size_t i = 0; i < rank; ++i) out.push_back(ctx.resolved_later("dim" + std::to_string(i)));
  return out;
}

template <class F>
Dim fold(std::span<const Dim> elements, F&& combine) {
  Dim total = elements[0];
  for (const Dim& element : elements.subspan(1)) total = combine(total, element);
  return total;
}

}  // namespace

Dim follow_sum(std::span<const Dim> elements) {
  return fold(elements, [](const Dim& a, const Dim& b) { return a + b; });
}
Dim follow_prod(std::span<const Dim> elements) {
  return fold(elements, [](const Dim& a, const Dim& b) { return a * b; });
}
Dim follow_max(std::span<const Dim> elements) {
  return fold(elements, [](const Dim& a, const Dim& b) { return max(a, b); });
}
Dim follow_min(std::span<const Dim> elements) {
  return fold(elements, [](const Dim& a, const Dim& b) { return min(a, b); });
}

Result<uint32_t> axis_mask(std::span<const int64_t> axes, size_t rank) {
  if (rank > kMaxRank) return unsupported("the operand has more than " + std::to_string(kMaxRank) + " axes");
  uint32_t mask = 0;
  for (const int64_t axis : axes) {
    HONE_ASSIGN(const int64_t positive, InferContext::normalize_axis(axis, rank));
    const uint32_t bit = uint32_t{1} << positive;
    if ((mask & bit) != 0) return invalid_model("axis " + std::to_string(positive) + " is given twice");
    mask |= bit;
  }
  return mask;
}

Result<uint32_t> reduced_axes(const ReduceAttributes& attributes, std::span<const int64_t> axes, size_t rank) {
  if (!axes.empty()) return axis_mask(axes, rank);
  return attributes.noop_with_empty_axes ? 0 : (uint32_t{1} << rank) - 1;
}

Status infer_reduce(InferContext& ctx, const ReduceAttributes& attributes, ReduceTypes types, FollowReduction follow) {
  HONE_TRY(ctx.expect_inputs(1, 2));
  HONE_TRY(check_data(ctx, types));
  HONE_ASSIGN(const std::optional<Ints> axes, known_axes(ctx));
  if (!axes) {
    HONE_ASSIGN(Shape later, shape_later(ctx, attributes.keepdims));
    ctx.set_output(0, ctx.dtype(0), std::move(later));
    return {};
  }
  HONE_ASSIGN(const uint32_t mask, reduced_axes(attributes, *axes, ctx.rank(0)));
  ctx.set_output(0, ctx.dtype(0), drop_axes(ctx.shape(0), mask, attributes.keepdims));
  const std::optional<std::vector<Dim>>& elements = ctx.known_elements(0);
  if (follow == nullptr || !elements || elements->empty()) return {};
  set_fitting_elements(ctx, mask == 0 ? *elements : std::vector<Dim>{follow(*elements)});
  return {};
}

Status infer_arg(InferContext& ctx, const ArgAttributes& attributes) {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, kNumberTypes));
  HONE_ASSIGN(const uint32_t mask, axis_mask(std::span(&attributes.axis, 1), ctx.rank(0)));
  const int axis = std::countr_zero(mask);
  if (ctx.shape(0)[static_cast<size_t>(axis)] == Dim(0)) {
    return invalid_model("axis " + std::to_string(axis) + " of operand 0 is empty: there is no position to tell");
  }
  ctx.set_output(0, DataType::kInt64, drop_axes(ctx.shape(0), mask, attributes.keepdims));
  return {};
}

}  // namespace hone
