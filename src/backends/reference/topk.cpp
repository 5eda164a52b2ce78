#include "ops/topk.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "backends/reference/kernels.h"
#include "base/dispatch.h"

namespace hone::reference {

namespace {

template <class T>
bool is_nan(T value) {
  if constexpr (std::is_integral_v<T>) {
    return false;
  } else {
    return std::isnan(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(value));
  }
}

// Along one line of X: element i is line[i * stride].
template <class T>
struct Order {
  const T* line;
  int64_t stride;
  bool largest;

  // A total order: by value, NaN last, then by index.
  bool operator()(int64_t a, int64_t b) const {
    const T x = line[a * stride], y = line[b * stride];
    if (is_nan(x) != is_nan(y)) return is_nan(y);
    if (largest ? x > y : x < y) return true;
    if (largest ? y > x : y < x) return false;
    return a < b;
  }
};

size_t topk_workspace(const TopK& op, const KernelArgs& args) {
  const auto axis = InferContext::normalize_axis(op.axis, args.inputs[0].rank());
  return axis.ok() ? static_cast<size_t>(args.inputs[0].dims[static_cast<size_t>(*axis)]) * sizeof(int64_t) : 0;
}

template <class T>
void run_typed(const TopK& op, const KernelArgs& args, size_t axis) {
  const std::span<const int64_t> dims = args.inputs[0].dims;
  const int64_t length = dims[axis], k = args.outputs[0].dims[axis];
  const int64_t outer = count_of(dims.first(axis)), inner = count_of(dims.subspan(axis + 1));
  auto* const order = reinterpret_cast<int64_t*>(args.workspace);
  for (int64_t line = 0; line < outer * inner; ++line) {
    const T* const x = args.inputs[0].as<T>() + line / inner * length * inner + line % inner;
    const int64_t to = line / inner * k * inner + line % inner;
    std::iota(order, order + length, int64_t{0});
    std::partial_sort(order, order + k, order + length, Order<T>{x, inner, op.largest});
    for (int64_t i = 0; i < k; ++i) {
      args.outputs[0].as<T>()[to + i * inner] = x[order[i] * inner];
      args.outputs[1].as<int64_t>()[to + i * inner] = order[i];
    }
  }
}

Status topk(const TopK& op, const KernelArgs& args) {
  HONE_ASSIGN(const int64_t normal, InferContext::normalize_axis(op.axis, args.inputs[0].rank()));
  const auto axis = static_cast<size_t>(normal);
  if (args.outputs[0].count() == 0) return {};
  if (args.outputs[0].dims[axis] > args.inputs[0].dims[axis]) {
    return runtime_error("K is " + std::to_string(args.outputs[0].dims[axis]) + ", but axis " + std::to_string(normal) +
                         " has only " + std::to_string(args.inputs[0].dims[axis]) + " elements");
  }
  return visit_type(args.inputs[0].dtype, NumberTypes{}, [&]<class T>() {
    run_typed<T>(op, args, axis);
    return Status();
  });
}

}  // namespace

const KernelDef kTopK = kReferenceKernel<TopK, topk, topk_workspace>;

}  // namespace hone::reference
