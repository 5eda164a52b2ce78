// Operators that tell the size of a tensor. They look at no contents.
#pragma once

#include "hone/op.h"

namespace hone {

// The sizes of axes start (included) to end (excluded) as int64. Both count from the end if negative, and are
// clamped to the axes there are.
struct ShapeOf final : OpBase<ShapeOf> {
  static constexpr const char* kName = "Shape";
  int64_t start = 0;
  std::optional<int64_t> end;
  static void attributes(auto& self, auto& v) {
    v("start", self.start);
    v("end", self.end);
  }
  Status infer(InferContext& ctx) const override;

  // The axes, clamped: first and one past the last, for an operand of this rank.
  std::pair<size_t, size_t> axes(size_t rank) const;
};

// The number of elements, an int64 scalar.
struct Size final : OpBase<Size> {
  static constexpr const char* kName = "Size";
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
