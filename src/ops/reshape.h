// Operators that give the same elements another shape, or the same bits another type: nothing moves in memory.
#pragma once

#include "hone/op.h"

namespace hone {

// Operand 1 lists the output's sizes: -1 (once) is what is left over, 0 the operand's size on that axis, unless
// allowzero says that it is 0.
struct Reshape final : OpBase<Reshape> {
  static constexpr const char* kName = "Reshape";
  bool allowzero = false;
  static void attributes(auto& self, auto& v) { v("allowzero", self.allowzero); }
  Status infer(InferContext& ctx) const override;
};

// A matrix: axes before `axis` make its rows, the others its columns.
struct Flatten final : OpBase<Flatten> {
  static constexpr const char* kName = "Flatten";
  int64_t axis = 1;
  static void attributes(auto& self, auto& v) { v("axis", self.axis); }
  Status infer(InferContext& ctx) const override;
};

// Drops the axes that operand 1 lists; without it, all of size 1.
struct Squeeze final : OpBase<Squeeze> {
  static constexpr const char* kName = "Squeeze";
  Status infer(InferContext& ctx) const override;
};

// Makes axes of size 1; operand 1 lists where they are in the output.
struct Unsqueeze final : OpBase<Unsqueeze> {
  static constexpr const char* kName = "Unsqueeze";
  Status infer(InferContext& ctx) const override;
};

// The same bits as elements of another type of the same width, whose number is `to`. A bool is true for any bits.
struct BitCast final : OpBase<BitCast> {
  static constexpr const char* kName = "BitCast";
  int64_t to = 0;
  static void attributes(auto& self, auto& v) { v("to", self.to); }
  Status check() const;
  Status infer(InferContext& ctx) const override;
};

// count(from) / count(to), where that is a number without remainder or an expression. Sizes in both lists cancel.
// Records what must hold for it to come out even. Errors: it can't, or `to` has no elements.
Result<Dim> remaining_size(InferContext& ctx, const Shape& from, const Shape& to);
// The two shapes have the same number of elements: required of the model.
Status require_equal_counts(InferContext& ctx, const Shape& from, const Shape& to);

}  // namespace hone
