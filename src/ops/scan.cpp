#include "ops/scan.h"

#include "ops/type_set.h"

namespace hone {

Status infer_scan(InferContext& ctx) {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(
      ctx, 0, kFloatTypes | TypeSet{DataType::kInt32, DataType::kInt64, DataType::kUint32, DataType::kUint64}));
  HONE_TRY(ctx.expect_dtype(1, {DataType::kInt32, DataType::kInt64}));
  HONE_TRY(ctx.require_equal(element_count(ctx.shape(1)), 1, "the number of elements of 'axis' and 1"));
  if (ctx.rank(0) == 0) return invalid_model("operand 0 is a scalar, so there is no axis");
  ctx.set_output(0, ctx.input(0));
  return {};
}

}  // namespace hone
