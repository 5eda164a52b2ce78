#include <algorithm>
#include <cmath>

#include "backends/reference/kernels.h"
#include "backends/reference/numbers.h"
#include "base/dispatch.h"
#include "base/parallel.h"
#include "ops/sampling.h"

namespace hone::reference {

namespace {

// What one output position reads along one axis.
struct Taps {
  int64_t offset[4] = {};  // in elements; of padding: any
  double weight[4] = {};   // 0 for padding
  int count = 0;
};

struct Sampler {
  const GridSample& op;
  size_t rank = 0;  // spatial
  Extents lengths, strides;
};

// Mirrors x at the borders until it lies between them.
double reflect(double x, double low, double high) {
  const double range = high - low;
  if (range <= 0) return low;
  const double turn = std::fmod(std::abs(x - low), 2 * range);
  return low + (turn > range ? 2 * range - turn : turn);
}

// The input position that a normalized coordinate stands for, brought into the input as padding_mode says.
double input_position(const GridSample& op, double coordinate, double length) {
  if (std::isnan(coordinate)) coordinate = -1;
  double x = op.align_corners ? (coordinate + 1) / 2 * (length - 1) : ((coordinate + 1) * length - 1) / 2;
  x = std::clamp(x, -1e9, 1e9);  // far outside, one place is like any other
  // Rounding to float32 first decides near ties as float32 engines do.
  if (op.mode == SampleMode::kNearest) x = static_cast<double>(std::nearbyint(static_cast<float>(x)));
  const double low = op.align_corners ? 0 : -0.5, high = op.align_corners ? length - 1 : length - 0.5;
  if (x >= low && x <= high) return x;
  switch (op.padding_mode) {
    case SamplePadding::kZeros: return x;
    // As PyTorch has it, each of the four taps of cubic goes to the border by itself.
    case SamplePadding::kBorder: return op.mode == SampleMode::kCubic ? x : std::clamp(x, 0.0, length - 1);
    case SamplePadding::kReflection: return reflect(x, low, high);
  }
  return x;
}

// The weights of the neighbours, of which the first is at floor(x), or one before it for cubic.
int neighbour_weights(SampleMode mode, double fraction, double* weights) {
  if (mode == SampleMode::kNearest) {
    weights[0] = 1;
    return 1;
  }
  if (mode == SampleMode::kLinear) {
    weights[0] = 1 - fraction;
    weights[1] = fraction;
    return 2;
  }
  constexpr double a = -0.75;  // as PyTorch has it
  const auto near = [](double x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  const auto far = [](double x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  weights[0] = far(1 + fraction);
  weights[1] = near(fraction);
  weights[2] = near(1 - fraction);
  weights[3] = far(2 - fraction);
  return 4;
}

Taps taps_at(const Sampler& sampler, size_t axis, double coordinate) {
  const GridSample& op = sampler.op;
  const int64_t length = sampler.lengths[axis];
  const double x = input_position(op, coordinate, static_cast<double>(length));
  const auto whole = static_cast<int64_t>(std::floor(x));
  const double low = op.align_corners ? 0 : -0.5;
  Taps taps;
  taps.count = neighbour_weights(op.mode, x - std::floor(x), taps.weight);
  for (int i = 0; i < taps.count; ++i) {
    int64_t at = whole + i - (op.mode == SampleMode::kCubic ? 1 : 0);
    if (at < 0 || at >= length) {
      if (op.padding_mode == SamplePadding::kZeros) taps.weight[i] = 0;
      if (op.padding_mode == SamplePadding::kReflection) {
        at = static_cast<int64_t>(reflect(static_cast<double>(at), low, static_cast<double>(length - 1) - low));
      }
      at = std::clamp<int64_t>(at, 0, length - 1);
    }
    taps.offset[i] = at * sampler.strides[axis];
  }
  return taps;
}

template <class T>
double interpolate(const Taps* taps, size_t rank, const T* x) {
  if (rank == 0) return static_cast<double>(*x);
  double sum = 0;
  for (int i = 0; i < taps->count; ++i) {
    if (taps->weight[i] != 0) sum += taps->weight[i] * interpolate(taps + 1, rank - 1, x + taps->offset[i]);
  }
  return sum;
}

// Row `row` of the grid, whose innermost axis comes first.
void position_taps(const Sampler& sampler, const TensorView& grid, int64_t row, Taps* taps) {
  const auto rank = static_cast<int64_t>(sampler.rank);
  for (size_t axis = 0; axis < sampler.rank; ++axis) {
    taps[axis] = taps_at(sampler, axis, read_float(grid, (row + 1) * rank - 1 - static_cast<int64_t>(axis)));
  }
}

Sampler make_sampler(const GridSample& op, const KernelArgs& args) {
  const std::span<const int64_t> dims = args.inputs[0].dims;
  const Extents lengths(dims.subspan(2));
  return {.op = op, .rank = lengths.size(), .lengths = lengths, .strides = row_major_strides(lengths)};
}

Status check_not_empty(const KernelArgs& args) {
  if (args.inputs[0].count() > 0) return {};
  return runtime_error("operand 0 is empty, of shape " + to_string(args.inputs[0].dims) + ", and can't be sampled");
}

template <class T>
void run_typed(const Sampler& sampler, const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t channels = x.dims[1], image = count_of(sampler.lengths);
  const int64_t positions = y.count() / (y.dims[0] * channels);
  parallel_for(args.device->threads, y.dims[0] * positions, 256, [&](int64_t begin, int64_t end) {
    Taps taps[kMaxRank];
    for (int64_t row = begin; row < end; ++row) {
      position_taps(sampler, args.inputs[1], row, taps);
      const int64_t batch = row / positions, position = row % positions;
      for (int64_t c = batch * channels; c < (batch + 1) * channels; ++c) {
        y.as<T>()[c * positions + position] = saturate<T>(interpolate(taps, sampler.rank, x.as<T>() + c * image));
      }
    }
  });
}

Status grid_sample(const GridSample& op, const KernelArgs& args) {
  if (args.outputs[0].count() == 0) return {};
  HONE_TRY(check_not_empty(args));
  const Sampler sampler = make_sampler(op, args);
  return visit_type(args.inputs[0].dtype, AllTypes{}, [&]<class T>() {
    run_typed<T>(sampler, args);
    return Status();
  });
}

Status grid_sample_sample(const GridSample& op, const KernelArgs& args, std::span<const int64_t> positions,
                          std::span<double> out) {
  if (positions.empty()) return {};
  HONE_TRY(check_not_empty(args));
  const Sampler sampler = make_sampler(op, args);
  const int64_t channels = args.inputs[0].dims[1], image = count_of(sampler.lengths);
  const int64_t per_channel = args.outputs[0].count() / (args.outputs[0].dims[0] * channels);
  return visit_type(args.inputs[0].dtype, AllTypes{}, [&]<class T>() {
    Taps taps[kMaxRank];
    for (size_t i = 0; i < positions.size(); ++i) {
      const int64_t channel = positions[i] / per_channel;
      position_taps(sampler, args.inputs[1], channel / channels * per_channel + positions[i] % per_channel, taps);
      const double value = interpolate(taps, sampler.rank, args.inputs[0].as<T>() + channel * image);
      out[i] = std::is_integral_v<T> ? static_cast<double>(saturate<T>(value)) : value;
    }
    return Status();
  });
}

}  // namespace

const KernelDef kGridSample = kReferenceKernel<GridSample, grid_sample, NoFunction{}, grid_sample_sample>;

}  // namespace hone::reference
