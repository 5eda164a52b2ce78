// Transposed convolution by oneDNN, through whatever layout it likes best.
#ifndef HONE_STD_THREADS

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

// oneDNN wants an output that the input reaches up to one stride.
bool is_reached(const ConvTranspose& op) {
  if (!op.output_shape.empty()) return false;
  for (size_t i = 0; i < op.output_padding.size(); ++i) {
    const int64_t stride = i < op.strides.size() ? op.strides[i] : 1;
    if (op.output_padding[i] >= stride) return false;
  }
  return true;
}

Result<std::vector<Config>> deconv_candidates(const Problem& problem, const DeviceInfo&) {
  HONE_TRY(expect_all(problem, DataType::kFloat32));
  HONE_TRY(check_reasonable(static_cast<const ConvTranspose&>(*problem.op)));
  const size_t rank = problem.inputs[0].type.shape.size();
  if (rank < 3 || rank > 5) return unsupported("takes one to three spatial axes");
  if (!is_reached(static_cast<const ConvTranspose&>(*problem.op))) {
    return unsupported("takes no output_shape, and output_padding below the stride only");
  }
  return one_way();
}

struct DeconvProblem {
  Extents x, w, y;  // w as ONNX has it: [C, M / group, kernel...]
  int64_t group = 1;
  bool bias = false;
  WindowGeometry window;
};

Result<DeconvProblem> read_problem(const Problem& problem, const ConvTranspose& op) {
  DeconvProblem deconv{.group = op.group, .bias = has_input(problem, 2)};
  HONE_ASSIGN(deconv.x, fixed_dims(problem.inputs[0].type));
  HONE_ASSIGN(deconv.w, fixed_dims(problem.inputs[1].type));
  HONE_ASSIGN(deconv.y, fixed_dims(problem.outputs[0].type));
  HONE_ASSIGN(deconv.window, conv_geometry(op, deconv.x, deconv.w));
  return deconv;
}

// oneDNN's order of the axes, [group,] M / group, C / group, kernel..., over ONNX's memory.
memory::desc weights_desc(const DeconvProblem& deconv) {
  const Extents strides = row_major_strides(deconv.w);
  memory::dims dims, steps;
  if (deconv.group > 1) {
    dims.push_back(deconv.group);
    steps.push_back(strides[0] * (deconv.w[0] / deconv.group));
  }
  dims.insert(dims.end(), {deconv.w[1], deconv.w[0] / deconv.group});
  steps.insert(steps.end(), {strides[1], strides[0]});
  for (size_t i = 2; i < deconv.w.size(); ++i) {
    dims.push_back(deconv.w[i]);
    steps.push_back(strides[i]);
  }
  return {dims, memory::data_type::f32, steps};
}

memory::desc any_layout(const memory::desc& desc) { return {desc.dims(), desc.data_type(), memory::format_tag::any}; }

dnnl::deconvolution_forward::primitive_desc describe(const DeconvProblem& deconv, bool plain,
                                                     const dnnl::engine& engine) {
  memory::desc x = plain_desc(deconv.x, DataType::kFloat32), y = plain_desc(deconv.y, DataType::kFloat32);
  if (!plain) {
    x = any_layout(x);
    y = any_layout(y);
  }
  const memory::desc w = any_layout(weights_desc(deconv));
  const WindowGeometry& window = deconv.window;
  memory::dims dilations, end;
  for (size_t i = 0; i < window.rank(); ++i) {
    const int64_t span = (window.kernel[i] - 1) * window.dilations[i] + 1;
    dilations.push_back(window.dilations[i] - 1);
    end.push_back((deconv.x[i + 2] - 1) * window.strides[i] + span - window.pads_begin[i] - deconv.y[i + 2]);
  }
  const memory::dims strides = onednn_dims(window.strides), begin = onednn_dims(window.pads_begin);
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const auto kind = dnnl::prop_kind::forward_inference;
  const auto algorithm = dnnl::algorithm::deconvolution_direct;
  if (!deconv.bias) return {{kind, algorithm, x, w, y, strides, dilations, begin, end}, attr, engine};
  const memory::desc b({deconv.y[1]}, memory::data_type::f32, memory::format_tag::x);
  return {{kind, algorithm, x, w, b, y, strides, dilations, begin, end}, attr, engine};
}

void add_deconv(PrimitiveKernel& kernel, const DeconvProblem& deconv, std::span<const TensorView> constants) {
  auto desc = describe(deconv, /*plain=*/false, kernel.engine());
  if (is_onednn_reference(desc)) desc = describe(deconv, /*plain=*/true, kernel.engine());
  const memory::desc x = plain_desc(deconv.x, DataType::kFloat32), w = weights_desc(deconv),
                     y = plain_desc(deconv.y, DataType::kFloat32);
  add_weighted<dnnl::deconvolution_forward>(kernel, desc, x, w, y, deconv.bias, constants[1]);
}

Result<std::unique_ptr<Kernel>> create_deconv(const Problem& problem, const Config&,
                                              std::span<const TensorView> constants) {
  HONE_ASSIGN(const DeconvProblem deconv, read_problem(problem, static_cast<const ConvTranspose&>(*problem.op)));
  if (count_of(deconv.x) == 0 || count_of(deconv.y) == 0 || count_of(deconv.w) == 0) {
    return make_fill(deconv.bias ? std::optional<size_t>(2) : std::nullopt);
  }
  const TeamSize team(problem.threads);
  auto kernel = std::make_unique<PrimitiveKernel>(problem.threads);
  HONE_TRY(guard_onednn([&] {
    add_deconv(*kernel, deconv, constants);
    return Status();
  }));
  return std::unique_ptr<Kernel>(std::move(kernel));
}

}  // namespace

const KernelDef kConvTransposeOneDnn = {
    .name = "cpu.conv_transpose.onednn",
    .op = "ConvTranspose",
    .version = 1,
    .shapes = ShapeSupport::kFixed,
    .candidates = deconv_candidates,
    .create = create_deconv,
    .run_allocates = true,
};

}  // namespace hone::cpu

#endif
