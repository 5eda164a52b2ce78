// Conversions between element types.
#pragma once

#include "ops/elementwise.h"

namespace hone {

// Floats round to nearest even, and beyond the range to infinity. Floats to integers truncate; what is out of range
// becomes the nearest value there is, NaN 0. Integers to integers keep the low bits. Anything but 0 is true.
struct Cast final : OpBase<Cast> {
  static constexpr const char* kName = "Cast";
  int64_t to = 0;  // a DataType
  // These two matter for 8-bit floats only, which aren't computed in.
  bool saturate = true;
  std::string round_mode = "up";
  static void attributes(auto& self, auto& v) {
    v("to", self.to);
    v("saturate", self.saturate);
    v("round_mode", self.round_mode);
  }
  Status check() const;
  Status infer(InferContext& ctx) const override;
};

// Cast to operand 1's type.
struct CastLike final : OpBase<CastLike> {
  static constexpr const char* kName = "CastLike";
  bool saturate = true;
  std::string round_mode = "up";
  static void attributes(auto& self, auto& v) {
    v("saturate", self.saturate);
    v("round_mode", self.round_mode);
  }
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
