#include "ops/shape.h"

#include <algorithm>

#include "ops/type_set.h"

namespace hone {

std::pair<size_t, size_t> ShapeOf::axes(size_t rank) const {
  const auto r = static_cast<int64_t>(rank);
  const auto clamped = [r](int64_t axis) {
    return static_cast<size_t>(std::clamp<int64_t>(axis < 0 ? axis + r : axis, 0, r));
  };
  const size_t first = clamped(start);
  return {first, std::max(first, clamped(end.value_or(r)))};
}

Status ShapeOf::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  const auto [first, last] = axes(ctx.rank(0));
  const Shape& shape = ctx.shape(0);
  std::vector<Dim> sizes(shape.begin() + static_cast<std::ptrdiff_t>(first),
                         shape.begin() + static_cast<std::ptrdiff_t>(last));
  ctx.set_output(0, DataType::kInt64, {Dim(static_cast<int64_t>(sizes.size()))});
  ctx.set_elements(0, std::move(sizes));
  return {};
}

Status Size::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  ctx.set_output(0, DataType::kInt64, Shape{});
  ctx.set_elements(0, {element_count(ctx.shape(0))});
  return {};
}

}  // namespace hone
