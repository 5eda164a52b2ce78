// Running sums and products along an axis, which operand 1 names (a scalar).
#pragma once

#include "hone/op.h"

namespace hone {

Status infer_scan(InferContext& ctx);

// `exclusive`: an element takes part from the next place on, so that the first is 0 (1 for products). `reverse`: from
// the end to the beginning.
template <class T>
struct ScanOp : OpBase<T> {
  bool exclusive = false;
  bool reverse = false;
  static void attributes(auto& self, auto& v) {
    v("exclusive", self.exclusive);
    v("reverse", self.reverse);
  }
  Status infer(InferContext& ctx) const override { return infer_scan(ctx); }
};

struct CumSum final : ScanOp<CumSum> {
  static constexpr const char* kName = "CumSum";
};
struct CumProd final : ScanOp<CumProd> {
  static constexpr const char* kName = "CumProd";
};

}  // namespace hone
