// Operators that keep the elements where they are: copies.
#include "ops/reshape.h"

#include <algorithm>

#include "backends/reference/copy.h"
#include "backends/reference/kernels.h"

namespace hone::reference {

namespace {

Status copy_all(const KernelArgs& args) {
  const TensorView &from = args.inputs[0], &to = args.outputs[0];
  if (from.count() != to.count()) {
    return invalid_model("the operand's shape " + to_string(from.dims) + " and the output's " + to_string(to.dims) +
                         " have different numbers of elements");
  }
  copy_bytes(args.device->threads, to.data, from.data, to.bytes());
  return {};
}

template <class OpT>
Status reshape(const OpT&, const KernelArgs& args) {
  return copy_all(args);
}

Status bit_cast(const BitCast&, const KernelArgs& args) {
  HONE_TRY(copy_all(args));
  const TensorView& to = args.outputs[0];
  if (to.dtype != DataType::kBool) return {};
  std::transform(to.data, to.data + to.bytes(), to.data,
                 [](std::byte bits) { return bits == std::byte{0} ? bits : std::byte{1}; });
  return {};
}

}  // namespace

const KernelDef kReshape = kReferenceKernel<Reshape, reshape<Reshape>>;
const KernelDef kFlatten = kReferenceKernel<Flatten, reshape<Flatten>>;
const KernelDef kSqueeze = kReferenceKernel<Squeeze, reshape<Squeeze>>;
const KernelDef kBitCast = kReferenceKernel<BitCast, bit_cast>;
const KernelDef kUnsqueeze = kReferenceKernel<Unsqueeze, reshape<Unsqueeze>>;

}  // namespace hone::reference
