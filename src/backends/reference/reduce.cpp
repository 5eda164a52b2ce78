// Reductions: each result from its slice of the operand, in row-major order.
#include "ops/reduce.h"

#include <cmath>

#include "backends/reference/kernels.h"
#include "backends/reference/slices.h"
#include "base/dispatch.h"
#include "base/parallel.h"

namespace hone::reference {

namespace {

using WideTypes = TypeList<float, double, Half, BFloat16, int32_t, int64_t, uint32_t, uint64_t>;
using OrderedTypes =
    TypeList<float, double, Half, BFloat16, int32_t, int64_t, uint32_t, uint64_t, int8_t, uint8_t, bool>;

constexpr int64_t kGrain = 16384;

// A sum of integers as the number it stands for.
template <class T>
double as_double(Sum<T> sum) {
  if constexpr (std::is_signed_v<T> && std::is_integral_v<T>) {
    return static_cast<double>(static_cast<int64_t>(sum));
  } else {
    return static_cast<double>(sum);
  }
}

template <class T>
Sum<T> magnitude(T x) {
  if constexpr (std::is_integral_v<T>) {
    const uint64_t wide = widen(x);
    return x < T(0) ? uint64_t{0} - wide : wide;
  } else {
    return std::fabs(widen(x));
  }
}

template <class T>
Sum<T> sum_of(const Slice<T>& slice) {
  Sum<T> sum{};
  slice.for_each([&](T x) { sum += widen(x); });
  return sum;
}

// The reducers: one element from a slice.
struct SumReducer {
  template <class T>
  static T reduce(const Slice<T>& slice) {
    return narrow<T>(sum_of(slice));
  }
};

struct MeanReducer {
  template <class T>
  static T reduce(const Slice<T>& slice) {
    const Sum<T> sum = sum_of(slice);
    if constexpr (std::is_integral_v<T>) {
      if (slice.size() == 0) return T(0);
      if constexpr (std::is_signed_v<T>) return static_cast<T>(static_cast<int64_t>(sum) / slice.size());
      return static_cast<T>(sum / static_cast<uint64_t>(slice.size()));
    } else {
      return saturate<T>(sum / static_cast<double>(slice.size()));
    }
  }
};

struct ProdReducer {
  template <class T>
  static T reduce(const Slice<T>& slice) {
    Sum<T> product(1);
    slice.for_each([&](T x) { product *= widen(x); });
    return narrow<T>(product);
  }
};

struct L1Reducer {
  template <class T>
  static T reduce(const Slice<T>& slice) {
    Sum<T> sum{};
    slice.for_each([&](T x) { sum += magnitude(x); });
    return narrow<T>(sum);
  }
};

struct SumSquareReducer {
  template <class T>
  static T reduce(const Slice<T>& slice) {
    Sum<T> sum{};
    slice.for_each([&](T x) { sum += widen(x) * widen(x); });
    return narrow<T>(sum);
  }
};

struct L2Reducer {
  template <class T>
  static T reduce(const Slice<T>& slice) {
    double sum = 0;
    slice.for_each([&](T x) { sum += to_double(x) * to_double(x); });
    return saturate<T>(std::sqrt(sum));
  }
};

struct LogSumReducer {
  template <class T>
  static T reduce(const Slice<T>& slice) {
    return saturate<T>(std::log(as_double<T>(sum_of(slice))));
  }
};

struct LogSumExpReducer {
  template <class T>
  static T reduce(const Slice<T>& slice) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    double largest = -kInfinity;
    bool nan = false;
    slice.for_each([&](T x) {
      const double value = to_double(x);
      nan |= value != value;
      largest = value > largest ? value : largest;
    });
    if (nan) return saturate<T>(std::numeric_limits<double>::quiet_NaN());
    if (std::isinf(largest)) return saturate<T>(largest);
    double sum = 0;
    slice.for_each([&](T x) { sum += std::exp(to_double(x) - largest); });
    return saturate<T>(largest + std::log(sum));
  }
};

template <class T>
T extreme(bool greatest) {
  if constexpr (std::is_integral_v<T>) {
    return greatest ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
  } else {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    return T(greatest ? kInfinity : -kInfinity);
  }
}

template <class T>
bool is_nan(T x) {
  if constexpr (std::is_integral_v<T>) {
    return false;
  } else {
    return to_double(x) != to_double(x);
  }
}

// Whether `a` comes before `b`: it is larger (or smaller), or a NaN.
template <bool kLargest, class T>
bool beats(T a, T b) {
  if (is_nan(a) || is_nan(b)) return is_nan(a) && !is_nan(b);
  return kLargest ? a > b : a < b;
}

template <bool kLargest>
struct ExtremeReducer {
  template <class T>
  static T reduce(const Slice<T>& slice) {
    T best = extreme<T>(!kLargest);
    slice.for_each([&](T x) { best = beats<kLargest>(x, best) ? x : best; });
    return best;
  }
};

// Writes one element for each slice, in parallel.
template <class T, class F>
void for_each_slice(const KernelArgs& args, const SlicePlan& plan, F&& element) {
  auto* y = reinterpret_cast<T*>(args.outputs[0].data);
  const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, plan.slice_size()));
  parallel_for(args.device->threads, args.outputs[0].count(), grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = element(i);
  });
}

// The plan of a reduction, checked against the output's shape.
Result<SlicePlan> checked_plan(const KernelArgs& args, uint32_t mask, bool keepdims) {
  const Extents& x = args.inputs[0].dims;
  Extents y;
  for (size_t i = 0; i < x.size(); ++i) {
    const bool reduced = (mask >> i & 1) != 0;
    if (!reduced || keepdims) y.push_back(reduced ? 1 : x[i]);
  }
  HONE_TRY(expect_output(args, 0, y));
  return SlicePlan(x, mask);
}

Result<SlicePlan> plan_of(const ReduceAttributes& op, const KernelArgs& args) {
  const bool has_axes = args.inputs.size() > 1 && args.inputs[1].present();
  const std::span<const int64_t> axes =
      has_axes ? args.inputs[1].elements<const int64_t>() : std::span<const int64_t>();
  HONE_ASSIGN(const uint32_t mask, reduced_axes(op, axes, args.inputs[0].rank()).with_context("operand 1 (axes)"));
  return checked_plan(args, mask, op.keepdims);
}

template <class OpT, class Reducer, class Types>
Status reduce(const OpT& op, const KernelArgs& args) {
  HONE_ASSIGN(const SlicePlan plan, plan_of(op, args));
  return visit_type(args.inputs[0].dtype, Types{}, [&]<class T>() {
    const T* x = args.inputs[0].as<const T>();
    for_each_slice<T>(args, plan, [&](int64_t i) { return Reducer::reduce(Slice<T>(plan, x, i)); });
    return Status();
  });
}

template <class OpT, class Reducer, class Types>
Status reduce_sample(const OpT& op, const KernelArgs& args, std::span<const int64_t> positions, std::span<double> out) {
  HONE_ASSIGN(const SlicePlan plan, plan_of(op, args));
  return visit_type(args.inputs[0].dtype, Types{}, [&]<class T>() {
    const T* x = args.inputs[0].as<const T>();
    for (size_t i = 0; i < positions.size(); ++i) {
      out[i] = to_double(Reducer::reduce(Slice<T>(plan, x, positions[i])));
    }
    return Status();
  });
}

template <class OpT, class Reducer, class Types = WideTypes>
constexpr KernelDef kReduceKernel =
    kReferenceKernel<OpT, reduce<OpT, Reducer, Types>, NoFunction{}, reduce_sample<OpT, Reducer, Types>>;

template <bool kLargest, class T>
int64_t arg_extreme(const Slice<T>& slice, bool last) {
  int64_t best = 0, i = 0;
  T best_value{};
  slice.for_each([&](T x) {
    if (i == 0 || (last ? !beats<kLargest>(best_value, x) : beats<kLargest>(x, best_value))) {
      best = i;
      best_value = x;
    }
    ++i;
  });
  return best;
}

Result<SlicePlan> plan_of(const ArgAttributes& op, const KernelArgs& args) {
  HONE_ASSIGN(const uint32_t mask, axis_mask(std::span(&op.axis, 1), args.inputs[0].rank()));
  HONE_ASSIGN(SlicePlan plan, checked_plan(args, mask, op.keepdims));
  if (plan.slice_size() > 0 || plan.num_slices() == 0) return plan;
  return runtime_error("axis " + std::to_string(op.axis) + " of operand 0 is empty: there is no position to tell");
}

template <class OpT>
constexpr bool kFindsLargest = std::is_same_v<OpT, ArgMax>;

template <class OpT>
Status arg(const OpT& op, const KernelArgs& args) {
  HONE_ASSIGN(const SlicePlan plan, plan_of(op, args));
  return visit_type(args.inputs[0].dtype, NumberTypes{}, [&]<class T>() {
    const T* x = args.inputs[0].as<const T>();
    for_each_slice<int64_t>(args, plan, [&](int64_t i) {
      return arg_extreme<kFindsLargest<OpT>>(Slice<T>(plan, x, i), op.select_last_index);
    });
    return Status();
  });
}

template <class OpT>
Status arg_sample(const OpT& op, const KernelArgs& args, std::span<const int64_t> positions, std::span<double> out) {
  HONE_ASSIGN(const SlicePlan plan, plan_of(op, args));
  return visit_type(args.inputs[0].dtype, NumberTypes{}, [&]<class T>() {
    const T* x = args.inputs[0].as<const T>();
    for (size_t i = 0; i < positions.size(); ++i) {
      const Slice<T> slice(plan, x, positions[i]);
      out[i] = static_cast<double>(arg_extreme<kFindsLargest<OpT>>(slice, op.select_last_index));
    }
    return Status();
  });
}

}  // namespace

const KernelDef kReduceSum = kReduceKernel<ReduceSum, SumReducer>;
const KernelDef kReduceMean = kReduceKernel<ReduceMean, MeanReducer>;
const KernelDef kReduceProd = kReduceKernel<ReduceProd, ProdReducer>;
const KernelDef kReduceMax = kReduceKernel<ReduceMax, ExtremeReducer<true>, OrderedTypes>;
const KernelDef kReduceMin = kReduceKernel<ReduceMin, ExtremeReducer<false>, OrderedTypes>;
const KernelDef kReduceL1 = kReduceKernel<ReduceL1, L1Reducer>;
const KernelDef kReduceL2 = kReduceKernel<ReduceL2, L2Reducer>;
const KernelDef kReduceLogSum = kReduceKernel<ReduceLogSum, LogSumReducer>;
const KernelDef kReduceLogSumExp = kReduceKernel<ReduceLogSumExp, LogSumExpReducer>;
const KernelDef kReduceSumSquare = kReduceKernel<ReduceSumSquare, SumSquareReducer>;
const KernelDef kArgMax = kReferenceKernel<ArgMax, arg<ArgMax>, NoFunction{}, arg_sample<ArgMax>>;
const KernelDef kArgMin = kReferenceKernel<ArgMin, arg<ArgMin>, NoFunction{}, arg_sample<ArgMin>>;

}  // namespace hone::reference
