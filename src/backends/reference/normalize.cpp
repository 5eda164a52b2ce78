// Normalisations: statistics of a slice in float64 (two passes), then its elements.
#include "ops/normalize.h"

#include <cmath>

#include "backends/reference/kernels.h"
#include "backends/reference/slices.h"
#include "base/dispatch.h"
#include "base/parallel.h"
#include "ops/reduce.h"

namespace hone::reference {

namespace {

constexpr int64_t kGrain = 16384;

int64_t slices_per_thread(const SlicePlan& plan) {
  return std::max<int64_t>(1, kGrain / std::max<int64_t>(1, plan.slice_size()));
}

struct Moments {
  double mean = 0, variance = 0;
};

template <class T>
Moments moments_of(const Slice<T>& slice) {
  const double count = static_cast<double>(slice.size());
  Moments m;
  slice.for_each([&](T x) { m.mean += to_double(x); });
  m.mean /= count;
  slice.for_each([&](T x) { m.variance += (to_double(x) - m.mean) * (to_double(x) - m.mean); });
  m.variance /= count;
  return m;
}

template <class T>
double mean_square(const Slice<T>& slice) {
  double sum = 0;
  slice.for_each([&](T x) { sum += to_double(x) * to_double(x); });
  return sum / static_cast<double>(slice.size());
}

// A parameter that broadcasts to the operand: what flat position of it a position of the operand reads.
struct BroadcastParameter {
  TensorView view;
  Extents dims, steps;  // the operand's dims; steps 0 where the parameter is broadcast

  // Errors: doesn't broadcast to `target`.
  static Result<BroadcastParameter> make(const TensorView& view, const Extents& target) {
    if (view.rank() > target.size()) return invalid_model("a parameter has more axes than the operand");
    BroadcastParameter parameter{view, target, Extents::filled(target.size(), 0)};
    const Extents strides = row_major_strides(view.dims);
    const size_t missing = target.size() - view.rank();
    for (size_t i = 0; i < view.rank(); ++i) {
      if (view.dims[i] == 1) continue;
      if (view.dims[i] != target[missing + i]) return invalid_model("a parameter doesn't broadcast to the operand");
      parameter.steps[missing + i] = strides[i];
    }
    return parameter;
  }
  double at(int64_t index) const {
    int64_t offset = 0;
    for (size_t axis = dims.size(); axis-- > 0; index /= dims[axis]) offset += index % dims[axis] * steps[axis];
    return read_float(view, offset);
  }
};

// The axes from `axis` on.
Result<uint32_t> trailing_axes(int64_t axis, size_t rank) {
  HONE_ASSIGN(const uint32_t first, axis_mask(std::span(&axis, 1), rank));
  return ((uint32_t{1} << rank) - 1) & ~(first - 1);
}

Status batch_normalization(const BatchNormalization& op, const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t channels = x.rank() == 1 ? 1 : x.dims[1];
  HONE_TRY(expect_output(args, 0, x.dims));
  for (size_t i = 1; i < 5; ++i) {
    if (args.inputs[i].count() != channels) return invalid_model("a parameter needs one element for each channel");
  }
  if (x.count() == 0) return {};
  const int64_t batch = x.dims[0], plane = x.count() / channels / batch;
  const double epsilon = static_cast<double>(op.epsilon);
  return visit_type(x.dtype, FloatTypes{}, [&]<class T>() {
    parallel_for(args.device->threads, batch * channels, 1 + kGrain / plane, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t c = i % channels;
        const double mean = read_float(args.inputs[3], c), variance = read_float(args.inputs[4], c);
        const double scale = read_float(args.inputs[1], c) / std::sqrt(variance + epsilon);
        const double bias = read_float(args.inputs[2], c);
        const T* from = x.as<const T>() + i * plane;
        T* to = y.as<T>() + i * plane;
        for (int64_t k = 0; k < plane; ++k) to[k] = saturate<T>((to_double(from[k]) - mean) * scale + bias);
      }
    });
    return Status();
  });
}

// What a LayerNormalization works with.
struct LayerPlan {
  SlicePlan slices;
  BroadcastParameter scale, bias;
  bool has_bias;
};

Result<LayerPlan> plan_of(const LayerNormalization& op, const KernelArgs& args) {
  const Extents& x = args.inputs[0].dims;
  HONE_ASSIGN(const uint32_t mask, trailing_axes(op.axis, x.size()));
  HONE_TRY(expect_output(args, 0, x));
  Extents statistics = x;
  for (size_t i = 0; i < x.size(); ++i) {
    if ((mask >> i & 1) != 0) statistics[i] = 1;
  }
  for (size_t i = 1; i < args.outputs.size(); ++i) HONE_TRY(expect_output(args, i, statistics));
  HONE_ASSIGN(BroadcastParameter scale, BroadcastParameter::make(args.inputs[1], x));
  LayerPlan plan{.slices = SlicePlan(x, mask), .scale = scale, .bias = scale, .has_bias = false};
  plan.has_bias = args.inputs.size() > 2 && args.inputs[2].present();
  if (plan.has_bias) {
    HONE_ASSIGN(plan.bias, BroadcastParameter::make(args.inputs[2], x));
  }
  return plan;
}

double scale_and_shift(const LayerPlan& plan, double normalized, int64_t index) {
  return normalized * plan.scale.at(index) + (plan.has_bias ? plan.bias.at(index) : 0);
}

Status layer_normalization(const LayerNormalization& op, const KernelArgs& args) {
  HONE_ASSIGN(const LayerPlan plan, plan_of(op, args));
  const double epsilon = static_cast<double>(op.epsilon);
  return visit_type(args.inputs[0].dtype, FloatTypes{}, [&]<class T>() {
    const T* x = args.inputs[0].as<const T>();
    T* y = args.outputs[0].as<T>();
    const auto normalize = [&](int64_t i) {
      const Slice<T> slice(plan.slices, x, i);
      const Moments m = moments_of(slice);
      const double inverse = 1 / std::sqrt(m.variance + epsilon);
      const int64_t start = plan.slices.start(i);
      slice.for_each_offset([&](int64_t offset) {
        const int64_t at = start + offset;
        y[at] = saturate<T>(scale_and_shift(plan, (to_double(x[at]) - m.mean) * inverse, at));
      });
      if (args.outputs.size() > 1) store_float(args.outputs[1], i, m.mean);
      if (args.outputs.size() > 2) store_float(args.outputs[2], i, inverse);
    };
    parallel_for(args.device->threads, plan.slices.num_slices(), slices_per_thread(plan.slices),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) normalize(i);
                 });
    return Status();
  });
}

Status layer_normalization_sample(const LayerNormalization& op, const KernelArgs& args,
                                  std::span<const int64_t> positions, std::span<double> out) {
  HONE_ASSIGN(const LayerPlan plan, plan_of(op, args));
  return visit_type(args.inputs[0].dtype, FloatTypes{}, [&]<class T>() {
    const T* x = args.inputs[0].as<const T>();
    for (size_t i = 0; i < positions.size(); ++i) {
      const int64_t at = positions[i];
      const Moments m = moments_of(Slice<T>(plan.slices, x, at / plan.slices.slice_size()));
      const double inverse = 1 / std::sqrt(m.variance + static_cast<double>(op.epsilon));
      out[i] = to_double(saturate<T>(scale_and_shift(plan, (to_double(x[at]) - m.mean) * inverse, at)));
    }
    return Status();
  });
}

// Runs `element_of(slice)`, which returns a function from an element to its normalised value, on every slice of the
// operand; `finish(value, flat position)` turns that into the output.
template <class ElementOf, class Finish>
Status normalize_slices(const KernelArgs& args, const SlicePlan& plan, ElementOf&& element_of, Finish&& finish) {
  return visit_type(args.inputs[0].dtype, FloatTypes{}, [&]<class T>() {
    const T* x = args.inputs[0].as<const T>();
    parallel_for(args.device->threads, plan.num_slices(), slices_per_thread(plan), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Slice<T> slice(plan, x, i);
        const auto element = element_of(slice);
        const int64_t start = plan.start(i);
        slice.for_each_offset([&](int64_t offset) {
          store_float(args.outputs[0], start + offset, finish(element(to_double(x[start + offset])), start + offset));
        });
      }
    });
    return Status();
  });
}

double as_is(double value, int64_t) { return value; }

Status rms_normalization(const RMSNormalization& op, const KernelArgs& args) {
  const Extents& dims = args.inputs[0].dims;
  HONE_ASSIGN(const uint32_t mask, trailing_axes(op.axis, dims.size()));
  HONE_TRY(expect_output(args, 0, dims));
  HONE_ASSIGN(const BroadcastParameter scale, BroadcastParameter::make(args.inputs[1], dims));
  const double epsilon = static_cast<double>(op.epsilon);
  return normalize_slices(
      args, SlicePlan(dims, mask),
      [&](const auto& slice) {
        const double rms = std::sqrt(mean_square(slice) + epsilon);
        return [rms](double x) { return x / rms; };
      },
      [&](double value, int64_t at) { return value * scale.at(at); });
}

// Scale and bias for each channel, over slices of channels and space. `dims` is the operand as [N, groups, rest].
Status normalize_groups(const KernelArgs& args, int64_t groups, float epsilon) {
  const Extents& x = args.inputs[0].dims;
  const int64_t channels = x[1];
  HONE_TRY(expect_output(args, 0, x));
  if (args.inputs[1].count() != channels || args.inputs[2].count() != channels || channels % groups != 0) {
    return invalid_model("scale and bias need one element for each channel, and channels must be whole groups");
  }
  if (args.inputs[0].count() == 0) return {};
  const int64_t plane = args.inputs[0].count() / x[0] / channels;
  const Extents dims = {x[0], groups, channels / groups * plane};
  return normalize_slices(
      args, SlicePlan(dims, 0b100),
      [&](const auto& slice) {
        const Moments m = moments_of(slice);
        const double inverse = 1 / std::sqrt(m.variance + static_cast<double>(epsilon));
        return [m, inverse](double value) { return (value - m.mean) * inverse; };
      },
      [&](double value, int64_t at) {
        const int64_t c = at / plane % channels;
        return value * read_float(args.inputs[1], c) + read_float(args.inputs[2], c);
      });
}

Status instance_normalization(const InstanceNormalization& op, const KernelArgs& args) {
  return args.inputs[0].dims[1] == 0 ? Status() : normalize_groups(args, args.inputs[0].dims[1], op.epsilon);
}

Status group_normalization(const GroupNormalization& op, const KernelArgs& args) {
  if (op.num_groups < 1) return invalid_model("attribute 'num_groups' must be at least 1");
  return normalize_groups(args, op.num_groups, op.epsilon);
}

Status mean_variance_normalization(const MeanVarianceNormalization& op, const KernelArgs& args) {
  // Keeps slices of equal elements at 0, as ONNX's definition of the operator does.
  constexpr double kEpsilon = 1e-9;
  const Extents& dims = args.inputs[0].dims;
  HONE_ASSIGN(const uint32_t mask, axis_mask(op.axes, dims.size()));
  HONE_TRY(expect_output(args, 0, dims));
  return normalize_slices(
      args, SlicePlan(dims, mask),
      [](const auto& slice) {
        const Moments m = moments_of(slice);
        return [m](double x) { return (x - m.mean) / (std::sqrt(m.variance) + kEpsilon); };
      },
      as_is);
}

Status lp_normalization(const LpNormalization& op, const KernelArgs& args) {
  const Extents& dims = args.inputs[0].dims;
  HONE_ASSIGN(const uint32_t mask, axis_mask(std::span(&op.axis, 1), dims.size()));
  HONE_TRY(expect_output(args, 0, dims));
  return normalize_slices(
      args, SlicePlan(dims, mask),
      [&](const auto& slice) {
        double norm = 0;
        slice.for_each([&](auto x) { norm += op.p == 1 ? std::fabs(to_double(x)) : to_double(x) * to_double(x); });
        if (op.p == 2) norm = std::sqrt(norm);
        return [norm](double x) { return norm == 0 ? 0 : x / norm; };
      },
      as_is);
}

Status lrn(const LRN& op, const KernelArgs& args) {
  const TensorView& x = args.inputs[0];
  HONE_TRY(expect_output(args, 0, x.dims));
  if (op.size < 1) return invalid_model("attribute 'size' must be at least 1");
  if (x.count() == 0) return {};
  const int64_t channels = x.dims[1], plane = x.count() / x.dims[0] / channels;
  const int64_t before = std::min((op.size - 1) / 2, channels), after = std::min(op.size / 2, channels);
  const double weight = static_cast<double>(op.alpha) / static_cast<double>(op.size);
  return visit_type(x.dtype, FloatTypes{}, [&]<class T>() {
    const T* from = x.as<const T>();
    T* to = args.outputs[0].as<T>();
    const auto value_at = [&](int64_t i) {
      const int64_t c = i / plane % channels;
      double sum = 0;
      for (int64_t k = std::max<int64_t>(0, c - before); k <= std::min(channels - 1, c + after); ++k) {
        const double neighbour = to_double(from[i + (k - c) * plane]);
        sum += neighbour * neighbour;
      }
      const double base = static_cast<double>(op.bias) + weight * sum;
      return to_double(from[i]) / std::pow(base, static_cast<double>(op.beta));
    };
    parallel_for(args.device->threads, x.count(), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) to[i] = saturate<T>(value_at(i));
    });
    return Status();
  });
}

}  // namespace

const KernelDef kBatchNormalization = kReferenceKernel<BatchNormalization, batch_normalization>;
const KernelDef kLayerNormalization =
    kReferenceKernel<LayerNormalization, layer_normalization, NoFunction{}, layer_normalization_sample>;
const KernelDef kRMSNormalization = kReferenceKernel<RMSNormalization, rms_normalization>;
const KernelDef kInstanceNormalization = kReferenceKernel<InstanceNormalization, instance_normalization>;
const KernelDef kGroupNormalization = kReferenceKernel<GroupNormalization, group_normalization>;
const KernelDef kMeanVarianceNormalization = kReferenceKernel<MeanVarianceNormalization, mean_variance_normalization>;
const KernelDef kLpNormalization = kReferenceKernel<LpNormalization, lp_normalization>;
const KernelDef kLRN = kReferenceKernel<LRN, lrn>;

}  // namespace hone::reference
