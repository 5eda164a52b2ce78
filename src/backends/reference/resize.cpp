// Resize is separable: along each axis an output position reads a few input positions (taps) with weights that
// depend on that axis alone. The tables of taps are made first, in the workspace; an output element is then the sum
// over all combinations of its axes' taps. Positions outside the input read the nearest edge, so their weights are
// added to the edge's.

#include "ops/resize.h"

#include <algorithm>
#include <cmath>

#include "backends/reference/kernels.h"
#include "backends/reference/numbers.h"
#include "base/dispatch.h"
#include "base/parallel.h"

namespace hone::reference {

namespace {

// What an output position reads along one axis: input positions first, first + 1, ...
struct Taps {
  int64_t first = 0;
  int64_t count = 0;  // 0: outside, the extrapolation value
};

struct Axis : ResizeAxis {
  int64_t stride = 0;
  int64_t capacity = 1;  // weights kept for each output position
  Taps* taps = nullptr;
  double* weights = nullptr;
};

struct Axes {
  Axis at[kMaxRank];
  size_t rank = 0;
};

int64_t capacity_of(const Resize& op, int64_t in, int64_t out) {
  if (op.mode == ResizeMode::kNearest) return 1;
  const int64_t support = op.mode == ResizeMode::kLinear ? 1 : 2;
  if (!op.antialias || out <= 0) return 2 * support;
  // The filter is stretched by 1 / scale, which is at most 2 in / out (under a policy, `out` may be rounded up).
  return std::min(in, 2 * (2 * support * in / out + 2));
}

size_t resize_workspace(const Resize& op, const KernelArgs& args) {
  size_t bytes = 0;
  for (size_t i = 0; i < args.inputs[0].rank(); ++i) {
    const int64_t in = args.inputs[0].dims[i], out = args.outputs[0].dims[i];
    bytes += static_cast<size_t>(out) * (sizeof(Taps) + static_cast<size_t>(capacity_of(op, in, out)) * sizeof(double));
  }
  return bytes;
}

// The interpolation kernel at distance x (Keys, "Cubic convolution interpolation for digital image processing").
double filter(const Resize& op, double x) {
  x = std::abs(x);
  if (op.mode == ResizeMode::kLinear) return std::max(0.0, 1 - x);
  const double a = static_cast<double>(op.cubic_coeff_a);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

int64_t clamp_to(double position, int64_t length) {
  return static_cast<int64_t>(std::clamp(position, 0.0, static_cast<double>(length - 1)));
}

Taps interpolation_taps(const Resize& op, const Axis& axis, double position, double* weights) {
  const double stretch = op.antialias ? std::max(1.0, 1 / axis.scale) : 1;
  const double support = (op.mode == ResizeMode::kLinear ? 1 : 2) * stretch;
  // Open at the left end, where the filter is 0, so that a whole position takes as many taps as any other.
  double low = std::floor(position - support) + 1, high = std::floor(position + support);
  // Far outside, only the edge is read.
  const double last = static_cast<double>(axis.in - 1);
  if (high < 0 || low > last) low = high = std::clamp(position, 0.0, last);
  Taps taps{clamp_to(low, axis.in), 0};
  taps.count = std::min(clamp_to(high, axis.in) - taps.first + 1, axis.capacity);
  std::fill_n(weights, taps.count, 0.0);
  double sum = 0;
  for (double at = low; at <= high; ++at) {
    if (op.exclude_outside && (at < 0 || at > last)) continue;
    const double weight = filter(op, (at - position) / stretch);
    weights[std::min(clamp_to(at, axis.in) - taps.first, taps.count - 1)] += weight;
    sum += weight;
  }
  if (sum == 0) weights[0] = sum = 1;
  for (int64_t i = 0; i < taps.count; ++i) weights[i] /= sum;
  return taps;
}

Taps taps_at(const Resize& op, const Axis& axis, int64_t position, double* weights) {
  const double original = original_position(op, axis, position);
  const bool inside = original >= 0 && original <= static_cast<double>(axis.in - 1);
  if (op.coordinates == ResizeCoordinates::kTfCropAndResize && !inside) return {0, 0};
  if (op.mode != ResizeMode::kNearest) return interpolation_taps(op, axis, original, weights);
  weights[0] = 1;
  return {clamp_to(nearest_position(op, original), axis.in), 1};
}

// Fills `axes` and the tables in the workspace. Needs a non-empty output.
Status prepare(const Resize& op, const KernelArgs& args, Axes& axes) {
  const TensorView& x = args.inputs[Resize::kX];
  axes.rank = x.rank();
  ResizeAxis known[kMaxRank];
  HONE_TRY(read_resize_axes(op, args.inputs, args.outputs[0].dims, std::span(known, axes.rank)));
  const Extents strides = row_major_strides(x.dims);
  std::byte* free = args.workspace;
  for (size_t i = 0; i < axes.rank; ++i) {
    Axis& axis = axes.at[i];
    static_cast<ResizeAxis&>(axis) = known[i];
    axis.stride = strides[i];
    axis.capacity = capacity_of(op, axis.in, axis.out);
    axis.taps = reinterpret_cast<Taps*>(free);
    free += static_cast<size_t>(axis.out) * sizeof(Taps);
    axis.weights = reinterpret_cast<double*>(free);
    free += static_cast<size_t>(axis.out * axis.capacity) * sizeof(double);
    for (int64_t position = 0; position < axis.out; ++position) {
      double* const weights = axis.weights + position * axis.capacity;
      weights[0] = 1;
      axis.taps[position] = axis.resized ? taps_at(op, axis, position, weights) : Taps{position, 1};
    }
  }
  return {};
}

// The weighted sum over the taps of `axis` and all later ones.
template <class T>
double interpolate(const Axes& axes, size_t axis, const T* x, const Extents& position) {
  if (axis == axes.rank) return static_cast<double>(*x);
  const Axis& a = axes.at[axis];
  const Taps taps = a.taps[position[axis]];
  const double* weights = a.weights + position[axis] * a.capacity;
  x += taps.first * a.stride;
  double sum = 0;
  for (int64_t i = 0; i < taps.count; ++i) {
    if (weights[i] != 0) sum += weights[i] * interpolate(axes, axis + 1, x + i * a.stride, position);
  }
  return sum;
}

bool is_outside(const Axes& axes, const Extents& position) {
  for (size_t i = 0; i < axes.rank; ++i) {
    if (axes.at[i].taps[position[i]].count == 0) return true;
  }
  return false;
}

// To integers: half to even.
template <class T>
T rounded(double value) {
  return saturate<T>(std::is_integral_v<T> ? std::nearbyint(value) : value);
}

// Calls f(flat, position) for all output elements.
template <class F>
void for_each_element(const KernelArgs& args, F&& f) {
  const Extents& dims = args.outputs[0].dims;
  parallel_for(args.device->threads, args.outputs[0].count(), 4096, [&](int64_t begin, int64_t end) {
    Extents position = position_of(begin, dims);
    for (int64_t flat = begin; flat < end; ++flat) {
      f(flat, position);
      for (size_t i = dims.size(); i-- > 0 && ++position[i] == dims[i];) position[i] = 0;
    }
  });
}

template <class T>
void run_nearest(const Resize& op, const KernelArgs& args, const Axes& axes) {
  const T* const x = args.inputs[Resize::kX].as<T>();
  T* const y = args.outputs[0].as<T>();
  const T outside = rounded<T>(static_cast<double>(op.extrapolation_value));
  for_each_element(args, [&](int64_t flat, const Extents& position) {
    int64_t from = 0;
    for (size_t i = 0; i < axes.rank; ++i) from += axes.at[i].taps[position[i]].first * axes.at[i].stride;
    y[flat] = is_outside(axes, position) ? outside : x[from];
  });
}

template <class T>
void run_interpolation(const Resize& op, const KernelArgs& args, const Axes& axes) {
  const T* const x = args.inputs[Resize::kX].as<T>();
  T* const y = args.outputs[0].as<T>();
  const T outside = rounded<T>(static_cast<double>(op.extrapolation_value));
  for_each_element(args, [&](int64_t flat, const Extents& position) {
    y[flat] = is_outside(axes, position) ? outside : rounded<T>(interpolate(axes, 0, x, position));
  });
}

Status resize(const Resize& op, const KernelArgs& args) {
  if (args.outputs[0].count() == 0) return {};
  Axes axes;
  HONE_TRY(prepare(op, args, axes));
  if (op.mode == ResizeMode::kNearest) {
    return visit_type(args.inputs[0].dtype, AllTypes{}, [&]<class T>() {
      run_nearest<T>(op, args, axes);
      return Status();
    });
  }
  return visit_type(args.inputs[0].dtype, NumberTypes{}, [&]<class T>() {
    run_interpolation<T>(op, args, axes);
    return Status();
  });
}

Status resize_sample(const Resize& op, const KernelArgs& args, std::span<const int64_t> positions,
                     std::span<double> out) {
  if (positions.empty()) return {};
  Axes axes;
  HONE_TRY(prepare(op, args, axes));
  return visit_type(args.inputs[0].dtype, AllTypes{}, [&]<class T>() {
    const T* const x = args.inputs[Resize::kX].as<T>();
    for (size_t i = 0; i < positions.size(); ++i) {
      const Extents position = position_of(positions[i], args.outputs[0].dims);
      const double value = interpolate(axes, 0, x, position);
      if (is_outside(axes, position)) {
        out[i] = static_cast<double>(rounded<T>(static_cast<double>(op.extrapolation_value)));
      } else {
        out[i] = std::is_integral_v<T> ? static_cast<double>(rounded<T>(value)) : value;
      }
    }
    return Status();
  });
}

}  // namespace

const KernelDef kResize = kReferenceKernel<Resize, resize, resize_workspace, resize_sample>;

}  // namespace hone::reference
