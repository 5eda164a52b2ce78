// Convolutions: float64 sums over rows of outputs, one output channel at a time.
#include "ops/conv.h"

#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"
#include "base/dispatch.h"
#include "base/parallel.h"

namespace hone::reference {

namespace {

// Outputs that are summed at once, along the innermost axis.
constexpr int64_t kTile = 512;

// Sizes and steps of one convolution, transposed or not. "In" and "out" channels are those of one group.
struct ConvPlan {
  WindowGeometry window;
  int64_t batch, groups, in_channels, out_channels;
  int64_t input_plane, output_plane, taps;

  int64_t num_planes() const { return batch * groups * out_channels; }
};

template <class OpT>
ConvPlan make_plan(const OpT& op, WindowGeometry window, std::span<const int64_t> x, std::span<const int64_t> y) {
  ConvPlan plan;
  plan.batch = x[0];
  plan.groups = op.group;
  plan.in_channels = x[1] / op.group;
  plan.out_channels = y[1] / op.group;
  plan.input_plane = count_of(window.input);
  plan.output_plane = count_of(window.output);
  plan.taps = count_of(window.kernel);
  plan.window = std::move(window);
  return plan;
}

// A 1x1 convolution without padding or steps reads its input in order: all axes are one.
void merge_axes(WindowGeometry& window) {
  for (size_t i = 0; i < window.rank(); ++i) {
    const bool plain = window.kernel[i] == 1 && window.strides[i] == 1 && window.pads_begin[i] == 0 &&
                       window.input[i] == window.output[i];
    if (!plain) return;
  }
  const int64_t count = count_of(window.input);
  window = {.input = {count},
            .output = {count},
            .kernel = {1},
            .strides = {1},
            .dilations = {1},
            .pads_begin = {0},
            .pads_end = {0}};
}

template <class OpT>
Result<ConvPlan> plan_of(const OpT& op, const KernelArgs& args) {
  const Extents &x = args.inputs[0].dims, &w = args.inputs[1].dims;
  HONE_ASSIGN(WindowGeometry window, conv_geometry(op, x, w));
  Extents y = {x[0], std::is_same_v<OpT, Conv> ? w[0] : w[1] * op.group};
  for (const int64_t size : window.output) y.push_back(size);
  HONE_TRY(expect_output(args, 0, y));
  const bool has_bias = args.inputs.size() > 2 && args.inputs[2].present();
  if (has_bias && args.inputs[2].count() != y[1]) return invalid_model("the bias needs one element for each channel");
  merge_axes(window);
  return make_plan(op, std::move(window), x, y);
}

template <class T>
struct ConvData {
  const T* x;
  const T* w;
  const T* bias;  // null: none
  T* y;
};

template <class T>
ConvData<T> data_of(const KernelArgs& args) {
  const bool has_bias = args.inputs.size() > 2 && args.inputs[2].present();
  return {args.inputs[0].as<const T>(), args.inputs[1].as<const T>(), has_bias ? args.inputs[2].as<const T>() : nullptr,
          args.outputs[0].as<T>()};
}

// How one operator ties outputs, taps and inputs together along one axis, and where its weights are.
struct ForwardWalk {
  // The input that tap k of output o reads, or -1.
  static int64_t source(const WindowGeometry& g, size_t axis, int64_t o, int64_t k) {
    const int64_t i = o * g.strides[axis] + k * g.dilations[axis] - g.pads_begin[axis];
    return i >= 0 && i < g.input[axis] ? i : -1;
  }
  static int64_t weight(const ConvPlan& p, int64_t group, int64_t out, int64_t in) {
    return ((group * p.out_channels + out) * p.in_channels + in) * p.taps;
  }
  // sums[o - begin] += w * row[source of o through tap k], for o in [begin, end).
  template <class T>
  static void add_row(const WindowGeometry& g, int64_t k, const T* row, double w, int64_t begin, int64_t end,
                      double* sums) {
    const size_t axis = g.rank() - 1;
    const int64_t stride = g.strides[axis], shift = k * g.dilations[axis] - g.pads_begin[axis];
    const int64_t first = std::max(begin, divide_up(-shift, stride));
    const int64_t last = std::min(end, divide_up(g.input[axis] - shift, stride));
    if (stride == 1) {
      for (int64_t o = first; o < last; ++o) sums[o - begin] += w * to_double(row[o + shift]);
    } else {
      for (int64_t o = first; o < last; ++o) sums[o - begin] += w * to_double(row[o * stride + shift]);
    }
  }
};

struct TransposedWalk {
  static int64_t source(const WindowGeometry& g, size_t axis, int64_t o, int64_t k) {
    const int64_t scaled = o + g.pads_begin[axis] - k * g.dilations[axis];
    if (scaled < 0 || scaled % g.strides[axis] != 0) return -1;
    const int64_t i = scaled / g.strides[axis];
    return i < g.input[axis] ? i : -1;
  }
  static int64_t weight(const ConvPlan& p, int64_t group, int64_t out, int64_t in) {
    return ((group * p.in_channels + in) * p.out_channels + out) * p.taps;
  }
  template <class T>
  static void add_row(const WindowGeometry& g, int64_t k, const T* row, double w, int64_t begin, int64_t end,
                      double* sums) {
    const size_t axis = g.rank() - 1;
    const int64_t stride = g.strides[axis], shift = k * g.dilations[axis] - g.pads_begin[axis];
    const int64_t first = std::max<int64_t>(0, divide_up(begin - shift, stride));
    const int64_t last = std::min(g.input[axis], divide_up(end - shift, stride));
    for (int64_t i = first; i < last; ++i) sums[i * stride + shift - begin] += w * to_double(row[i]);
  }
};

// The flat position, in a plane without its innermost axis, that the outer taps `tap` of outer position `out` read;
// -1 when they lie in the padding.
template <class Walk>
int64_t outer_source(const WindowGeometry& g, const Extents& out, const Extents& tap) {
  int64_t offset = 0;
  for (size_t axis = 0; axis + 1 < g.rank(); ++axis) {
    const int64_t i = Walk::source(g, axis, out[axis], tap[axis]);
    if (i < 0) return -1;
    offset = offset * g.input[axis] + i;
  }
  return offset;
}

// Sums the outputs [begin, end) of one row; `out` is the row's position in all axes but the innermost.
template <class Walk, class T>
void sum_row(const ConvPlan& p, const T* x, const T* w, int64_t group, int64_t channel, const Extents& out,
             int64_t begin, int64_t end, double* sums) {
  const WindowGeometry& g = p.window;
  const size_t outer = g.rank() - 1;
  const std::span<const int64_t> outer_kernel(g.kernel.data(), outer);
  Extents tap = Extents::filled(outer, 0);
  int64_t flat_tap = 0;
  do {
    const int64_t source = outer_source<Walk>(g, out, tap);
    for (int64_t k = 0; k < g.kernel[outer]; ++k, ++flat_tap) {
      for (int64_t c = 0; source >= 0 && c < p.in_channels; ++c) {
        const T* row = x + c * p.input_plane + source * g.input[outer];
        Walk::add_row(g, k, row, to_double(w[Walk::weight(p, group, channel, c) + flat_tap]), begin, end, sums);
      }
    }
  } while (next_position(tap, outer_kernel));
}

// One output plane: batch element and output channel.
template <class Walk, class T>
void run_plane(const ConvPlan& p, const ConvData<T>& data, int64_t plane) {
  const int64_t channel = plane % p.out_channels, group = plane / p.out_channels % p.groups;
  const T* x = data.x + plane / p.out_channels * p.in_channels * p.input_plane;
  const double bias = data.bias ? to_double(data.bias[group * p.out_channels + channel]) : 0;
  const int64_t width = p.window.output.back();
  const std::span<const int64_t> outer_dims(p.window.output.data(), p.window.rank() - 1);
  Extents out = Extents::filled(outer_dims.size(), 0);
  T* y = data.y + plane * p.output_plane;
  double sums[kTile];
  do {
    for (int64_t begin = 0; begin < width; begin += kTile) {
      const int64_t end = std::min(width, begin + kTile);
      std::fill(sums, sums + (end - begin), bias);
      sum_row<Walk>(p, x, data.w, group, channel, out, begin, end, sums);
      for (int64_t i = 0; i < end - begin; ++i) y[begin + i] = saturate<T>(sums[i]);
    }
    y += width;
  } while (next_position(out, outer_dims));
}

template <class Walk, class OpT>
Status run_conv(const OpT& op, const KernelArgs& args) {
  HONE_ASSIGN(const ConvPlan plan, plan_of(op, args));
  if (args.outputs[0].count() == 0) return {};
  return visit_type(args.inputs[0].dtype, FloatTypes{}, [&]<class T>() {
    const ConvData<T> data = data_of<T>(args);
    parallel_for(args.device->threads, plan.num_planes(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t plane = begin; plane < end; ++plane) run_plane<Walk>(plan, data, plane);
    });
    return Status();
  });
}

// One output after the other: a row of one element.
template <class Walk, class OpT>
Status sample_conv(const OpT& op, const KernelArgs& args, std::span<const int64_t> positions, std::span<double> out) {
  HONE_ASSIGN(const ConvPlan plan, plan_of(op, args));
  return visit_type(args.inputs[0].dtype, FloatTypes{}, [&]<class T>() {
    const ConvData<T> data = data_of<T>(args);
    for (size_t i = 0; i < positions.size(); ++i) {
      const int64_t plane = positions[i] / plan.output_plane;
      const int64_t channel = plane % plan.out_channels, group = plane / plan.out_channels % plan.groups;
      const Extents at = position_of(positions[i] % plan.output_plane, plan.window.output);
      double sum = data.bias ? to_double(data.bias[group * plan.out_channels + channel]) : 0;
      sum_row<Walk>(plan, data.x + plane / plan.out_channels * plan.in_channels * plan.input_plane, data.w, group,
                    channel, at, at.back(), at.back() + 1, &sum);
      out[i] = to_double(saturate<T>(sum));
    }
    return Status();
  });
}

}  // namespace

const KernelDef kConv =
    kReferenceKernel<Conv, run_conv<ForwardWalk, Conv>, NoFunction{}, sample_conv<ForwardWalk, Conv>>;
const KernelDef kConvTranspose = kReferenceKernel<ConvTranspose, run_conv<TransposedWalk, ConvTranspose>, NoFunction{},
                                                  sample_conv<TransposedWalk, ConvTranspose>>;

}  // namespace hone::reference
