#include "ops/elementwise.h"

#include "backends/reference/kernels.h"
#include "base/dispatch.h"

namespace hone::reference {

namespace {

Status relu(const Relu&, const KernelArgs& args) {
  return visit_type(args.inputs[0].dtype, NumberTypes{}, [&]<class T>() {
    const auto in = args.inputs[0].elements<const T>();
    const auto out = args.outputs[0].elements<T>();
    for (size_t i = 0; i < in.size(); ++i) out[i] = in[i] < T(0) ? T(0) : in[i];  // NaN passes
    return Status();
  });
}

}  // namespace

const KernelDef kRelu = kReferenceKernel<Relu, relu>;

}  // namespace hone::reference
