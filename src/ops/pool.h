// Pools: a window slides over the spatial axes and each position gives one value; global pools see all of them.
#pragma once

#include "ops/window.h"

namespace hone {

// X [N, C, spatial...] -> Y [N, C, spatial...] and, for MaxPool, Indices int64 of the same shape: the flat position
// in X that gave each value (column-major within a channel when storage_order is 1). Taps outside of X count for
// nothing. Pads must be smaller than the dilated kernel.
struct PoolWindow : Window {
  bool ceil_mode = false;
  static void attributes(auto& self, auto& v) {
    Window::attributes(self, v);
    v("ceil_mode", self.ceil_mode);
  }
};

struct MaxPool final : OpBase<MaxPool>, PoolWindow {
  static constexpr const char* kName = "MaxPool";
  bool storage_order = false;
  static void attributes(auto& self, auto& v) {
    PoolWindow::attributes(self, v);
    v("storage_order", self.storage_order);
  }
  Status infer(InferContext& ctx) const override;
};

// Divides by the taps inside X, or with count_include_pad by those inside X and its pads. A window that sees nothing
// gives 0.
struct AveragePool final : OpBase<AveragePool>, PoolWindow {
  static constexpr const char* kName = "AveragePool";
  bool count_include_pad = false;
  static void attributes(auto& self, auto& v) {
    PoolWindow::attributes(self, v);
    v("count_include_pad", self.count_include_pad);
  }
  Status infer(InferContext& ctx) const override;
};

// (sum of |x|^p)^(1/p).
struct LpPool final : OpBase<LpPool>, PoolWindow {
  static constexpr const char* kName = "LpPool";
  int64_t p = 2;
  static void attributes(auto& self, auto& v) {
    PoolWindow::attributes(self, v);
    v("p", self.p);
  }
  Status infer(InferContext& ctx) const override;
};

// X [N, C, spatial...] -> Y [N, C, 1...].
Status infer_global_pool(InferContext& ctx);

struct GlobalAveragePool final : OpBase<GlobalAveragePool> {
  static constexpr const char* kName = "GlobalAveragePool";
  Status infer(InferContext& ctx) const override { return infer_global_pool(ctx); }
};

struct GlobalMaxPool final : OpBase<GlobalMaxPool> {
  static constexpr const char* kName = "GlobalMaxPool";
  Status infer(InferContext& ctx) const override { return infer_global_pool(ctx); }
};

struct GlobalLpPool final : OpBase<GlobalLpPool> {
  static constexpr const char* kName = "GlobalLpPool";
  int64_t p = 2;
  static void attributes(auto& self, auto& v) { v("p", self.p); }
  Status infer(InferContext& ctx) const override;
};

// The geometry over an operand of dims `x`, with every check that a kernel relies on. Allocates nothing unless it
// fails.
Result<WindowGeometry> pool_geometry(const PoolWindow& window, std::span<const int64_t> x);

}  // namespace hone
