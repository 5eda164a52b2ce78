#include "backends/cpu/kernels.h"

#include "backends/cpu/backend.h"

namespace hone::cpu {

namespace {

constexpr const KernelDef* kKernels[] = {
    &kConvDepthwise,
    &kConvGemm,
    &kMatMul,
    &kGemm,
#ifndef HONE_STD_THREADS
    &kConvOneDnn,
    &kConvTransposeOneDnn,
    &kMatMulOneDnn,
    &kGemmOneDnn,
#endif
    &kMaxPool,
    &kAveragePool,
    &kGlobalAveragePool,
    &kResizeNearest,
    &kRelu,
    &kLeakyRelu,
    &kSigmoid,
    &kSiLU,
    &kSwish,
    &kHardSigmoid,
    &kHardSwish,
    &kTanh,
    &kExp,
    &kErf,
    &kGelu,
    &kSqrt,
    &kNeg,
    &kAbs,
    &kReciprocal,
    &kAdd,
    &kSub,
    &kMul,
    &kDiv,
    &kPow,
    &kSoftmax,
    &kLayerNormalization,
    &kReduceMean,
    &kConvWidened,
    &kMatMulWidened,
    &kGemmWidened,
    &kMaxPoolWidened,
    &kAveragePoolWidened,
    &kGlobalAveragePoolWidened,
    &kSoftmaxWidened,
    &kLayerNormalizationWidened,
    &kSiLUWidened,
    &kSigmoidWidened,
    &kErfWidened,
    &kReluWidened,
    &kLeakyReluWidened,
    &kHardSwishWidened,
    &kAddWidened,
    &kMulWidened,
};

}  // namespace

const Backend& backend() {
  static constexpr Backend kBackend = {"cpu", kKernels};
  return kBackend;
}

}  // namespace hone::cpu
