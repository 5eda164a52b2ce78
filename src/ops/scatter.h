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

enum class CacheMode : uint8_t { kLinear, kCircular };
template <>
struct EnumNames<CacheMode> {
  static constexpr std::pair<std::string_view, CacheMode> kNames[] = {{"linear", CacheMode::kLinear},
                                                                      {"circular", CacheMode::kCircular}};
};

// A cache (operand 0) with operand 1 written into it along `axis`, in each batch (axis 0) from the position in operand
// 2 on (0 without it). In mode circular positions go on from the beginning after the end.
struct TensorScatter final : OpBase<TensorScatter> {
  static constexpr const char* kName = "TensorScatter";
  int64_t axis = -2;
  CacheMode mode = CacheMode::kLinear;
  static void attributes(auto& self, auto& v) {
    v("axis", self.axis);
    v("mode", self.mode);
  }
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
