// Operators that make contents from a few numbers.
#pragma once

#include "hone/op.h"

namespace hone {

// A tensor of the shape that operand 0 lists, filled with `value` (one element; the float32 0 by default).
struct ConstantOfShape final : OpBase<ConstantOfShape> {
  static constexpr const char* kName = "ConstantOfShape";
  Tensor value;
  static void attributes(auto& self, auto& v) { v("value", self.value); }
  Status check() const;
  Status infer(InferContext& ctx) const override;
};

// start + i * delta as long as it is below limit (above, for a negative delta); operands start, limit and delta are
// scalars. The count and floating elements are computed in float64, whatever stash_type asks for.
struct Range final : OpBase<Range> {
  static constexpr const char* kName = "Range";
  int64_t stash_type = static_cast<int64_t>(DataType::kFloat32);
  static void attributes(auto& self, auto& v) { v("stash_type", self.stash_type); }
  Status infer(InferContext& ctx) const override;
};

// A matrix of operand 0's shape with ones on the k-th diagonal (above the main one if positive); its contents don't
// matter. `dtype` is an element type's number; the operand's type by default.
struct EyeLike final : OpBase<EyeLike> {
  static constexpr const char* kName = "EyeLike";
  std::optional<int64_t> dtype;
  int64_t k = 0;
  static void attributes(auto& self, auto& v) {
    v("dtype", self.dtype);
    v("k", self.k);
  }
  Status infer(InferContext& ctx) const override;
};

// A new axis of size `depth` (operand 1): where its position equals the index (operand 0), operand 2's second value,
// elsewhere its first. Indices count from the end if negative; those outside of [-depth, depth) match nowhere.
struct OneHot final : OpBase<OneHot> {
  static constexpr const char* kName = "OneHot";
  int64_t axis = -1;
  static void attributes(auto& self, auto& v) { v("axis", self.axis); }
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
