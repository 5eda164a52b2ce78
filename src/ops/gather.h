// Operators that pick elements by index. Indices count from the end of their axis if negative; one outside of it is an
// error when the kernel runs.
#pragma once

#include "hone/op.h"

namespace hone {

// Replaces one axis of operand 0 by the axes of operand 1: picks slices of it.
struct Gather final : OpBase<Gather> {
  static constexpr const char* kName = "Gather";
  int64_t axis = 0;
  static void attributes(auto& self, auto& v) { v("axis", self.axis); }
  Status infer(InferContext& ctx) const override;
};

// Output of operand 1's shape: each element is that of operand 0 in the same place, but on `axis` at the index.
struct GatherElements final : OpBase<GatherElements> {
  static constexpr const char* kName = "GatherElements";
  int64_t axis = 0;
  static void attributes(auto& self, auto& v) { v("axis", self.axis); }
  Status infer(InferContext& ctx) const override;
};

// The last axis of operand 1 holds index tuples into operand 0's axes from batch_dims on; the first batch_dims axes
// are common to both.
struct GatherND final : OpBase<GatherND> {
  static constexpr const char* kName = "GatherND";
  int64_t batch_dims = 0;
  static void attributes(auto& self, auto& v) { v("batch_dims", self.batch_dims); }
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
