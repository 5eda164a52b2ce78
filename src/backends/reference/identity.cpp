// Identity and Dropout: copies.
#include <cstring>

#include "backends/reference/elementwise.h"
#include "ops/elementwise.h"

namespace hone::reference {

namespace {

void copy_operand(const KernelArgs& args) {
  const size_t bytes = args.outputs[0].bytes();
  if (bytes != 0) std::memcpy(args.outputs[0].data, args.inputs[0].data, bytes);
}

Status identity(const Identity&, const KernelArgs& args) {
  copy_operand(args);
  return {};
}

// The ratio isn't 0; without a ratio it is one half.
bool drops(const KernelArgs& args) {
  if (args.inputs.size() < 2 || !args.inputs[1].present()) return true;
  bool nonzero = true;
  static_cast<void>(visit_type(args.inputs[1].dtype, FloatTypes{}, [&]<class T>() {
    nonzero = static_cast<double>(*read<T>(args.inputs[1])) != 0;
    return Status();
  }));
  return nonzero;
}

Status dropout(const Dropout&, const KernelArgs& args) {
  const bool trains = args.inputs.size() > 2 && args.inputs[2].present() && *read<bool>(args.inputs[2]) != 0;
  if (trains && drops(args)) return refuse_training();
  copy_operand(args);
  if (args.outputs.size() > 1 && args.outputs[1].bytes() != 0) {
    std::memset(args.outputs[1].data, 1, args.outputs[1].bytes());
  }
  return {};
}

}  // namespace

const KernelDef kIdentity = kReferenceKernel<Identity, identity>;
const KernelDef kDropout = kReferenceKernel<Dropout, dropout>;

}  // namespace hone::reference
