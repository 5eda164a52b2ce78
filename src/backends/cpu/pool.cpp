// MaxPool, AveragePool and GlobalAveragePool of float32. A window is a product of stretches along the axes, so the
// axes are pooled one after another, the last first; what is in between lies in the workspace. Any shapes, no
// allocation.
#include "ops/pool.h"

#include <algorithm>
#include <limits>

#include "backends/cpu/kernels.h"
#include "backends/cpu/planes.h"
#include "backends/cpu/problem.h"
#include "backends/cpu/simd.h"
#include "base/parallel.h"

namespace hone::cpu {

namespace {

// One axis of the window: output o takes inputs o * stride - pad + i * dilation, i < kernel, that lie in [0, in).
struct Axis {
  int64_t in, out, kernel, stride, dilation, pad;

  // The outputs [first, last) whose tap i lies inside.
  int64_t first(int64_t i) const { return at_least(pad - i * dilation); }
  int64_t last(int64_t i) const { return std::max(first(i), at_least(in + pad - i * dilation)); }

 private:
  int64_t at_least(int64_t position) const {
    return std::clamp<int64_t>(position > 0 ? (position + stride - 1) / stride : 0, 0, out);
  }
};

Axis axis_of(const WindowGeometry& g, size_t i) {
  return {g.input[i], g.output[i], g.kernel[i], g.strides[i], g.dilations[i], g.pads_begin[i]};
}

// NaN wins.
HONE_INLINE float larger(float a, float b) { return a > b || a != a ? a : b; }

HONE_SIMD void max_into(float* __restrict y, const float* __restrict x, int64_t step, int64_t n) {
  if (step == 1) {
    for (int64_t i = 0; i < n; ++i) y[i] = larger(x[i], y[i]);
  } else if (step == 2) {
    for (int64_t i = 0; i < n; ++i) y[i] = larger(x[2 * i], y[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = larger(x[step * i], y[i]);
  }
}

HONE_SIMD void add_into(float* __restrict y, const float* __restrict x, int64_t step, int64_t n) {
  if (step == 1) {
    for (int64_t i = 0; i < n; ++i) y[i] += x[i];
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] += x[step * i];
  }
}

struct MaxOf {
  static constexpr float kStart = -std::numeric_limits<float>::infinity();
  static void into(float* y, const float* x, int64_t step, int64_t n) { max_into(y, x, step, n); }
};
struct SumOf {
  static constexpr float kStart = 0;
  static void into(float* y, const float* x, int64_t step, int64_t n) { add_into(y, x, step, n); }
};

// Pools the middle axis of x [in, inner] into y [out, inner].
template <class Reducer>
void pool_axis(const Axis& axis, int64_t inner, const float* x, float* y) {
  std::fill_n(y, axis.out * inner, Reducer::kStart);
  for (int64_t i = 0; i < axis.kernel; ++i) {
    const int64_t first = axis.first(i), last = axis.last(i);
    const int64_t from = first * axis.stride - axis.pad + i * axis.dilation;
    if (inner == 1) {
      if (last > first) Reducer::into(y + first, x + from, axis.stride, last - first);
      continue;
    }
    for (int64_t o = first; o < last; ++o) {
      Reducer::into(y + o * inner, x + (from + (o - first) * axis.stride) * inner, 1, inner);
    }
  }
}

// Pools one plane through its axes; `scratch` holds two intermediates.
template <class Reducer>
void pool_plane(const WindowGeometry& g, const float* x, float* y, float* scratch, int64_t scratch_floats) {
  int64_t inner = 1;
  for (size_t i = g.rank(); i-- > 0;) {
    const Axis axis = axis_of(g, i);
    const int64_t outer = count_of(std::span<const int64_t>(g.input).first(i));
    float* const to = i == 0 ? y : scratch + (i % 2) * scratch_floats;
    for (int64_t o = 0; o < outer; ++o) {
      pool_axis<Reducer>(axis, inner, x + o * axis.in * inner, to + o * axis.out * inner);
    }
    x = to;
    inner *= axis.out;
  }
}

// The most that lies between two axes.
int64_t between_floats(const WindowGeometry& g) {
  int64_t most = 0, inner = 1;
  for (size_t i = g.rank(); i-- > 1;) {
    inner *= g.output[i];
    most = std::max(most, inner * count_of(std::span<const int64_t>(g.input).first(i)));
  }
  return most;
}

// Divides sums by the number of elements that made them, or with the pads by those of the window inside input and
// pads.
void divide(const WindowGeometry& g, bool with_pads, float* y) {
  Extents at = Extents::filled(g.rank(), 0);
  const int64_t count = count_of(g.output);
  for (int64_t flat = 0; flat < count; ++flat) {
    int64_t taps = 1;
    for (size_t i = 0; i < g.rank(); ++i) {
      const int64_t low = with_pads ? -g.pads_begin[i] : 0, high = g.input[i] + (with_pads ? g.pads_end[i] : 0);
      const int64_t origin = at[i] * g.strides[i] - g.pads_begin[i];
      int64_t seen = 0;
      for (int64_t k = 0; k < g.kernel[i]; ++k) {
        const int64_t position = origin + k * g.dilations[i];
        seen += position >= low && position < high ? 1 : 0;
      }
      taps *= seen;
    }
    y[flat] = taps == 0 ? 0 : y[flat] / static_cast<float>(taps);
    for (size_t i = g.rank(); i-- > 0 && ++at[i] == g.output[i];) at[i] = 0;
  }
}

template <class OpT>
class PoolKernel final : public Kernel {
 public:
  explicit PoolKernel(const Problem& problem) : op_(problem.op), threads_(problem.threads) {}

  size_t workspace_bytes(const KernelArgs& args) const override {
    const Result<WindowGeometry> geometry = pool_geometry(op(), args.inputs[0].dims);
    if (!geometry.ok()) return 0;  // run() will say so
    return static_cast<size_t>(2 * between_floats(*geometry) * threads_) * sizeof(float);
  }

  Status run(const KernelArgs& args) const override {
    const TensorView &x = args.inputs[0], &y = args.outputs[0];
    HONE_ASSIGN(const WindowGeometry geometry, pool_geometry(op(), x.dims));
    if (y.count() == 0) return {};
    const int64_t in_plane = count_of(geometry.input), out_plane = count_of(geometry.output);
    const int64_t between = between_floats(geometry), planes = x.dims[0] * x.dims[1];
    parallel_for(threads_, std::min<int64_t>(threads_, planes), 1, [&](int64_t begin, int64_t end) {
      const int64_t workers = std::min<int64_t>(threads_, planes);
      float* const scratch = reinterpret_cast<float*>(args.workspace) + 2 * between * begin;
      for (int64_t i = begin * planes / workers; i < end * planes / workers; ++i) {
        pool(geometry, x.as<const float>() + i * in_plane, y.as<float>() + i * out_plane, scratch, between);
      }
    });
    return {};
  }

 private:
  const OpT& op() const { return static_cast<const OpT&>(*op_); }

  void pool(const WindowGeometry& geometry, const float* x, float* y, float* scratch, int64_t between) const {
    if constexpr (std::is_same_v<OpT, MaxPool>) {
      pool_plane<MaxOf>(geometry, x, y, scratch, between);
    } else {
      pool_plane<SumOf>(geometry, x, y, scratch, between);
      divide(geometry, op().count_include_pad, y);
    }
  }

  OpPtr op_;
  int threads_;
};

// A mean over everything but the first two axes.
class GlobalAverageKernel final : public Kernel {
 public:
  Status run(const KernelArgs& args) const override {
    const TensorView &x = args.inputs[0], &y = args.outputs[0];
    const int64_t planes = y.count(), plane = planes == 0 ? 0 : x.count() / planes;
    parallel_for(args.device->threads, planes, 8192 / (plane + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y.as<float>()[i] = mean(x.as<const float>() + i * plane, plane);
    });
    return {};
  }

 private:
  static float mean(const float* x, int64_t n) {
    constexpr int64_t kLanes = 16;
    float lanes[kLanes] = {};
    add_lanes(x, n / kLanes, lanes);
    for (int64_t i = n / kLanes * kLanes; i < n; ++i) lanes[i % kLanes] += x[i];
    double sum = 0;
    for (const float lane : lanes) sum += static_cast<double>(lane);
    return static_cast<float>(sum / static_cast<double>(n));
  }
  static void add_lanes(const float* x, int64_t rows, float* lanes) {
    for (int64_t row = 0; row < rows; ++row) add_into(lanes, x + row * 16, 1, 16);
  }
};

template <class OpT>
Result<std::vector<Config>> pool_candidates(const Problem& problem, const DeviceInfo&) {
  HONE_TRY(check_reasonable(static_cast<const OpT&>(*problem.op)));
  if (problem.outputs.size() > 1) return unsupported("gives no indices");
  HONE_TRY(expect_all(problem, DataType::kFloat32));
  return one_way();
}

Result<std::vector<Config>> float_candidates(const Problem& problem, const DeviceInfo&) {
  HONE_TRY(expect_all(problem, DataType::kFloat32));
  return one_way();
}

template <class OpT>
Result<std::unique_ptr<Kernel>> create_pool(const Problem& problem, const Config&, std::span<const TensorView>) {
  return std::unique_ptr<Kernel>(std::make_unique<PoolKernel<OpT>>(problem));
}

Result<std::unique_ptr<Kernel>> create_global(const Problem&, const Config&, std::span<const TensorView>) {
  return std::unique_ptr<Kernel>(std::make_unique<GlobalAverageKernel>());
}

}  // namespace

const KernelDef kMaxPool = {.name = "cpu.max_pool",
                            .op = "MaxPool",
                            .version = 1,
                            .shapes = ShapeSupport::kAny,
                            .candidates = pool_candidates<MaxPool>,
                            .create = create_pool<MaxPool>};
const KernelDef kAveragePool = {.name = "cpu.average_pool",
                                .op = "AveragePool",
                                .version = 1,
                                .shapes = ShapeSupport::kAny,
                                .candidates = pool_candidates<AveragePool>,
                                .create = create_pool<AveragePool>};
const KernelDef kGlobalAveragePool = {.name = "cpu.global_average_pool",
                                      .op = "GlobalAveragePool",
                                      .version = 1,
                                      .shapes = ShapeSupport::kAny,
                                      .candidates = float_candidates,
                                      .create = create_global};

}  // namespace hone::cpu
