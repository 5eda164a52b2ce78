#include "backends/reference/kernels.h"

#include "backends/reference/backend.h"

namespace hone::reference {

namespace {

constexpr const KernelDef* kKernels[] = {
    &kRelu,
};

}  // namespace

const Backend& backend() {
  static constexpr Backend kBackend = {"reference", kKernels};
  return kBackend;
}

}  // namespace hone::reference
