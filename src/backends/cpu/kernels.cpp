#include "backends/cpu/kernels.h"

#include "backends/cpu/backend.h"

namespace hone::cpu {

namespace {

constexpr const KernelDef* kKernels[] = {
#ifndef HONE_STD_THREADS
    &kConvOneDnn,
    &kConvTransposeOneDnn,
    &kMatMulOneDnn,
    &kGemmOneDnn,
#endif
};

}  // namespace

const Backend& backend() {
  static constexpr Backend kBackend = {"cpu", kKernels};
  return kBackend;
}

}  // namespace hone::cpu
