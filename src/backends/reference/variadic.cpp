// Min, Max, Sum and Mean of any number of operands.
#include "backends/reference/elementwise.h"
#include "ops/elementwise.h"

namespace hone::reference {

namespace {

// acc = first operand; then acc = f(acc, operand) for the others.
template <class Acc, class T, class F>
void accumulate(const KernelArgs& args, Acc* acc, F f) {
  const Extents& dims = args.outputs[0].dims;
  const int threads = args.device->threads;
  const TensorView& first = args.inputs[0];
  broadcast(threads, dims, acc, read<T>(first), first.dims, read<T>(first), first.dims, [](auto x, auto) { return x; });
  for (size_t i = 1; i < args.inputs.size(); ++i) {
    const TensorView& operand = args.inputs[i];
    broadcast(threads, dims, acc, acc, dims, read<T>(operand), operand.dims, f);
  }
}

template <class OpT, auto F>
Status run_extreme(const OpT&, const KernelArgs& args) {
  return visit_type(args.inputs[0].dtype, NumberTypes{}, [&]<class T>() {
    accumulate<T, T>(args, write<T>(args.outputs[0]), F);
    return Status();
  });
}

// Sums of 16-bit floats are kept in float and rounded once.
template <class OpT>
size_t sum_workspace(const OpT&, const KernelArgs& args) {
  return bytes_of(args.outputs[0].dtype) == 2 ? static_cast<size_t>(args.outputs[0].count()) * sizeof(float) : 0;
}

template <class OpT, bool Averages>
Status run_sum(const OpT&, const KernelArgs& args) {
  return visit_type(args.inputs[0].dtype, FloatTypes{}, [&]<class T>() {
    using Acc = Compute<T>;
    T* const out = write<T>(args.outputs[0]);
    Acc* acc;
    if constexpr (std::is_same_v<Acc, T>) {
      acc = out;
    } else {
      acc = reinterpret_cast<Acc*>(args.workspace);
    }
    accumulate<Acc, T>(args, acc, [](auto x, auto y) { return x + y; });
    const Acc divisor = Averages ? static_cast<Acc>(args.inputs.size()) : Acc(1);
    for (int64_t i = 0, count = args.outputs[0].count(); i < count; ++i) out[i] = static_cast<T>(acc[i] / divisor);
    return Status();
  });
}

constexpr auto minimum = [](auto x, auto y) { return smaller(x, y); };
constexpr auto maximum = [](auto x, auto y) { return larger(x, y); };

}  // namespace

const KernelDef kMin = kReferenceKernel<Min, run_extreme<Min, minimum>>;
const KernelDef kMax = kReferenceKernel<Max, run_extreme<Max, maximum>>;
const KernelDef kSum = kReferenceKernel<Sum, run_sum<Sum, false>, sum_workspace<Sum>>;
const KernelDef kMean = kReferenceKernel<Mean, run_sum<Mean, true>, sum_workspace<Mean>>;

}  // namespace hone::reference
