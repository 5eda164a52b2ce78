#include "ops/normalize.h"

#include "ops/checks.h"
#include "ops/reduce.h"

namespace hone {

namespace {

// X alone, or with parameters of its type; at least `min_rank` axes. The output is like X.
Status infer_like_input(InferContext& ctx, size_t inputs, size_t min_rank) {
  HONE_TRY(ctx.expect_inputs(inputs, inputs));
  HONE_TRY(expect_types(ctx, 0, kFloatTypes));
  for (size_t i = 1; i < inputs; ++i) HONE_TRY(ctx.expect_same_dtype(0, i));
  if (ctx.rank(0) < min_rank) {
    return invalid_model("operand 0 has rank " + std::to_string(ctx.rank(0)) + ", expected at least " +
                         std::to_string(min_rank));
  }
  ctx.set_output(0, ctx.input(0));
  return {};
}

Status expect_channels(InferContext& ctx, size_t i, const Dim& channels) {
  HONE_TRY(ctx.expect_rank(i, 1));
  return ctx.require_equal(ctx.shape(i)[0], channels,
                           "the length of operand " + std::to_string(i) + " and the number of channels");
}

Status check_stash_type(int64_t stash_type) {
  const auto type = static_cast<DataType>(stash_type);
  if (stash_type > 0 && (type == DataType::kFloat32 || type == DataType::kBFloat16)) return {};
  return invalid_model("attribute 'stash_type' is " + std::to_string(stash_type) +
                       ", but must be 1 (float32) or 16 (bfloat16)");
}

}  // namespace

Status BatchNormalization::infer(InferContext& ctx) const {
  if (training_mode || ctx.num_outputs() != 1) {
    return unsupported(
        "is in training form (training_mode=1 or more than one output); export the model in evaluation "
        "mode");
  }
  HONE_TRY(ctx.expect_inputs(5, 5));
  for (size_t i = 0; i < 5; ++i) HONE_TRY(expect_types(ctx, i, kFloatTypes));
  HONE_TRY(ctx.expect_same_dtype(1, 2));
  HONE_TRY(ctx.expect_same_dtype(3, 4));
  if (ctx.rank(0) == 0) return invalid_model("operand 0 is a scalar, expected batch and channels");
  const Dim channels = ctx.rank(0) == 1 ? Dim(1) : ctx.shape(0)[1];
  for (size_t i = 1; i < 5; ++i) HONE_TRY(expect_channels(ctx, i, channels));
  ctx.set_output(0, ctx.input(0));
  return {};
}

Status LayerNormalization::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 3));
  HONE_TRY(expect_types(ctx, 0, kFloatTypes));
  HONE_TRY(check_stash_type(stash_type));
  HONE_ASSIGN(const int64_t first, ctx.normalize_axis(axis, ctx.rank(0)));
  for (const size_t i : {1, 2}) {
    if (!ctx.has_input(i)) continue;
    HONE_TRY(ctx.expect_same_dtype(0, i));
    HONE_TRY(expect_broadcasts_to(ctx, i, ctx.shape(0)));
  }
  ctx.set_output(0, ctx.input(0));
  Shape statistics = ctx.shape(0);
  for (size_t i = static_cast<size_t>(first); i < statistics.size(); ++i) statistics[i] = Dim(1);
  for (size_t i = 1; i < ctx.num_outputs() && i < 3; ++i) {
    ctx.set_output(i, static_cast<DataType>(stash_type), statistics);
  }
  return {};
}

Status RMSNormalization::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(ctx, 0, kFloatTypes));
  HONE_TRY(expect_types(ctx, 1, kFloatTypes));
  HONE_TRY(check_stash_type(stash_type));
  HONE_TRY(ctx.normalize_axis(axis, ctx.rank(0)).status());
  HONE_TRY(expect_broadcasts_to(ctx, 1, ctx.shape(0)));
  ctx.set_output(0, ctx.dtype(1), ctx.shape(0));
  return {};
}

Status InstanceNormalization::infer(InferContext& ctx) const {
  HONE_TRY(infer_like_input(ctx, 3, 3));
  for (const size_t i : {1, 2}) HONE_TRY(expect_channels(ctx, i, ctx.shape(0)[1]));
  return {};
}

Status GroupNormalization::infer(InferContext& ctx) const {
  HONE_TRY(infer_like_input(ctx, 3, 2));
  HONE_TRY(check_stash_type(stash_type));
  if (num_groups < 1) {
    return invalid_model("attribute 'num_groups' is " + std::to_string(num_groups) + ", which must be at least 1");
  }
  HONE_TRY(expect_divisible(ctx, ctx.shape(0)[1], num_groups, "the number of channels", "attribute 'num_groups'"));
  for (const size_t i : {1, 2}) HONE_TRY(expect_channels(ctx, i, ctx.shape(0)[1]));
  return {};
}

Status MeanVarianceNormalization::infer(InferContext& ctx) const {
  HONE_TRY(infer_like_input(ctx, 1, 0));
  return axis_mask(axes, ctx.rank(0)).status();
}

Status LpNormalization::infer(InferContext& ctx) const {
  HONE_TRY(infer_like_input(ctx, 1, 1));
  if (p != 1 && p != 2) return invalid_model("attribute 'p' is " + std::to_string(p) + ", but must be 1 or 2");
  return ctx.normalize_axis(axis, ctx.rank(0)).status();
}

Status LRN::infer(InferContext& ctx) const {
  HONE_TRY(infer_like_input(ctx, 1, 2));
  return size < 1 ? invalid_model("attribute 'size' is " + std::to_string(size) + ", which must be at least 1")
                  : Status();
}

}  // namespace hone
