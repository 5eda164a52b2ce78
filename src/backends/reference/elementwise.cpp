#include "backends/reference/elementwise.h"

#include "ops/elementwise.h"

namespace hone::reference {

namespace {

// Integers are computed as unsigned numbers, which wrap.
template <class F>
auto wrap(auto x, auto y, F f) {
  using T = decltype(x);
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(f(static_cast<Wrapping<T>>(x), static_cast<Wrapping<T>>(y)));
  } else {
    return f(x, y);
  }
}

constexpr auto add = [](auto x, auto y) { return wrap(x, y, [](auto a, auto b) { return a + b; }); };
constexpr auto subtract = [](auto x, auto y) { return wrap(x, y, [](auto a, auto b) { return a - b; }); };
constexpr auto multiply = [](auto x, auto y) { return wrap(x, y, [](auto a, auto b) { return a * b; }); };
constexpr auto divide = [](auto x, auto y) {
  if constexpr (std::is_integral_v<decltype(x)>) {
    return int_div(x, y);
  } else {
    return x / y;
  }
};
constexpr auto negate = [](auto x) {
  using T = decltype(x);
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(x));
  } else {
    return -x;
  }
};
constexpr auto absolute = [](auto x) {
  if constexpr (std::is_floating_point_v<decltype(x)>) {
    return std::fabs(x);
  } else if constexpr (std::is_unsigned_v<decltype(x)>) {
    return x;
  } else {
    return x < 0 ? negate(x) : x;
  }
};
constexpr auto sign = [](auto x) {
  using T = decltype(x);
  return x > 0 ? T(1) : x == 0 ? T(0) : x < 0 ? static_cast<T>(-1) : x;  // NaN stays
};

using SignedTypes = TypeList<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t>;

Status clip(const Clip&, const KernelArgs& args) {
  const auto has = [&](size_t i) { return i < args.inputs.size() && args.inputs[i].present(); };
  return visit_type(args.inputs[0].dtype, NumberTypes{}, [&]<class T>() {
    using C = Compute<T>;
    const bool has_low = has(1), has_high = has(2);
    const C low = has_low ? C(*read<T>(args.inputs[1])) : C(0), high = has_high ? C(*read<T>(args.inputs[2])) : C(0);
    map<T, T>(args, [=](C x) {
      const C raised = has_low ? larger(x, low) : x;
      return has_high ? smaller(raised, high) : raised;
    });
    return Status();
  });
}

constexpr auto prelu = [](auto x, auto slope) { return x < 0 ? multiply(x, slope) : x; };
using PReluTypes = TypeList<float, double, Half, BFloat16, int32_t, int64_t, uint32_t, uint64_t>;

}  // namespace

const KernelDef kAdd = kReferenceKernel<Add, run_binary<Add, NumberTypes, add>>;
const KernelDef kSub = kReferenceKernel<Sub, run_binary<Sub, NumberTypes, subtract>>;
const KernelDef kMul = kReferenceKernel<Mul, run_binary<Mul, NumberTypes, multiply>>;
const KernelDef kDiv = kReferenceKernel<Div, run_binary<Div, NumberTypes, divide>>;
const KernelDef kNeg = kReferenceKernel<Neg, run_unary<Neg, SignedTypes, negate>>;
const KernelDef kAbs = kReferenceKernel<Abs, run_unary<Abs, NumberTypes, absolute>>;
const KernelDef kSign = kReferenceKernel<Sign, run_unary<Sign, NumberTypes, sign>>;
const KernelDef kClip = kReferenceKernel<Clip, clip>;
const KernelDef kPRelu = kReferenceKernel<PRelu, run_binary<PRelu, PReluTypes, prelu>>;

}  // namespace hone::reference
