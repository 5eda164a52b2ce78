// Declares every CPU kernel; kernels.cpp lists them in the order of preference.
#pragma once

#include "hone/kernel.h"

namespace hone::cpu {

// conv_depthwise.cpp, conv_gemm.cpp, matmul.cpp
extern const KernelDef kConvDepthwise, kConvGemm, kMatMul, kGemm;

// conv_onednn.cpp, conv_transpose_onednn.cpp, matmul_onednn.cpp
extern const KernelDef kConvOneDnn, kConvTransposeOneDnn, kMatMulOneDnn, kGemmOneDnn;

// unary.cpp
extern const KernelDef kRelu, kLeakyRelu, kSigmoid, kSiLU, kSwish, kHardSigmoid, kHardSwish, kTanh, kExp, kErf, kGelu,
    kSqrt, kNeg, kAbs, kReciprocal;

// binary.cpp
extern const KernelDef kAdd, kSub, kMul, kDiv, kPow;

// pool.cpp, resize_nearest.cpp
extern const KernelDef kMaxPool, kAveragePool, kGlobalAveragePool, kResizeNearest;

// rows.cpp
extern const KernelDef kSoftmax, kLayerNormalization, kReduceMean;

// widened.cpp
extern const KernelDef kConvWidened, kMatMulWidened, kGemmWidened, kMaxPoolWidened, kAveragePoolWidened,
    kGlobalAveragePoolWidened, kSoftmaxWidened, kLayerNormalizationWidened, kSiLUWidened, kSigmoidWidened, kErfWidened,
    kReluWidened, kLeakyReluWidened, kHardSwishWidened, kAddWidened, kMulWidened;

}  // namespace hone::cpu
