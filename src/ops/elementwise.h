// Elementwise operators of one operand, and the broadcasting ones of two and more.
#pragma once

#include "hone/op.h"

namespace hone {

// One operand, one output of its type and shape.
template <class T>
struct UnaryOp : OpBase<T> {
  Status infer(InferContext& ctx) const override {
    HONE_TRY(ctx.expect_inputs(1, 1));
    ctx.set_output(0, ctx.input(0));
    return {};
  }
};

struct Relu final : UnaryOp<Relu> {
  static constexpr const char* kName = "Relu";
};

}  // namespace hone
