// Convolution by oneDNN. Operands and result are row-major; how the primitive wants them in between is the
// configuration. Which is fastest depends on the shape: on an AVX-512 core a 3x3 layer of 64 channels at 320x320 takes
// 48 ms plain and 33 ms through channels-last, reorders included; a depthwise one at 52x52 takes 0.45 ms and 0.05 ms
// (blocked); 1x1 layers are fastest plain.
#ifndef HONE_STD_THREADS

#include <algorithm>

#include "backends/cpu/fill.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/onednn.h"
#include "backends/cpu/planes.h"
#include "backends/cpu/problem.h"
#include "base/parallel.h"
#include "ops/conv.h"

namespace hone::cpu {

namespace {

using dnnl::memory;

enum class Layout : uint8_t { kPlain, kChannelsLast, kBlocked16, kBlocked8 };
constexpr uint8_t kNumLayouts = 4;

Config config_of(Layout layout) { return {static_cast<std::byte>(layout)}; }

bool is_depthwise(const Problem& problem, int64_t group) {
  const Shape& w = problem.inputs[1].type.shape;
  return group > 1 && w.size() > 1 && w[0] == Dim(group) && w[1] == Dim(1);
}

bool is_pointwise(const Problem& problem) {
  const Shape& w = problem.inputs[1].type.shape;
  return w.size() > 2 && std::all_of(w.begin() + 2, w.end(), [](const Dim& dim) { return dim == Dim(1); });
}

Status check_types(const Problem& problem, const DeviceInfo& device) {
  const DataType dtype = problem.inputs[0].type.dtype;
  if (dtype == DataType::kFloat16) return unsupported("oneDNN 2 has no float16 on CPUs");
  if (dtype == DataType::kBFloat16 && device.isa != "avx512") return unsupported("bfloat16 needs AVX-512");
  if (onednn_type(dtype) == memory::data_type::undef) return unsupported("takes float32 and bfloat16 only");
  const size_t rank = problem.inputs[0].type.shape.size();
  if (rank < 3 || rank > 5) return unsupported("takes one to three spatial axes");
  return expect_all(problem, dtype);
}

Result<std::vector<Config>> conv_candidates(const Problem& problem, const DeviceInfo& device) {
  HONE_TRY(check_types(problem, device));
  HONE_TRY(check_reasonable(static_cast<const Conv&>(*problem.op)));
  const Layout blocked = device.isa == "avx512" ? Layout::kBlocked16 : Layout::kBlocked8;
  if (is_depthwise(problem, static_cast<const Conv&>(*problem.op).group)) {
    return std::vector<Config>{config_of(blocked), config_of(Layout::kPlain)};
  }
  if (is_pointwise(problem)) return std::vector<Config>{config_of(Layout::kPlain), config_of(blocked)};
  return std::vector<Config>{config_of(Layout::kChannelsLast), config_of(Layout::kPlain), config_of(blocked)};
}

memory::format_tag activation_tag(Layout layout, size_t rank) {
  using Tag = memory::format_tag;
  constexpr Tag kTags[kNumLayouts][3] = {{Tag::ncw, Tag::nchw, Tag::ncdhw},
                                         {Tag::nwc, Tag::nhwc, Tag::ndhwc},
                                         {Tag::nCw16c, Tag::nChw16c, Tag::nCdhw16c},
                                         {Tag::nCw8c, Tag::nChw8c, Tag::nCdhw8c}};
  return kTags[static_cast<size_t>(layout)][rank - 3];
}

// Everything that decides the primitive.
struct ConvProblem {
  Extents x, w, y;  // w with the groups as an axis of their own, if there are any
  DataType dtype = DataType::kFloat32;
  bool bias = false;
  WindowGeometry window;
};

Result<ConvProblem> read_problem(const Problem& problem, const Conv& op) {
  ConvProblem conv{.dtype = problem.inputs[0].type.dtype, .bias = has_input(problem, 2)};
  HONE_ASSIGN(conv.x, fixed_dims(problem.inputs[0].type));
  HONE_ASSIGN(conv.w, fixed_dims(problem.inputs[1].type));
  HONE_ASSIGN(conv.y, fixed_dims(problem.outputs[0].type));
  HONE_ASSIGN(conv.window, conv_geometry(op, conv.x, conv.w));
  if (op.group > 1) {
    Extents grouped{op.group, conv.w[0] / op.group};
    for (size_t i = 1; i < conv.w.size(); ++i) grouped.push_back(conv.w[i]);
    conv.w = grouped;
  }
  return conv;
}

dnnl::convolution_forward::primitive_desc describe(const ConvProblem& conv, Layout layout, const dnnl::engine& engine) {
  const memory::data_type type = onednn_type(conv.dtype);
  const memory::format_tag tag = activation_tag(layout, conv.x.size());
  const memory::desc x(onednn_dims(conv.x), type, tag), y(onednn_dims(conv.y), type, tag);
  const memory::desc w(onednn_dims(conv.w), type, memory::format_tag::any);
  memory::dims dilations = onednn_dims(conv.window.dilations);
  for (int64_t& dilation : dilations) --dilation;
  const memory::dims strides = onednn_dims(conv.window.strides), begin = onednn_dims(conv.window.pads_begin),
                     end = onednn_dims(conv.window.pads_end);
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const auto kind = dnnl::prop_kind::forward_inference;
  const auto algorithm = dnnl::algorithm::convolution_direct;
  if (!conv.bias) return {{kind, algorithm, x, w, y, strides, dilations, begin, end}, attr, engine};
  const memory::desc b({conv.y[1]}, type, memory::format_tag::x);
  return {{kind, algorithm, x, w, b, y, strides, dilations, begin, end}, attr, engine};
}

// The wished-for layout, or plain where oneDNN has only its slow reference for it.
dnnl::convolution_forward::primitive_desc describe_fast(const ConvProblem& conv, Layout wish,
                                                        const dnnl::engine& engine) {
  if (wish != Layout::kPlain) {
    try {
      const auto desc = describe(conv, wish, engine);
      if (!is_onednn_reference(desc)) return desc;
    } catch (const dnnl::error&) {
    }
  }
  return describe(conv, Layout::kPlain, engine);
}

void add_conv(PrimitiveKernel& kernel, const ConvProblem& conv, Layout layout, std::span<const TensorView> constants) {
  const auto desc = describe_fast(conv, layout, kernel.engine());
  const memory::desc x = plain_desc(conv.x, conv.dtype), w = plain_desc(conv.w, conv.dtype),
                     y = plain_desc(conv.y, conv.dtype);
  add_weighted<dnnl::convolution_forward>(kernel, desc, x, w, y, conv.bias, constants[1]);
}

Result<std::unique_ptr<Kernel>> create_conv(const Problem& problem, const Config& config,
                                            std::span<const TensorView> constants) {
  if (config.size() != 1 || static_cast<uint8_t>(config[0]) >= kNumLayouts) {
    return corrupt_engine("the configuration of cpu.conv.onednn is damaged");
  }
  const auto& op = static_cast<const Conv&>(*problem.op);
  HONE_ASSIGN(const ConvProblem conv, read_problem(problem, op));
  if (count_of(conv.x) == 0 || count_of(conv.y) == 0 || count_of(conv.w) == 0) {
    return make_fill(conv.bias ? std::optional<size_t>(2) : std::nullopt);
  }
  const TeamSize team(problem.threads);
  auto kernel = std::make_unique<PrimitiveKernel>(problem.threads);
  HONE_TRY(guard_onednn([&] {
    add_conv(*kernel, conv, static_cast<Layout>(config[0]), constants);
    return Status();
  }));
  return std::unique_ptr<Kernel>(std::move(kernel));
}

}  // namespace

const KernelDef kConvOneDnn = {
    .name = "cpu.conv.onednn",
    .op = "Conv",
    .version = 1,
    .shapes = ShapeSupport::kFixed,
    .candidates = conv_candidates,
    .create = create_conv,
    .run_allocates = true,
};

}  // namespace hone::cpu

#endif
