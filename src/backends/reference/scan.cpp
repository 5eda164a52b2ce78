// CumSum and CumProd: floating results are kept in float64 along the axis and rounded where they are written.
#include "ops/scan.h"

#include "backends/reference/indices.h"
#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"
#include "base/dispatch.h"

namespace hone::reference {

namespace {

struct Line {
  int64_t start, step, length;
  bool exclusive, product;
};

template <class T>
void scan_line(const T* from, T* to, const Line& line) {
  hone::reference::Sum<T> total = line.product ? 1 : 0;
  for (int64_t i = 0; i < line.length; ++i) {
    const int64_t at = line.start + i * line.step;
    const auto element = widen(from[at]);
    if (line.exclusive) to[at] = narrow<T>(total);
    total = line.product ? total * element : total + element;
    if (!line.exclusive) to[at] = narrow<T>(total);
  }
}

template <class OpT>
Status scan(const OpT& op, const KernelArgs& args, bool product) {
  const TensorView &from = args.inputs[0], &to = args.outputs[0];
  HONE_ASSIGN(const int64_t axis, InferContext::normalize_axis(read_int(args.inputs[1], 0), from.rank()));
  const std::span<const int64_t> dims = from.dims;
  const int64_t length = dims[static_cast<size_t>(axis)], inner = count_of(dims.subspan(static_cast<size_t>(axis) + 1));
  if (to.count() == 0) return {};
  const int64_t lines = to.count() / length, grain = std::max<int64_t>(1, (1 << 14) / length);
  using ScanTypes = TypeList<float, double, Half, BFloat16, int32_t, int64_t, uint32_t, uint64_t>;
  return visit_type(from.dtype, ScanTypes{}, [&]<class T>() {
    parallel_for(args.device->threads, lines, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = i / inner * length * inner + i % inner;
        scan_line(from.as<const T>(), to.as<T>(),
                  {.start = op.reverse ? first + (length - 1) * inner : first,
                   .step = op.reverse ? -inner : inner,
                   .length = length,
                   .exclusive = op.exclusive,
                   .product = product});
      }
    });
    return Status();
  });
}

Status cumsum(const CumSum& op, const KernelArgs& args) { return scan(op, args, false); }
Status cumprod(const CumProd& op, const KernelArgs& args) { return scan(op, args, true); }

}  // namespace

const KernelDef kCumSum = kReferenceKernel<CumSum, cumsum>;
const KernelDef kCumProd = kReferenceKernel<CumProd, cumprod>;

}  // namespace hone::reference
