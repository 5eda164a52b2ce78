// Operators that put tensors together along an axis and take them apart.
#pragma once

#include "hone/op.h"

namespace hone {

struct Concat final : OpBase<Concat> {
  static constexpr const char* kName = "Concat";
  std::optional<int64_t> axis;
  static void attributes(auto& self, auto& v) { v("axis", self.axis); }
  Status check() const;
  Status infer(InferContext& ctx) const override;
};

// The parts' sizes are operand 1, or, without it, equal: size / outputs, rounded up, with a smaller last one. Where
// neither operand 1 nor num_outputs is given, parts must come out even.
struct Split final : OpBase<Split> {
  static constexpr const char* kName = "Split";
  int64_t axis = 0;
  std::optional<int64_t> num_outputs;
  static void attributes(auto& self, auto& v) {
    v("axis", self.axis);
    v("num_outputs", self.num_outputs);
  }
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
