#include <algorithm>
#include <cmath>

#include "backends/reference/kernels.h"
#include "backends/reference/numbers.h"
#include "base/dispatch.h"
#include "base/parallel.h"
#include "ops/sampling.h"

namespace hone::reference {

namespace {

// The sampling points of one region along one axis.
struct Grid {
  double start = 0;    // of the region
  double bin = 0;      // length of a bin
  double points = 0;   // per bin; whole
  int64_t length = 0;  // of the input
};

// Where a sampling point reads, and with which weights.
struct Neighbours {
  int64_t at[2];
  double weight[2];
};

Result<Grid> make_grid(const RoiAlign& op, double from, double to, int64_t bins, int64_t length) {
  const bool half_pixel = op.coordinates == RoiAlignCoordinates::kHalfPixel;
  const double scale = static_cast<double>(op.spatial_scale), offset = half_pixel ? 0.5 : 0;
  double extent = (to - from) * scale;
  if (!half_pixel) extent = std::max(extent, 1.0);
  Grid grid{.start = from * scale - offset, .bin = extent / static_cast<double>(bins), .points = 0, .length = length};
  constexpr double kFarthest = 1e9;  // so that neighbouring points stay different numbers
  if (!(std::abs(grid.start) <= kFarthest && std::abs(extent) <= kFarthest)) {
    return runtime_error("a region has a coordinate that isn't finite or is above 1e9");
  }
  grid.points = op.sampling_ratio > 0 ? static_cast<double>(op.sampling_ratio) : std::ceil(grid.bin);
  grid.points = std::max(grid.points, 0.0);
  return grid;
}

double point_position(const Grid& grid, int64_t bin, double point) {
  return grid.start + static_cast<double>(bin) * grid.bin + (point + 0.5) * grid.bin / grid.points;
}

bool is_inside(const Grid& grid, double x) { return x >= -1 && x <= static_cast<double>(grid.length); }

Neighbours neighbours_at(const Grid& grid, double x) {
  x = std::max(x, 0.0);
  const auto low = static_cast<int64_t>(x);
  if (low >= grid.length - 1) return {{grid.length - 1, grid.length - 1}, {1, 0}};
  const double fraction = x - static_cast<double>(low);
  return {{low, low + 1}, {1 - fraction, fraction}};
}

// The points of a bin that lie inside the input: at most two for each input position, however long the region is.
struct PointRange {
  double first = 0, last = -1;
};

PointRange points_inside(const Grid& grid, int64_t bin) {
  if (!(grid.points > 0)) return {};
  PointRange range{0, grid.points - 1};
  if (grid.bin != 0) {
    const double origin = grid.start + static_cast<double>(bin) * grid.bin, step = grid.bin / grid.points;
    const double a = (-1 - origin) / step - 0.5, b = (static_cast<double>(grid.length) - origin) / step - 0.5;
    range.first = std::max(range.first, std::floor(std::min(a, b)));
    range.last = std::min(range.last, std::ceil(std::max(a, b)));
  }
  return range;
}

template <class T>
double pool_bin(const RoiAlign& op, const Grid& rows, const Grid& columns, int64_t bin_y, int64_t bin_x,
                const T* image) {
  const PointRange ys = points_inside(rows, bin_y), xs = points_inside(columns, bin_x);
  double sum = 0, largest = -std::numeric_limits<double>::infinity();
  double seen = 0;
  for (double py = ys.first; py <= ys.last; ++py) {
    const double y = point_position(rows, bin_y, py);
    if (!is_inside(rows, y)) continue;
    const Neighbours v = neighbours_at(rows, y);
    for (double px = xs.first; px <= xs.last; ++px) {
      const double x = point_position(columns, bin_x, px);
      if (!is_inside(columns, x)) continue;
      const Neighbours h = neighbours_at(columns, x);
      ++seen;
      for (int i = 0; i < 4; ++i) {
        const double weight = v.weight[i / 2] * h.weight[i % 2];
        const double value = weight * static_cast<double>(image[v.at[i / 2] * columns.length + h.at[i % 2]]);
        sum += value;
        largest = std::max(largest, value);
      }
    }
  }
  const double points = rows.points * columns.points;
  if (op.mode == RoiAlignMode::kAvg) return sum / std::max(points, 1.0);
  if (seen < points) largest = std::max(largest, 0.0);  // points outside count as 0
  return points > 0 ? largest : 0;
}

template <class T>
Status align_region(const RoiAlign& op, const KernelArgs& args, int64_t region) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t batch = args.inputs[2].as<int64_t>()[region];
  if (batch < 0 || batch >= x.dims[0]) {
    return runtime_error("batch_indices has " + std::to_string(batch) + ", must be in [0, " +
                         std::to_string(x.dims[0]) + ")");
  }
  const auto corner = [&](int64_t i) { return read_float(args.inputs[1], 4 * region + i); };
  HONE_ASSIGN(const Grid columns, make_grid(op, corner(0), corner(2), y.dims[3], x.dims[3]));
  HONE_ASSIGN(const Grid rows, make_grid(op, corner(1), corner(3), y.dims[2], x.dims[2]));
  const int64_t channels = x.dims[1], image = x.dims[2] * x.dims[3], bins = y.dims[2] * y.dims[3];
  T* const out = y.as<T>() + region * channels * bins;
  parallel_for(args.device->threads, channels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * bins; i < end * bins; ++i) {
      const int64_t channel = i / bins, bin = i % bins;
      out[i] = saturate<T>(pool_bin(op, rows, columns, bin / y.dims[3], bin % y.dims[3],
                                    x.as<T>() + (batch * channels + channel) * image));
    }
  });
  return {};
}

Status roi_align(const RoiAlign& op, const KernelArgs& args) {
  if (args.outputs[0].count() == 0) return {};
  if (args.inputs[0].count() == 0) return runtime_error("operand 0 is empty and can't be sampled");
  return visit_type(args.inputs[0].dtype, FloatTypes{}, [&]<class T>() -> Status {
    for (int64_t region = 0; region < args.outputs[0].dims[0]; ++region) {
      HONE_TRY((align_region<T>(op, args, region)));
    }
    return {};
  });
}

}  // namespace

const KernelDef kRoiAlign = kReferenceKernel<RoiAlign, roi_align>;

}  // namespace hone::reference
