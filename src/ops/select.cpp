#include "ops/select.h"

#include <algorithm>

#include "ops/type_set.h"

namespace hone {

Status NonZero::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  const Dim count = ctx.counted(element_count(ctx.shape(0)), "nonzero");
  ctx.set_output(0, DataType::kInt64, {Dim(static_cast<int64_t>(ctx.rank(0))), count});
  return {};
}

namespace {

// How many of a list's first `most` elements are true, where that is known.
std::optional<int64_t> known_count(const InferContext& ctx, const Dim& most) {
  const std::optional<std::vector<Dim>>& condition = ctx.known_elements(1);
  if (!condition || !most.is_const() || !is_const(*condition)) return std::nullopt;
  const auto size = std::min(static_cast<int64_t>(condition->size()), most.value());
  return std::count_if(condition->begin(), condition->begin() + size, [](const Dim& dim) { return dim != Dim(0); });
}

}  // namespace

Status Compress::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(ctx.expect_dtype(1, {DataType::kBool}));
  HONE_TRY(ctx.expect_rank(1, 1));
  Shape shape = {element_count(ctx.shape(0))};
  size_t chosen = 0;
  if (axis) {
    HONE_ASSIGN(const int64_t normal, InferContext::normalize_axis(*axis, ctx.rank(0)));
    shape = ctx.shape(0);
    chosen = static_cast<size_t>(normal);
  }
  Dim& dim = shape[chosen];
  const std::optional<int64_t> count = known_count(ctx, dim);
  dim = count ? Dim(*count) : ctx.counted(min(dim, ctx.shape(1)[0]), "kept");
  ctx.set_output(0, ctx.dtype(0), std::move(shape));
  return {};
}

}  // namespace hone
