// Pools: each output looks at the taps of its window that lie inside the input.
#include "ops/pool.h"

#include <cmath>

#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"
#include "base/dispatch.h"
#include "base/parallel.h"

namespace hone::reference {

namespace {

using MaxPoolTypes = TypeList<float, double, Half, BFloat16, int8_t, uint8_t>;

// The taps [first, first + count) of a window along each axis, and the input position of the first.
struct Taps {
  Extents start, count, steps;

  // Those of output position `out` that lie in [-before, input + after) of each axis.
  static Taps inside(const WindowGeometry& g, const Extents& out, bool with_pads) {
    Taps taps;
    for (size_t i = 0; i < g.rank(); ++i) {
      const int64_t origin = out[i] * g.strides[i] - g.pads_begin[i], step = g.dilations[i];
      const int64_t low = with_pads ? -g.pads_begin[i] : 0, high = g.input[i] + (with_pads ? g.pads_end[i] : 0);
      const int64_t first = std::max<int64_t>(0, divide_up(low - origin, step));
      const int64_t last = std::min(g.kernel[i], divide_up(high - origin, step));
      taps.start.push_back(origin + first * step);
      taps.count.push_back(std::max<int64_t>(0, last - first));
      taps.steps.push_back(step);
    }
    return taps;
  }
  // As float64: pads may make it larger than 64 bits hold.
  double size() const {
    double product = 1;
    for (const int64_t n : count) product *= static_cast<double>(n);
    return product;
  }
};

// Calls visit(flat input position) for each tap, in row-major order.
template <class F>
void for_each_tap(const WindowGeometry& g, const Taps& taps, F&& visit) {
  if (taps.size() == 0) return;
  const size_t inner = g.rank() - 1;
  const std::span<const int64_t> outer(taps.count.data(), inner);
  Extents tap = Extents::filled(inner, 0);
  do {
    int64_t row = 0;
    for (size_t i = 0; i < inner; ++i) row = row * g.input[i] + taps.start[i] + tap[i] * taps.steps[i];
    int64_t at = row * g.input[inner] + taps.start[inner];
    for (int64_t k = 0; k < taps.count[inner]; ++k, at += taps.steps[inner]) visit(at);
  } while (next_position(tap, outer));
}

// A NaN is larger than everything, and the first of equals wins.
template <class T>
bool takes_over(T candidate, T best) {
  if constexpr (std::is_integral_v<T>) {
    return candidate > best;
  } else {
    const double a = to_double(candidate), b = to_double(best);
    return a > b || (a != a && b == b);
  }
}

template <class T>
T lowest() {
  if constexpr (std::is_integral_v<T>) {
    return std::numeric_limits<T>::lowest();
  } else {
    return T(-std::numeric_limits<float>::infinity());
  }
}

// The reducers: value(x, geometry, output position) of one plane `x`.
template <class T>
struct Largest {
  T value;
  int64_t position;  // in the plane; -1: the window sees nothing
};

template <class T>
Largest<T> largest(const T* x, const WindowGeometry& g, const Extents& out) {
  Largest<T> best{lowest<T>(), -1};
  for_each_tap(g, Taps::inside(g, out, /*with_pads=*/false), [&](int64_t at) {
    if (best.position < 0 || takes_over(x[at], best.value)) best = {x[at], at};
  });
  return best;
}

struct MaxOf {
  template <class T>
  T value(const T* x, const WindowGeometry& g, const Extents& out) const {
    return largest(x, g, out).value;
  }
};

struct AverageOf {
  bool count_pads = false;
  template <class T>
  T value(const T* x, const WindowGeometry& g, const Extents& out) const {
    const Taps taps = Taps::inside(g, out, /*with_pads=*/false);
    double sum = 0;
    for_each_tap(g, taps, [&](int64_t at) { sum += to_double(x[at]); });
    const double count = count_pads ? Taps::inside(g, out, /*with_pads=*/true).size() : taps.size();
    return saturate<T>(count == 0 ? 0 : sum / count);
  }
};

struct NormOf {
  int64_t p = 2;
  template <class T>
  T value(const T* x, const WindowGeometry& g, const Extents& out) const {
    const double power = static_cast<double>(p);
    double sum = 0;
    for_each_tap(g, Taps::inside(g, out, /*with_pads=*/false), [&](int64_t at) {
      const double magnitude = std::fabs(to_double(x[at]));
      sum += p == 1 ? magnitude : p == 2 ? magnitude * magnitude : std::pow(magnitude, power);
    });
    return saturate<T>(p == 1 ? sum : p == 2 ? std::sqrt(sum) : std::pow(sum, 1 / power));
  }
};

// The geometry, checked against the output that the caller gave.
Result<WindowGeometry> checked_geometry(Result<WindowGeometry> geometry, const KernelArgs& args) {
  if (!geometry.ok()) return geometry;
  const Extents& x = args.inputs[0].dims;
  Extents y = {x[0], x[1]};
  for (const int64_t size : geometry->output) y.push_back(size);
  for (size_t i = 0; i < args.outputs.size(); ++i) HONE_TRY(expect_output(args, i, y));
  return geometry;
}

// One window over everything.
Result<WindowGeometry> global_geometry(std::span<const int64_t> x) {
  if (x.size() < 3) return invalid_model("a pool needs batch, channels and at least one spatial axis");
  WindowGeometry g;
  const Extents ones = Extents::filled(x.size() - 2, 1), zeros = Extents::filled(x.size() - 2, 0);
  g.input = g.kernel = Extents(x.subspan(2));
  g.output = g.strides = g.dilations = ones;
  g.pads_begin = g.pads_end = zeros;
  return g;
}

// Calls visit(plane, output position, flat output index) for every output, in parallel over planes.
template <class F>
void for_each_output(const KernelArgs& args, const WindowGeometry& g, F&& visit) {
  const Extents& y = args.outputs[0].dims;
  if (count_of(y) == 0) return;
  const int64_t plane_size = count_of(g.output);
  parallel_for(args.device->threads, y[0] * y[1], 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      Extents out = Extents::filled(g.rank(), 0);
      int64_t index = plane * plane_size;
      do {
        visit(plane, out, index++);
      } while (next_position(out, g.output));
    }
  });
}

template <class Types, class Reducer>
Status run_pool(const KernelArgs& args, const Result<WindowGeometry>& geometry, const Reducer& reducer) {
  HONE_TRY(geometry.ok() ? Status() : geometry.status());
  const WindowGeometry& g = *geometry;
  return visit_type(args.inputs[0].dtype, Types{}, [&]<class T>() {
    const T* x = args.inputs[0].as<const T>();
    T* y = args.outputs[0].as<T>();
    const int64_t input_plane = count_of(g.input);
    for_each_output(args, g, [&](int64_t plane, const Extents& out, int64_t index) {
      y[index] = reducer.value(x + plane * input_plane, g, out);
    });
    return Status();
  });
}

template <class Types, class Reducer>
Status sample_pool(const KernelArgs& args, const Result<WindowGeometry>& geometry, const Reducer& reducer,
                   std::span<const int64_t> positions, std::span<double> out) {
  HONE_TRY(geometry.ok() ? Status() : geometry.status());
  const WindowGeometry& g = *geometry;
  return visit_type(args.inputs[0].dtype, Types{}, [&]<class T>() {
    const T* x = args.inputs[0].as<const T>();
    const int64_t input_plane = count_of(g.input), output_plane = count_of(g.output);
    for (size_t i = 0; i < positions.size(); ++i) {
      const Extents at = position_of(positions[i] % output_plane, g.output);
      out[i] = to_double(reducer.value(x + positions[i] / output_plane * input_plane, g, at));
    }
    return Status();
  });
}

// What each operator is made of: its geometry, reducer and element types.
template <class OpT>
struct PoolTraits;

template <class OpT>
struct SlidingGeometry {
  static Result<WindowGeometry> geometry(const OpT& op, const KernelArgs& args) {
    return checked_geometry(pool_geometry(op, args.inputs[0].dims), args);
  }
};
template <class OpT>
struct GlobalGeometry {
  static Result<WindowGeometry> geometry(const OpT&, const KernelArgs& args) {
    return checked_geometry(global_geometry(args.inputs[0].dims), args);
  }
};

template <>
struct PoolTraits<MaxPool> : SlidingGeometry<MaxPool> {
  using Types = MaxPoolTypes;
  static MaxOf reducer(const MaxPool&) { return {}; }
};
template <>
struct PoolTraits<AveragePool> : SlidingGeometry<AveragePool> {
  using Types = FloatTypes;
  static AverageOf reducer(const AveragePool& op) { return {op.count_include_pad}; }
};
template <>
struct PoolTraits<LpPool> : SlidingGeometry<LpPool> {
  using Types = FloatTypes;
  static NormOf reducer(const LpPool& op) { return {op.p}; }
};
template <>
struct PoolTraits<GlobalMaxPool> : GlobalGeometry<GlobalMaxPool> {
  using Types = FloatTypes;
  static MaxOf reducer(const GlobalMaxPool&) { return {}; }
};
template <>
struct PoolTraits<GlobalAveragePool> : GlobalGeometry<GlobalAveragePool> {
  using Types = FloatTypes;
  static AverageOf reducer(const GlobalAveragePool&) { return {}; }
};
template <>
struct PoolTraits<GlobalLpPool> : GlobalGeometry<GlobalLpPool> {
  using Types = FloatTypes;
  static NormOf reducer(const GlobalLpPool& op) { return {op.p}; }
};

template <class OpT>
Status pool(const OpT& op, const KernelArgs& args) {
  using Traits = PoolTraits<OpT>;
  return run_pool<typename Traits::Types>(args, Traits::geometry(op, args), Traits::reducer(op));
}

template <class OpT>
Status pool_sample(const OpT& op, const KernelArgs& args, std::span<const int64_t> positions, std::span<double> out) {
  using Traits = PoolTraits<OpT>;
  return sample_pool<typename Traits::Types>(args, Traits::geometry(op, args), Traits::reducer(op), positions, out);
}

// The flat position in a plane when its first axis, not its last, is the one that moves fastest.
int64_t column_major(int64_t position, const Extents& dims) {
  if (position < 0) return position;
  const Extents at = position_of(position, dims);
  int64_t index = 0;
  for (size_t axis = dims.size(); axis-- > 0;) index = index * dims[axis] + at[axis];
  return index;
}

Status max_pool(const MaxPool& op, const KernelArgs& args) {
  if (args.outputs.size() < 2) return pool(op, args);
  HONE_ASSIGN(const WindowGeometry g, (PoolTraits<MaxPool>::geometry(op, args)));
  return visit_type(args.inputs[0].dtype, MaxPoolTypes{}, [&]<class T>() {
    const T* x = args.inputs[0].as<const T>();
    T* y = args.outputs[0].as<T>();
    int64_t* indices = args.outputs[1].as<int64_t>();
    const int64_t input_plane = count_of(g.input);
    for_each_output(args, g, [&](int64_t plane, const Extents& out, int64_t index) {
      const Largest<T> best = largest(x + plane * input_plane, g, out);
      const int64_t position = op.storage_order ? column_major(best.position, g.input) : best.position;
      y[index] = best.value;
      indices[index] = position < 0 ? -1 : plane * input_plane + position;
    });
    return Status();
  });
}

}  // namespace

const KernelDef kMaxPool = kReferenceKernel<MaxPool, max_pool, NoFunction{}, pool_sample<MaxPool>>;
const KernelDef kAveragePool = kReferenceKernel<AveragePool, pool<AveragePool>, NoFunction{}, pool_sample<AveragePool>>;
const KernelDef kLpPool = kReferenceKernel<LpPool, pool<LpPool>, NoFunction{}, pool_sample<LpPool>>;
const KernelDef kGlobalMaxPool =
    kReferenceKernel<GlobalMaxPool, pool<GlobalMaxPool>, NoFunction{}, pool_sample<GlobalMaxPool>>;
const KernelDef kGlobalAveragePool =
    kReferenceKernel<GlobalAveragePool, pool<GlobalAveragePool>, NoFunction{}, pool_sample<GlobalAveragePool>>;
const KernelDef kGlobalLpPool =
    kReferenceKernel<GlobalLpPool, pool<GlobalLpPool>, NoFunction{}, pool_sample<GlobalLpPool>>;

}  // namespace hone::reference
