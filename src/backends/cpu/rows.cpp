// Operators along the last axis of a float32 tensor: Softmax, LayerNormalization and ReduceMean. A row stays in cache
// between the passes over it.
#include <cmath>
#include <limits>

#include "backends/cpu/kernels.h"
#include "backends/cpu/problem.h"
#include "backends/cpu/vector_math.h"
#include "base/parallel.h"
#include "ops/normalize.h"
#include "ops/reduce.h"
#include "ops/softmax.h"

namespace hone::cpu {

namespace {

constexpr int64_t kGrain = 8192;  // elements worth a thread

// A row is read by 16 lanes, so that the compiler may keep sums and maxima in vectors.
constexpr int64_t kLanes = 16;

HONE_INLINE float largest_of(const float* x, int64_t n) {
  float lanes[kLanes];
  for (float& lane : lanes) lane = -std::numeric_limits<float>::infinity();
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) lanes[k] = x[i + k] > lanes[k] ? x[i + k] : lanes[k];
  }
  float largest = -std::numeric_limits<float>::infinity();
  for (const float lane : lanes) largest = lane > largest ? lane : largest;
  for (; i < n; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

template <class F>
HONE_INLINE float sum_of(const float* x, int64_t n, F f) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) lanes[k] += f(x[i + k]);
  }
  for (int64_t k = 0; i < n; ++i, ++k) lanes[k] += f(x[i]);
  // Pairwise, which keeps the error small.
  for (int64_t step = kLanes / 2; step > 0; step /= 2) {
    for (int64_t k = 0; k < step; ++k) lanes[k] += lanes[k + step];
  }
  return lanes[0];
}

// Exponentials of many short rows at once leave no ends of rows to be done one by one. A NaN in the row makes the sum
// NaN, and so the whole row; the largest element passes it over. Where everything is -inf, and where something is
// +inf, inf - inf says NaN as the definition does.
HONE_SIMD void softmax_rows(const float* __restrict x, float* __restrict y, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row) {
    const float largest = largest_of(x + row * n, n);
    for (int64_t i = row * n; i < (row + 1) * n; ++i) y[i] = x[i] - largest;
  }
  for (int64_t i = 0; i < rows * n; ++i) y[i] = exp_of(y[i]);
  for (int64_t row = 0; row < rows; ++row) {
    const float scale = 1.f / sum_of(y + row * n, n, [](float v) { return v; });
    for (int64_t i = row * n; i < (row + 1) * n; ++i) y[i] *= scale;
  }
}

HONE_SIMD void layer_norm_rows(const float* __restrict x, const float* __restrict scale, const float* __restrict bias,
                               float* __restrict y, int64_t rows, int64_t n, float epsilon) {
  const float inverse = 1.f / static_cast<float>(n);
  for (int64_t row = 0; row < rows; ++row, x += n, y += n) {
    const float mean = sum_of(x, n, [](float v) { return v; }) * inverse;
    const float variance = sum_of(x, n, [mean](float v) { return (v - mean) * (v - mean); }) * inverse;
    const float factor = 1.f / std::sqrt(variance + epsilon);
    if (bias == nullptr) {
      for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * factor * scale[i];
    } else {
      for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * factor * scale[i] + bias[i];
    }
  }
}

HONE_SIMD void mean_rows(const float* __restrict x, float* __restrict y, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row) {
    y[row] = sum_of(x + row * n, n, [](float v) { return v; }) / static_cast<float>(n);
  }
}

// Calls f(first row, number of rows) on all threads.
template <class F>
void for_each_rows(const KernelArgs& args, int64_t rows, int64_t n, F&& f) {
  parallel_for(args.device->threads, rows, kGrain / std::max<int64_t>(n, 1) + 1,
               [&](int64_t begin, int64_t end) { f(begin, end - begin); });
}

class SoftmaxKernel final : public Kernel {
 public:
  Status run(const KernelArgs& args) const override {
    const TensorView& x = args.inputs[0];
    if (x.count() == 0) return {};
    const int64_t n = x.dims.back();
    const int64_t at_once = 2048 / n + 1;
    for_each_rows(args, x.count() / n, n, [&](int64_t first, int64_t rows) {
      for (int64_t row = first; row < first + rows; row += at_once) {
        softmax_rows(x.as<const float>() + row * n, args.outputs[0].as<float>() + row * n,
                     std::min(at_once, first + rows - row), n);
      }
    });
    return {};
  }
};

class LayerNormKernel final : public Kernel {
 public:
  explicit LayerNormKernel(const LayerNormalization& op) : axis_(op.axis), epsilon_(op.epsilon) {}
  Status run(const KernelArgs& args) const override {
    const TensorView& x = args.inputs[0];
    HONE_ASSIGN(const int64_t axis, InferContext::normalize_axis(axis_, x.rank()));
    const int64_t n = count_of(std::span<const int64_t>(x.dims).subspan(static_cast<size_t>(axis)));
    if (x.count() == 0) return {};
    const float* const bias = has_input(args, 2) ? args.inputs[2].as<const float>() : nullptr;
    if (args.inputs[1].count() != n || (bias != nullptr && args.inputs[2].count() != n)) {
      return invalid_model("scale and bias don't have as many elements as the normalized axes");
    }
    for_each_rows(args, x.count() / n, n, [&](int64_t row, int64_t rows) {
      layer_norm_rows(x.as<const float>() + row * n, args.inputs[1].as<const float>(), bias,
                      args.outputs[0].as<float>() + row * n, rows, n, epsilon_);
    });
    return {};
  }

 private:
  int64_t axis_;
  float epsilon_;
};

class MeanKernel final : public Kernel {
 public:
  Status run(const KernelArgs& args) const override {
    const TensorView &x = args.inputs[0], &y = args.outputs[0];
    if (y.count() == 0) return {};
    const int64_t n = x.dims.back(), rows = y.count();
    if (rows * n != x.count()) return invalid_model("the reduced axes aren't the last one");
    for_each_rows(args, rows, n, [&](int64_t row, int64_t count) {
      mean_rows(x.as<const float>() + row * n, y.as<float>() + row, count, n);
    });
    return {};
  }
};

bool is_last_axis(int64_t axis, const Problem& problem) {
  const Result<int64_t> normal = InferContext::normalize_axis(axis, problem.inputs[0].type.shape.size());
  return normal.ok() && *normal + 1 == static_cast<int64_t>(problem.inputs[0].type.shape.size());
}

Result<std::vector<Config>> softmax_candidates(const Problem& problem, const DeviceInfo&) {
  HONE_TRY(expect_all(problem, DataType::kFloat32));
  if (!is_last_axis(static_cast<const Softmax&>(*problem.op).axis, problem)) {
    return unsupported("takes the last axis only");
  }
  return one_way();
}

Result<std::vector<Config>> layer_norm_candidates(const Problem& problem, const DeviceInfo&) {
  HONE_TRY(expect_all(problem, DataType::kFloat32));
  if (problem.outputs.size() > 1) return unsupported("gives no mean and deviation");
  const Shape& x = problem.inputs[0].type.shape;
  HONE_ASSIGN(const int64_t axis,
              InferContext::normalize_axis(static_cast<const LayerNormalization&>(*problem.op).axis, x.size()));
  const Dim normalized = element_count(std::span(x).subspan(static_cast<size_t>(axis)));
  for (size_t i = 1; i < problem.inputs.size(); ++i) {
    if (has_input(problem, i) && !(element_count(problem.inputs[i].type.shape) == normalized)) {
      return unsupported("takes scale and bias of the normalized axes' size only");
    }
  }
  return one_way();
}

// Whether the output says that just the last axis is reduced, however the axes are given.
bool reduces_last_axis(const Problem& problem) {
  const Shape &x = problem.inputs[0].type.shape, &y = problem.outputs[0].type.shape;
  if (x.empty() || x.back() == Dim(1)) return false;
  const bool kept = y.size() == x.size() && y.back() == Dim(1);
  if (!kept && y.size() + 1 != x.size()) return false;
  for (size_t i = 0; i + 1 < x.size(); ++i) {
    if (!(x[i] == y[i])) return false;
  }
  return true;
}

Result<std::vector<Config>> mean_candidates(const Problem& problem, const DeviceInfo&) {
  const bool is_float = problem.inputs[0].type.dtype == DataType::kFloat32;
  if (!is_float) return unsupported("takes float32 only");
  const auto& op = static_cast<const ReduceMean&>(*problem.op);
  // Without keepdims equal dimensions leave open which axis went.
  if (!op.keepdims || !reduces_last_axis(problem)) return unsupported("takes the last axis with keepdims only");
  return one_way();
}

template <class KernelT>
Result<std::unique_ptr<Kernel>> create(const Problem& problem, const Config&, std::span<const TensorView>) {
  if constexpr (std::is_default_constructible_v<KernelT>) {
    return std::unique_ptr<Kernel>(std::make_unique<KernelT>());
  } else {
    return std::unique_ptr<Kernel>(std::make_unique<KernelT>(static_cast<const LayerNormalization&>(*problem.op)));
  }
}

}  // namespace

const KernelDef kSoftmax = {.name = "cpu.softmax",
                            .op = "Softmax",
                            .version = 1,
                            .shapes = ShapeSupport::kAny,
                            .candidates = softmax_candidates,
                            .create = create<SoftmaxKernel>};
const KernelDef kLayerNormalization = {.name = "cpu.layer_normalization",
                                       .op = "LayerNormalization",
                                       .version = 1,
                                       .shapes = ShapeSupport::kAny,
                                       .candidates = layer_norm_candidates,
                                       .create = create<LayerNormKernel>};
const KernelDef kReduceMean = {.name = "cpu.reduce_mean",
                               .op = "ReduceMean",
                               .version = 1,
                               .shapes = ShapeSupport::kAny,
                               .candidates = mean_candidates,
                               .create = create<MeanKernel>};

}  // namespace hone::cpu
