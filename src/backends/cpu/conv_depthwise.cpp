// Depthwise convolution (one input channel for each group) over one or two axes. A channel's plane (planes.h) is made
// in scratch; then each stretch of output columns is summed over the taps in registers. Any shapes, no allocation.
#include <algorithm>
#include <atomic>
#include <cstring>

#include "backends/cpu/kernels.h"
#include "backends/cpu/planes.h"
#include "backends/cpu/problem.h"
#include "backends/cpu/simd.h"
#include "base/parallel.h"
#include "ops/conv.h"

namespace hone::cpu {

namespace {

constexpr int64_t kStretch = 16;

using Stretch = float __attribute__((vector_size(kStretch * sizeof(float)), aligned(4), may_alias));

// What a channel's rows are computed from. The plane may be read up to kStretch - 1 floats past its end.
struct Channel {
  const float* weights;
  const int64_t* offsets;  // of the taps
  int64_t taps;
  float bias;
};

HONE_INLINE void store(const Stretch& sums, float* y, int64_t count) {
  if (count >= kStretch) {
    *reinterpret_cast<Stretch*>(y) = sums;
  } else {
    std::memcpy(y, &sums, static_cast<size_t>(count) * sizeof(float));
  }
}

// kRows rows of the output, `width` columns each: as many sums that don't wait for each other.
template <int kRows>
HONE_INLINE void depthwise_block(const Channel& channel, const float* plane, int64_t pitch, float* y, int64_t width) {
  for (int64_t x = 0; x < width; x += kStretch) {
    Stretch sums[kRows];
#pragma GCC unroll 4
    for (int row = 0; row < kRows; ++row) sums[row] = Stretch{} + channel.bias;
    for (int64_t t = 0; t < channel.taps; ++t) {
      const float* const from = plane + channel.offsets[t] + x;
#pragma GCC unroll 4
      for (int row = 0; row < kRows; ++row) {
        sums[row] += channel.weights[t] * *reinterpret_cast<const Stretch*>(from + row * pitch);
      }
    }
#pragma GCC unroll 4
    for (int row = 0; row < kRows; ++row) store(sums[row], y + row * width + x, width - x);
  }
}

HONE_SIMD void depthwise_rows(const Channel& channel, const float* plane, int64_t pitch, float* y, int64_t rows,
                              int64_t width) {
  int64_t row = 0;
  for (; row + 4 <= rows; row += 4) depthwise_block<4>(channel, plane + row * pitch, pitch, y + row * width, width);
  for (; row < rows; ++row) depthwise_block<1>(channel, plane + row * pitch, pitch, y + row * width, width);
}

class DepthwiseKernel final : public Kernel {
 public:
  explicit DepthwiseKernel(const Problem& problem) : op_(problem.op), threads_(problem.threads) {}

  size_t workspace_bytes(const KernelArgs& args) const override {
    const Result<WindowGeometry> geometry = conv_geometry(op(), args.inputs[0].dims, args.inputs[1].dims);
    if (!geometry.ok()) return 0;  // run() will say so
    const Planes planes(*geometry);
    return static_cast<size_t>(offset_floats(planes) + threads_ * plane_floats(planes)) * sizeof(float);
  }

  Status run(const KernelArgs& args) const override {
    HONE_ASSIGN(const WindowGeometry geometry, conv_geometry(op(), args.inputs[0].dims, args.inputs[1].dims));
    if (args.outputs[0].count() == 0) return {};
    const Planes planes(geometry);
    auto* const offsets = reinterpret_cast<int64_t*>(args.workspace);
    for (int64_t t = 0; t < planes.taps(); ++t) {
      offsets[t] = planes.tap_offset(t / planes.kernel_x, t % planes.kernel_x, planes.out_height);
    }
    float* const scratch = reinterpret_cast<float*>(args.workspace) + offset_floats(planes);
    const int64_t channels = args.inputs[0].dims[0] * args.inputs[0].dims[1];
    std::atomic<int64_t> next{0};
    parallel_for(threads_, std::min<int64_t>(threads_, channels), 1, [&](int64_t begin, int64_t) {
      float* const plane = scratch + begin * plane_floats(planes);
      for (int64_t i = next++; i < channels; i = next++) run_channel(planes, args, i, offsets, plane);
    });
    return {};
  }

 private:
  static int64_t offset_floats(const Planes& planes) { return 2 * planes.taps(); }
  static int64_t plane_floats(const Planes& planes) { return planes.plane_floats(planes.out_height) + kStretch; }

  const Conv& op() const { return static_cast<const Conv&>(*op_); }

  // Channel i of all images' channels.
  void run_channel(const Planes& planes, const KernelArgs& args, int64_t i, const int64_t* offsets,
                   float* plane) const {
    const int64_t group = i % op().group, filters = args.inputs[1].dims[0] / op().group;
    planes.fill(args.inputs[0].as<const float>() + i * planes.in_height * planes.in_width, 0, planes.out_height, plane);
    for (int64_t filter = 0; filter < filters; ++filter) {
      const int64_t m = group * filters + filter;
      const Channel channel{.weights = args.inputs[1].as<const float>() + m * planes.taps(),
                            .offsets = offsets,
                            .taps = planes.taps(),
                            .bias = has_input(args, 2) ? args.inputs[2].as<const float>()[m] : 0};
      float* const y = args.outputs[0].as<float>() + (i * filters + filter) * planes.out_height * planes.out_width;
      depthwise_rows(channel, plane, planes.pitch, y, planes.out_height, planes.out_width);
    }
  }

  OpPtr op_;
  int threads_;
};

Result<std::vector<Config>> depthwise_candidates(const Problem& problem, const DeviceInfo&) {
  HONE_TRY(expect_all(problem, DataType::kFloat32));
  HONE_TRY(check_reasonable(static_cast<const Conv&>(*problem.op)));
  const Shape& w = problem.inputs[1].type.shape;
  if (w.size() != 3 && w.size() != 4) return unsupported("takes one or two spatial axes");
  if (!(w[1] == Dim(1))) return unsupported("takes one input channel for each group");
  return one_way();
}

Result<std::unique_ptr<Kernel>> create_depthwise(const Problem& problem, const Config&, std::span<const TensorView>) {
  return std::unique_ptr<Kernel>(std::make_unique<DepthwiseKernel>(problem));
}

}  // namespace

const KernelDef kConvDepthwise = {.name = "cpu.conv.depthwise",
                                  .op = "Conv",
                                  .version = 1,
                                  .shapes = ShapeSupport::kAny,
                                  .candidates = depthwise_candidates,
                                  .create = create_depthwise};

}  // namespace hone::cpu
