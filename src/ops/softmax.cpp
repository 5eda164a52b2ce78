#include "ops/softmax.h"

#include "ops/type_set.h"

namespace hone {

Status infer_along_axis(InferContext& ctx, int64_t axis) {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, kFloatTypes));
  HONE_TRY(ctx.normalize_axis(axis, ctx.rank(0)).status());
  ctx.set_output(0, ctx.input(0));
  return {};
}

}  // namespace hone
