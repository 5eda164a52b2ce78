#include "ops/matmul.h"

#include "ops/checks.h"

namespace hone {

namespace {

constexpr TypeSet kMatMulTypes =
    kFloatTypes | TypeSet{DataType::kInt32, DataType::kInt64, DataType::kUint32, DataType::kUint64};

}  // namespace

Status MatMul::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(ctx, 0, kMatMulTypes));
  HONE_TRY(ctx.expect_same_dtype(0, 1));
  for (const size_t i : {0, 1}) {
    if (ctx.rank(i) == 0)
      return invalid_model("operand " + std::to_string(i) + " is a scalar, expected rank 1 or more");
  }
  Shape a = ctx.shape(0), b = ctx.shape(1);
  const bool a_vector = a.size() == 1, b_vector = b.size() == 1;
  if (a_vector) a.insert(a.begin(), Dim(1));
  if (b_vector) b.push_back(Dim(1));
  const Dim rows = a[a.size() - 2], columns = b.back();
  HONE_TRY(ctx.require_equal(a.back(), b[b.size() - 2], "the last axis of operand 0 and the summed axis of operand 1"));
  a.resize(a.size() - 2);
  b.resize(b.size() - 2);
  HONE_ASSIGN(Shape out, ctx.broadcast_shapes(a, b));
  if (!a_vector) out.push_back(rows);
  if (!b_vector) out.push_back(columns);
  ctx.set_output(0, ctx.dtype(0), std::move(out));
  return {};
}

Status Gemm::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 3));
  HONE_TRY(expect_types(ctx, 0, kMatMulTypes));
  HONE_TRY(ctx.expect_same_dtype(0, 1));
  HONE_TRY(ctx.expect_rank(0, 2));
  HONE_TRY(ctx.expect_rank(1, 2));
  const Shape &a = ctx.shape(0), &b = ctx.shape(1);
  const Dim rows = a[transA ? 1 : 0], columns = b[transB ? 0 : 1];
  HONE_TRY(ctx.require_equal(a[transA ? 0 : 1], b[transB ? 1 : 0], "the summed axes of operands 0 and 1"));
  if (ctx.has_input(2)) {
    HONE_TRY(ctx.expect_same_dtype(0, 2));
    HONE_TRY(expect_broadcasts_to(ctx, 2, {rows, columns}));
  }
  ctx.set_output(0, ctx.dtype(0), {rows, columns});
  return {};
}

}  // namespace hone
