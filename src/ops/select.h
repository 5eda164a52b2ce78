// Operators whose output has as many elements as the contents say.
#pragma once

#include "hone/op.h"

namespace hone {

// The positions of nonzero elements in row-major order: [rank, count] of int64.
struct NonZero final : OpBase<NonZero> {
  static constexpr const char* kName = "NonZero";
  Status infer(InferContext& ctx) const override;
};

// Those slices of `axis` (without it: elements of the flattened operand) for which the list in operand 1 is true. A
// list shorter than the axis drops the rest.
struct Compress final : OpBase<Compress> {
  static constexpr const char* kName = "Compress";
  std::optional<int64_t> axis;
  static void attributes(auto& self, auto& v) { v("axis", self.axis); }
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
