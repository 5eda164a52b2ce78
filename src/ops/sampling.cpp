#include "ops/sampling.h"

namespace hone {

using enum DataType;

Status GridSample::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  if (!is_computable(ctx.dtype(0)) || (ctx.dtype(0) == kBool && mode != SampleMode::kNearest)) {
    return unsupported("elements of type " + std::string(name_of(ctx.dtype(0))) + " can't be interpolated");
  }
  HONE_TRY(ctx.expect_dtype(1, {kFloat32, kFloat64, kFloat16, kBFloat16}));
  if (ctx.rank(0) < 3)
    return invalid_model("operand 0 has rank " + std::to_string(ctx.rank(0)) + ", at least 3 needed");
  HONE_TRY(ctx.expect_rank(1, ctx.rank(0)));
  const Shape &x = ctx.shape(0), &grid = ctx.shape(1);
  HONE_TRY(ctx.require_equal(grid.back(), Dim(static_cast<int64_t>(x.size()) - 2),
                             "the grid's last dimension and the number of spatial axes"));
  HONE_TRY(ctx.require_equal(x[0], grid[0], "the batch sizes of X and grid"));
  Shape shape = {x[0], x[1]};
  shape.insert(shape.end(), grid.begin() + 1, grid.end() - 1);
  ctx.set_output(0, ctx.dtype(0), std::move(shape));
  return {};
}

Status RoiAlign::check() const {
  if (output_height <= 0 || output_width <= 0) return invalid_model("output_height and output_width must be above 0");
  if (sampling_ratio < 0 || sampling_ratio > kMaxSamplingRatio) {
    return invalid_model("sampling_ratio is " + std::to_string(sampling_ratio) + ", must be in [0, " +
                         std::to_string(kMaxSamplingRatio) + "]");
  }
  return {};
}

Status RoiAlign::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(3, 3));
  HONE_TRY(ctx.expect_dtype(0, {kFloat32, kFloat64, kFloat16, kBFloat16}));
  HONE_TRY(ctx.expect_same_dtype(0, 1));
  HONE_TRY(ctx.expect_dtype(2, {kInt64}));
  HONE_TRY(ctx.expect_rank(0, 4));
  HONE_TRY(ctx.expect_rank(1, 2));
  HONE_TRY(ctx.expect_rank(2, 1));
  HONE_TRY(ctx.require_equal(ctx.shape(1)[1], Dim(4), "the number of coordinates of a region and 4"));
  HONE_TRY(ctx.require_equal(ctx.shape(1)[0], ctx.shape(2)[0], "the numbers of regions and batch indices"));
  ctx.set_output(0, ctx.dtype(0), {ctx.shape(1)[0], ctx.shape(0)[1], Dim(output_height), Dim(output_width)});
  return {};
}

}  // namespace hone
