// Operators that write elements of operand 2 into a copy of operand 0, at places that operand 1 says. Updates are
// applied in row-major order: of several at one place, the last one stays. Indices count from the end of their axis if
// negative; one outside of it is an error when the kernel runs.
#pragma once

#include "hone/op.h"

namespace hone {

// How an update goes together with what is there already. NaN wins in max and min.
enum class Reduction : uint8_t { kNone, kAdd, kMul, kMax, kMin };
template <>
struct EnumNames<Reduction> {
  static constexpr std::pair<std::string_view, Reduction> kNames[] = {{"none", Reduction::kNone},
                                                                      {"add", Reduction::kAdd},
                                                                      {"mul", Reduction::kMul},
                                                                      {"max", Reduction::kMax},
                                                                      {"min", Reduction::kMin}};
};

// The last axis of operand 1 holds index tuples into operand 0's first axes; each update is a slice of the rest.
struct ScatterND final : OpBase<ScatterND> {
  static constexpr const char* kName = "ScatterND";
  Reduction reduction = Reduction::kNone;
  static void attributes(auto& self, auto& v) { v("reduction", self.reduction); }
  Status infer(InferContext& ctx) const override;
};

// Operand 1 has an index for each update: it goes to its own place, but on `axis` to the index.
struct ScatterElements final : OpBase<ScatterElements> {
  static constexpr const char* kName = "ScatterElements";
  int64_t axis = 0;
  Reduction reduction = Reduction::kNone;
  static void attributes(auto& self, auto& v) {
    v("axis", self.axis);
    v("reduction", self.reduction);
  }
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
