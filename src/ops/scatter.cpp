#include "ops/scatter.h"

#include "ops/type_set.h"

namespace hone {

namespace {

Status check_operands(InferContext& ctx, Reduction reduction) {
  HONE_TRY(ctx.expect_inputs(3, 3));
  HONE_TRY(expect_types(ctx, 0, reduction == Reduction::kNone ? kComputableTypes : kNumberTypes));
  HONE_TRY(expect_types(ctx, 1, {DataType::kInt32, DataType::kInt64}));
  return ctx.expect_same_dtype(0, 2);
}

}  // namespace

Status ScatterND::infer(InferContext& ctx) const {
  HONE_TRY(check_operands(ctx, reduction));
  const Shape &data = ctx.shape(0), &indices = ctx.shape(1), &updates = ctx.shape(2);
  if (data.empty() || indices.empty()) return invalid_model("data and indices must have rank 1 or more");
  ctx.set_output(0, ctx.input(0));
  const size_t lead = indices.size() - 1;
  std::optional<int64_t> tuple = indices.back().as_const();
  // The ranks tell it too.
  if (!tuple) tuple = static_cast<int64_t>(data.size() + lead) - static_cast<int64_t>(updates.size());
  if (*tuple < 1 || *tuple > static_cast<int64_t>(data.size())) {
    return invalid_model("the last dimension of operand 1 is " + std::to_string(*tuple) + ", must be in [1, " +
                         std::to_string(data.size()) + "], the rank of operand 0");
  }
  const auto skipped = static_cast<size_t>(*tuple);
  HONE_TRY(ctx.expect_rank(2, lead + data.size() - skipped));
  for (size_t i = 0; i < updates.size(); ++i) {
    const Dim& expected = i < lead ? indices[i] : data[i - lead + skipped];
    HONE_TRY(ctx.require_equal(updates[i], expected,
                               "dimension " + std::to_string(i) + " of the updates and of " +
                                   (i < lead ? "the indices" : "the slices that they replace")));
  }
  return ctx.require_equal(indices.back(), Dim(*tuple), "the last dimension of operand 1 and what the ranks ask for");
}

Status ScatterElements::infer(InferContext& ctx) const {
  HONE_TRY(check_operands(ctx, reduction));
  HONE_TRY(InferContext::normalize_axis(axis, ctx.rank(0)).status());
  HONE_TRY(ctx.expect_rank(1, ctx.rank(0)));
  HONE_TRY(ctx.expect_rank(2, ctx.rank(0)));
  for (size_t i = 0; i < ctx.rank(0); ++i) {
    HONE_TRY(ctx.require_equal(ctx.shape(1)[i], ctx.shape(2)[i],
                               "dimension " + std::to_string(i) + " of indices and updates"));
  }
  ctx.set_output(0, ctx.input(0));
  return {};
}

Status TensorScatter::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 3));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(ctx.expect_same_dtype(0, 1));
  HONE_TRY(ctx.expect_rank(1, ctx.rank(0)));
  HONE_ASSIGN(const int64_t along, InferContext::normalize_axis(axis, ctx.rank(0)));
  if (along == 0) return invalid_model("attribute 'axis' names axis 0, which is the batch");
  for (size_t i = 0; i < ctx.rank(0); ++i) {
    if (static_cast<int64_t>(i) == along) continue;
    HONE_TRY(ctx.require_equal(ctx.shape(0)[i], ctx.shape(1)[i],
                               "dimension " + std::to_string(i) + " of the cache and the update"));
  }
  if (ctx.has_input(2)) {
    HONE_TRY(ctx.expect_dtype(2, {DataType::kInt64}));
    HONE_TRY(ctx.expect_rank(2, 1));
    HONE_TRY(ctx.require_equal(ctx.shape(2)[0], ctx.shape(0)[0], "the number of write indices and the batch size"));
  }
  ctx.set_output(0, ctx.input(0));
  return {};
}

}  // namespace hone
