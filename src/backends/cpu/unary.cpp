// Functions of one float32 operand, element by element.
#include <cmath>

#include "backends/cpu/kernels.h"
#include "backends/cpu/problem.h"
#include "backends/cpu/vector_math.h"
#include "base/parallel.h"
#include "ops/activation.h"

namespace hone::cpu {

namespace {

// y[i] = f(x[i]) for n elements; a and b are the operator's parameters.
using UnaryLoop = void (*)(const float* x, float* y, int64_t n, float a, float b);

#define HONE_UNARY_LOOP(NAME, EXPRESSION)                                                                    \
  HONE_SIMD void NAME(const float* __restrict xs, float* __restrict ys, int64_t n, [[maybe_unused]] float a, \
                      [[maybe_unused]] float b) {                                                            \
    for (int64_t i = 0; i < n; ++i) {                                                                        \
      const float x = xs[i];                                                                                 \
      ys[i] = EXPRESSION;                                                                                    \
    }                                                                                                        \
  }

// NaN fails every comparison, and takes the side that passes it on.
HONE_INLINE float unit_clamp(float x) {
  x = x < 0 ? 0 : x;
  return x > 1 ? 1 : x;
}

HONE_INLINE float gelu_tanh(float x) {
  constexpr float kSqrt2OverPi = 0.797884561f;
  return x * 0.5f * (1.f + tanh_of(kSqrt2OverPi * (x + 0.044715f * x * x * x)));
}

HONE_UNARY_LOOP(relu_loop, x < 0 ? 0 : x)
HONE_UNARY_LOOP(leaky_relu_loop, x < 0 ? a * x : x)
HONE_UNARY_LOOP(sigmoid_loop, sigmoid_of(x))
HONE_UNARY_LOOP(silu_loop, x* sigmoid_of(x))
HONE_UNARY_LOOP(swish_loop, x* sigmoid_of(a* x))
HONE_UNARY_LOOP(hard_sigmoid_loop, unit_clamp(a* x + b))
HONE_UNARY_LOOP(hard_swish_loop, x* unit_clamp(x*(1.f / 6) + 0.5f))
HONE_UNARY_LOOP(tanh_loop, tanh_of(x))
HONE_UNARY_LOOP(exp_loop, exp_of(x))
HONE_UNARY_LOOP(erf_loop, erf_of(x))
HONE_UNARY_LOOP(gelu_tanh_loop, gelu_tanh(x))
HONE_UNARY_LOOP(sqrt_loop, std::sqrt(x))
HONE_UNARY_LOOP(neg_loop, -x)
HONE_UNARY_LOOP(abs_loop, abs_of(x))
HONE_UNARY_LOOP(reciprocal_loop, 1.f / x)

struct Unary {
  UnaryLoop loop = nullptr;  // null: not in this form
  float a = 0, b = 0;
};

template <UnaryLoop Loop>
Unary plain(const Op&) {
  return {.loop = Loop};
}
Unary leaky_relu(const Op& op) { return {.loop = leaky_relu_loop, .a = static_cast<const LeakyRelu&>(op).alpha}; }
Unary swish(const Op& op) { return {.loop = swish_loop, .a = static_cast<const Swish&>(op).alpha}; }
Unary hard_sigmoid(const Op& op) {
  const auto& sigmoid = static_cast<const HardSigmoid&>(op);
  return {.loop = hard_sigmoid_loop, .a = sigmoid.alpha, .b = sigmoid.beta};
}
// The exact form cancels where x is far below 0: it needs erfc.
Unary gelu(const Op& op) {
  const bool tanh = static_cast<const Gelu&>(op).approximate == GeluForm::kTanh;
  return {.loop = tanh ? gelu_tanh_loop : nullptr};
}

class UnaryKernel final : public Kernel {
 public:
  explicit UnaryKernel(const Unary& unary) : unary_(unary) {}
  Status run(const KernelArgs& args) const override {
    const float* const x = args.inputs[0].as<const float>();
    float* const y = args.outputs[0].as<float>();
    parallel_for(args.device->threads, args.outputs[0].count(), 16384, [&](int64_t begin, int64_t end) {
      unary_.loop(x + begin, y + begin, end - begin, unary_.a, unary_.b);
    });
    return {};
  }

 private:
  Unary unary_;
};

using ReadUnary = Unary (*)(const Op&);

template <ReadUnary Read>
Result<std::vector<Config>> unary_candidates(const Problem& problem, const DeviceInfo&) {
  HONE_TRY(expect_all(problem, DataType::kFloat32));
  if (Read(*problem.op).loop == nullptr) return unsupported("not in this form");
  return one_way();
}

template <ReadUnary Read>
Result<std::unique_ptr<Kernel>> create_unary(const Problem& problem, const Config&, std::span<const TensorView>) {
  return std::unique_ptr<Kernel>(std::make_unique<UnaryKernel>(Read(*problem.op)));
}

template <ReadUnary Read>
constexpr KernelDef unary_def(const char* name, const char* op) {
  return {.name = name,
          .op = op,
          .version = 1,
          .shapes = ShapeSupport::kAny,
          .candidates = unary_candidates<Read>,
          .create = create_unary<Read>};
}

}  // namespace

const KernelDef kRelu = unary_def<plain<relu_loop>>("cpu.relu", "Relu");
const KernelDef kLeakyRelu = unary_def<leaky_relu>("cpu.leaky_relu", "LeakyRelu");
const KernelDef kSigmoid = unary_def<plain<sigmoid_loop>>("cpu.sigmoid", "Sigmoid");
const KernelDef kSiLU = unary_def<plain<silu_loop>>("cpu.silu", "SiLU");
const KernelDef kSwish = unary_def<swish>("cpu.swish", "Swish");
const KernelDef kHardSigmoid = unary_def<hard_sigmoid>("cpu.hard_sigmoid", "HardSigmoid");
const KernelDef kHardSwish = unary_def<plain<hard_swish_loop>>("cpu.hard_swish", "HardSwish");
const KernelDef kTanh = unary_def<plain<tanh_loop>>("cpu.tanh", "Tanh");
const KernelDef kExp = unary_def<plain<exp_loop>>("cpu.exp", "Exp");
const KernelDef kErf = unary_def<plain<erf_loop>>("cpu.erf", "Erf");
const KernelDef kGelu = unary_def<gelu>("cpu.gelu", "Gelu");
const KernelDef kSqrt = unary_def<plain<sqrt_loop>>("cpu.sqrt", "Sqrt");
const KernelDef kNeg = unary_def<plain<neg_loop>>("cpu.neg", "Neg");
const KernelDef kAbs = unary_def<plain<abs_loop>>("cpu.abs", "Abs");
const KernelDef kReciprocal = unary_def<plain<reciprocal_loop>>("cpu.reciprocal", "Reciprocal");

}  // namespace hone::cpu
