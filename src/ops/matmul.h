// Matrix products.
#pragma once

#include "hone/op.h"

namespace hone {

// NumPy's matmul: A [..., M, K] times B [..., K, N], leading axes broadcast. A vector A counts as [1, K] and a vector
// B as [K, 1]; the axis added is dropped from the result.
struct MatMul final : OpBase<MatMul> {
  static constexpr const char* kName = "MatMul";
  Status infer(InferContext& ctx) const override;
};

// alpha * A' * B' + beta * C, with A' [M, K] and B' [K, N] transposed where asked for, and C broadcast to [M, N].
// Integer sums wrap; scaling them by anything but 1 goes through float64 and truncates.
struct Gemm final : OpBase<Gemm> {
  static constexpr const char* kName = "Gemm";
  float alpha = 1, beta = 1;
  bool transA = false, transB = false;
  static void attributes(auto& self, auto& v) {
    v("alpha", self.alpha);
    v("beta", self.beta);
    v("transA", self.transA);
    v("transB", self.transB);
  }
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
