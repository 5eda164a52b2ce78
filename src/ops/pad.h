// Operators that add to the ends of axes, or take away.
#pragma once

#include "hone/op.h"

namespace hone {

enum class PadMode : uint8_t { kConstant, kReflect, kEdge, kWrap };
template <>
struct EnumNames<PadMode> {
  static constexpr std::pair<std::string_view, PadMode> kNames[] = {{"constant", PadMode::kConstant},
                                                                    {"reflect", PadMode::kReflect},
                                                                    {"edge", PadMode::kEdge},
                                                                    {"wrap", PadMode::kWrap}};
};

// Operands: data, pads (all begins, then all ends; negative ones take away), constant_value (optional scalar: 0),
// axes (optional: all). What is taken away goes first, so that the other modes repeat what is left: reflect mirrors
// at the outer elements without repeating them (as often as needed, like NumPy), edge repeats the outer element, wrap
// goes on from the other end.
struct Pad final : OpBase<Pad> {
  static constexpr const char* kName = "Pad";
  enum Operand : size_t { kData, kPads, kValue, kAxes };
  PadMode mode = PadMode::kConstant;
  static void attributes(auto& self, auto& v) { v("mode", self.mode); }
  Status infer(InferContext& ctx) const override;
};

// Crops or pads with zeros, the same on both ends (the odd element at the far one), to the sizes that operand 1 lists
// for `axes` (all by default).
struct CenterCropPad final : OpBase<CenterCropPad> {
  static constexpr const char* kName = "CenterCropPad";
  std::optional<Ints> axes;
  static void attributes(auto& self, auto& v) { v("axes", self.axes); }
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
