// Activations, written so that large arguments neither overflow nor cancel. NaN passes through all of them.
#include "ops/activation.h"

#include "backends/reference/elementwise.h"

namespace hone::reference {

namespace {

template <class OpT, auto F>
constexpr KernelDef kActivation = kReferenceKernel<OpT, run_unary<OpT, FloatTypes, F>>;

template <class T>
T sigmoid_of(T x) {
  const T e = std::exp(-std::fabs(x));
  return (x < 0 ? e : T(1)) / (1 + e);
}

template <class T>
T softplus_of(T x) {
  return (x > 0 ? x : x != x ? x : T(0)) + std::log1p(std::exp(-std::fabs(x)));
}

template <class T>
T unit_clamp(T x) {
  return x < 0 ? T(0) : x > 1 ? T(1) : x;
}

template <class T>
T gelu_tanh(T x) {
  constexpr T kSqrt2OverPi = T(0.79788456080286535588);
  return x / 2 * (1 + std::tanh(kSqrt2OverPi * (x + T(0.044715) * x * x * x)));
}

template <class T>
T gelu_exact(T x) {
  constexpr T kSqrtHalf = T(0.70710678118654752440);
  return x / 2 * std::erfc(-x * kSqrtHalf);
}

constexpr auto relu = [](auto x) { return x < 0 ? decltype(x)(0) : x; };
constexpr auto leaky_relu = [](const LeakyRelu& op, auto x) {
  return x < 0 ? static_cast<decltype(x)>(op.alpha) * x : x;
};
constexpr auto thresholded_relu = [](const ThresholdedRelu& op, auto x) {
  return x <= static_cast<decltype(x)>(op.alpha) ? decltype(x)(0) : x;
};
constexpr auto elu = [](const Elu& op, auto x) {
  return x < 0 ? static_cast<decltype(x)>(op.alpha) * std::expm1(x) : x;
};
constexpr auto selu = [](const Selu& op, auto x) {
  using T = decltype(x);
  return T(op.gamma) * (x < 0 ? T(op.alpha) * std::expm1(x) : x);
};
constexpr auto celu = [](const Celu& op, auto x) {
  using T = decltype(x);
  return larger(x, T(0)) + smaller(T(0), T(op.alpha) * std::expm1(x / T(op.alpha)));
};
constexpr auto sigmoid = [](auto x) { return sigmoid_of(x); };
constexpr auto hard_sigmoid = [](const HardSigmoid& op, auto x) {
  using T = decltype(x);
  return unit_clamp(T(op.alpha) * x + T(op.beta));
};
constexpr auto hard_swish = [](auto x) { return x * unit_clamp(x / 6 + decltype(x)(0.5)); };
constexpr auto silu = [](auto x) { return x * sigmoid_of(x); };
constexpr auto swish = [](const Swish& op, auto x) { return x * sigmoid_of(static_cast<decltype(x)>(op.alpha) * x); };
constexpr auto softplus = [](auto x) { return softplus_of(x); };
constexpr auto softsign = [](auto x) { return x / (1 + std::fabs(x)); };
constexpr auto mish = [](auto x) { return x * std::tanh(softplus_of(x)); };
constexpr auto gelu = [](const Gelu& op, auto x) {
  return op.approximate == GeluForm::kTanh ? gelu_tanh(x) : gelu_exact(x);
};

using SignedTypes = TypeList<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t>;

}  // namespace

const KernelDef kRelu = kReferenceKernel<Relu, run_unary<Relu, SignedTypes, relu>>;
const KernelDef kLeakyRelu = kActivation<LeakyRelu, leaky_relu>;
const KernelDef kThresholdedRelu = kActivation<ThresholdedRelu, thresholded_relu>;
const KernelDef kElu = kActivation<Elu, elu>;
const KernelDef kSelu = kActivation<Selu, selu>;
const KernelDef kCelu = kReferenceKernel<Celu, run_unary<Celu, TypeList<float>, celu>>;
const KernelDef kSigmoid = kActivation<Sigmoid, sigmoid>;
const KernelDef kHardSigmoid = kActivation<HardSigmoid, hard_sigmoid>;
const KernelDef kHardSwish = kActivation<HardSwish, hard_swish>;
const KernelDef kSiLU = kActivation<SiLU, silu>;
const KernelDef kSwish = kActivation<Swish, swish>;
const KernelDef kSoftplus = kActivation<Softplus, softplus>;
const KernelDef kSoftsign = kActivation<Softsign, softsign>;
const KernelDef kMish = kActivation<Mish, mish>;
const KernelDef kGelu = kActivation<Gelu, gelu>;

}  // namespace hone::reference
