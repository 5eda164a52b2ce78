// TopK: the largest or smallest elements along an axis.
#pragma once

#include "hone/op.h"

namespace hone {

// Operands X and K (one int64); outputs Values and Indices (int64), sorted whether asked for or not. Equal elements
// keep their order; NaN comes after every number, whichever end is asked for.
struct TopK final : OpBase<TopK> {
  static constexpr const char* kName = "TopK";

  int64_t axis = -1;
  bool largest = true;
  bool sorted = true;

  static void attributes(auto& self, auto& v) {
    v("axis", self.axis);
    v("largest", self.largest);
    v("sorted", self.sorted);
  }
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
