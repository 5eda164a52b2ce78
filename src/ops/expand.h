// Operators that repeat a tensor's contents.
#pragma once

#include "hone/op.h"

namespace hone {

// Broadcasts operand 0 with the shape that operand 1 lists: axes of size 1 on either side take the other's size.
struct Expand final : OpBase<Expand> {
  static constexpr const char* kName = "Expand";
  Status infer(InferContext& ctx) const override;
};

// The whole of operand 0, repeated along each axis as often as operand 1 says.
struct Tile final : OpBase<Tile> {
  static constexpr const char* kName = "Tile";
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
