#include "ops/pool.h"

#include "ops/type_set.h"

namespace hone {

namespace {

constexpr TypeSet kMaxPoolTypes = kFloatTypes | TypeSet{DataType::kInt8, DataType::kUint8};

Status check_rank(size_t rank) {
  if (rank >= 3) return {};
  return invalid_model("operand 0 has rank " + std::to_string(rank) +
                       ", but needs batch, channels and at least one spatial axis");
}

Status check_pool_window(const PoolWindow& window, size_t spatial) {
  if (window.kernel_shape.empty()) return invalid_model("attribute 'kernel_shape' is missing");
  HONE_TRY(window.check_window(spatial));
  for (size_t i = 0; i < spatial; ++i) {
    const Dim span = dilated_kernel(window.kernel_shape[i], window.dilation(i));
    if (span.is_invalid()) return invalid_model("the dilated kernel overflows 64 bits");
    if (window.pad_begin(i) < span.value() && window.pad_end(i) < span.value()) continue;
    return invalid_model("on spatial axis " + std::to_string(i) + " the pads are as large as the kernel (" +
                         std::to_string(span.value()) + "), so that some windows would see padding only");
  }
  return {};
}

Status check_norm_order(int64_t p) {
  return p < 1 ? invalid_model("attribute 'p' is " + std::to_string(p) + ", which must be at least 1") : Status();
}

Status infer_pool(InferContext& ctx, const PoolWindow& window, TypeSet types) {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, types));
  HONE_TRY(check_rank(ctx.rank(0)));
  const Shape& x = ctx.shape(0);
  const size_t spatial = x.size() - 2;
  HONE_TRY(check_pool_window(window, spatial));
  Shape out = {x[0], x[1]};
  for (size_t i = 0; i < spatial; ++i) {
    HONE_ASSIGN(out.emplace_back(), window_output(window, i, x[2 + i], window.kernel_shape[i], window.ceil_mode));
  }
  ctx.set_output(0, ctx.dtype(0), std::move(out));
  return {};
}

}  // namespace

Status MaxPool::infer(InferContext& ctx) const {
  HONE_TRY(infer_pool(ctx, *this, kMaxPoolTypes));
  if (ctx.num_outputs() > 1) ctx.set_output(1, DataType::kInt64, ctx.outputs()[0].type.shape);
  return {};
}

Status AveragePool::infer(InferContext& ctx) const { return infer_pool(ctx, *this, kFloatTypes); }

Status LpPool::infer(InferContext& ctx) const {
  HONE_TRY(check_norm_order(p));
  return infer_pool(ctx, *this, kFloatTypes);
}

Status infer_global_pool(InferContext& ctx) {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, kFloatTypes));
  HONE_TRY(check_rank(ctx.rank(0)));
  Shape out(ctx.rank(0), Dim(1));
  out[0] = ctx.shape(0)[0];
  out[1] = ctx.shape(0)[1];
  ctx.set_output(0, ctx.dtype(0), std::move(out));
  return {};
}

Status GlobalLpPool::infer(InferContext& ctx) const {
  HONE_TRY(check_norm_order(p));
  return infer_global_pool(ctx);
}

Result<WindowGeometry> pool_geometry(const PoolWindow& window, std::span<const int64_t> x) {
  HONE_TRY(check_rank(x.size()));
  HONE_TRY(check_pool_window(window, x.size() - 2));
  return window_geometry(window, x.subspan(2), window.kernel_shape, window.ceil_mode);
}

}  // namespace hone
