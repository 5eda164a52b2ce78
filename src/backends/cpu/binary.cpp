// Arithmetic on two float32 operands with broadcasting, and powers by a scalar.
#include <cmath>

#include "backends/cpu/broadcast.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/problem.h"
#include "backends/cpu/simd.h"
#include "base/parallel.h"

namespace hone::cpu {

namespace {

// y[i] = a[i * a_step] op b[i * b_step] for n elements, steps 0 or 1.
using BinaryLoop = void (*)(const float* a, const float* b, float* y, int64_t n, int64_t a_step, int64_t b_step);

#define HONE_BINARY_LOOP(NAME, EXPRESSION)                                                                     \
  HONE_SIMD void NAME(const float* __restrict as, const float* __restrict bs, float* __restrict ys, int64_t n, \
                      int64_t a_step, int64_t b_step) {                                                        \
    if (b_step == 0) {                                                                                         \
      const float b = *bs;                                                                                     \
      for (int64_t i = 0; i < n; ++i) {                                                                        \
        const float a = as[i * a_step];                                                                        \
        ys[i] = EXPRESSION;                                                                                    \
      }                                                                                                        \
    } else if (a_step == 0) {                                                                                  \
      const float a = *as;                                                                                     \
      for (int64_t i = 0; i < n; ++i) {                                                                        \
        const float b = bs[i];                                                                                 \
        ys[i] = EXPRESSION;                                                                                    \
      }                                                                                                        \
    } else {                                                                                                   \
      for (int64_t i = 0; i < n; ++i) {                                                                        \
        const float a = as[i], b = bs[i];                                                                      \
        ys[i] = EXPRESSION;                                                                                    \
      }                                                                                                        \
    }                                                                                                          \
  }

HONE_BINARY_LOOP(add_loop, a + b)
HONE_BINARY_LOOP(sub_loop, a - b)
HONE_BINARY_LOOP(mul_loop, a* b)
HONE_BINARY_LOOP(div_loop, a / b)

// Powers by one exponent. 2 and 1/2 are what models have: squares and roots of means of squares.
HONE_SIMD void square_loop(const float* __restrict x, float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * x[i];
}

void power_loop(const float* x, float* y, int64_t n, float exponent) {
  if (exponent == 2) return square_loop(x, y, n);
  for (int64_t i = 0; i < n; ++i) y[i] = std::pow(x[i], exponent);
}

void run_rows(BinaryLoop loop, const KernelArgs& args) {
  const BroadcastRows rows(args.outputs[0].dims, args.inputs[0].dims, args.inputs[1].dims);
  const float *const a = args.inputs[0].as<const float>(), *const b = args.inputs[1].as<const float>();
  float* const y = args.outputs[0].as<float>();
  constexpr int64_t kGrain = 16384;
  if (rows.rows == 1) {
    parallel_for(args.device->threads, rows.row, kGrain, [&](int64_t begin, int64_t end) {
      loop(a + begin * rows.a_step, b + begin * rows.b_step, y + begin, end - begin, rows.a_step, rows.b_step);
    });
    return;
  }
  parallel_for(args.device->threads, rows.rows, kGrain / rows.row + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const BroadcastRows::Start at = rows.start(i);
      loop(a + at.a, b + at.b, y + i * rows.row, rows.row, rows.a_step, rows.b_step);
    }
  });
}

template <BinaryLoop Loop>
class BinaryKernel final : public Kernel {
 public:
  Status run(const KernelArgs& args) const override {
    if (args.outputs[0].count() > 0) run_rows(Loop, args);
    return {};
  }
};

class PowerKernel final : public Kernel {
 public:
  Status run(const KernelArgs& args) const override {
    if (args.outputs[0].count() == 0) return {};
    const float* const x = args.inputs[0].as<const float>();
    const float exponent = *args.inputs[1].as<const float>();
    float* const y = args.outputs[0].as<float>();
    parallel_for(args.device->threads, args.outputs[0].count(), 4096,
                 [&](int64_t begin, int64_t end) { power_loop(x + begin, y + begin, end - begin, exponent); });
    return {};
  }
};

Result<std::vector<Config>> float_candidates(const Problem& problem, const DeviceInfo&) {
  HONE_TRY(expect_all(problem, DataType::kFloat32));
  return one_way();
}

Result<std::vector<Config>> power_candidates(const Problem& problem, const DeviceInfo&) {
  HONE_TRY(expect_all(problem, DataType::kFloat32));
  const Shape &exponent = problem.inputs[1].type.shape, &base = problem.inputs[0].type.shape;
  if (!(element_count(exponent) == Dim(1)) || exponent.size() > base.size()) {
    return unsupported("takes a scalar exponent only");
  }
  return one_way();
}

template <class KernelT>
Result<std::unique_ptr<Kernel>> create(const Problem&, const Config&, std::span<const TensorView>) {
  return std::unique_ptr<Kernel>(std::make_unique<KernelT>());
}

template <BinaryLoop Loop>
constexpr KernelDef binary_def(const char* name, const char* op) {
  return {.name = name,
          .op = op,
          .version = 1,
          .shapes = ShapeSupport::kAny,
          .candidates = float_candidates,
          .create = create<BinaryKernel<Loop>>};
}

}  // namespace

const KernelDef kAdd = binary_def<add_loop>("cpu.add", "Add");
const KernelDef kSub = binary_def<sub_loop>("cpu.sub", "Sub");
const KernelDef kMul = binary_def<mul_loop>("cpu.mul", "Mul");
const KernelDef kDiv = binary_def<div_loop>("cpu.div", "Div");
const KernelDef kPow = {.name = "cpu.pow",
                        .op = "Pow",
                        .version = 1,
                        .shapes = ShapeSupport::kAny,
                        .candidates = power_candidates,
                        .create = create<PowerKernel>};

}  // namespace hone::cpu
