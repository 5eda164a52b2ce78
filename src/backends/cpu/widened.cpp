// Problems in 16-bit floats by way of float32: operands are widened into the workspace, a kernel for float32 runs, and
// its results are narrowed, which rounds once as the reference does.
#include <algorithm>
#include <cstring>
#include <new>

#include "backends/cpu/backend.h"
#include "backends/cpu/half_convert.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/problem.h"
#include "base/aligned_buffer.h"
#include "base/parallel.h"

namespace hone::cpu {

namespace {

constexpr size_t kAlignment = 64;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

bool is_narrow(DataType dtype) { return dtype == DataType::kFloat16 || dtype == DataType::kBFloat16; }

// The problem in float32.
Problem widened(const Problem& problem) {
  Problem wide = problem;
  for (auto* list : {&wide.inputs, &wide.outputs}) {
    for (ProblemOperand& operand : *list) {
      if (is_narrow(operand.type.dtype)) operand.type.dtype = DataType::kFloat32;
    }
  }
  return wide;
}

TensorView widened(const TensorView& view) {
  return is_narrow(view.dtype) ? TensorView{nullptr, DataType::kFloat32, view.dims} : view;
}

// The first of our kernels that serves the problem in any shape.
const KernelDef* inner_kernel(const Problem& wide, const DeviceInfo& device) {
  for (const KernelDef* def : backend().kernels) {
    if (def->shapes != ShapeSupport::kAny || wide.op->name() != def->op) continue;
    if (def->candidates(wide, device).ok()) return def;
  }
  return nullptr;
}

void convert(int threads, const TensorView& from, const TensorView& to) {
  const bool widens = to.dtype == DataType::kFloat32;
  const DataType narrow_type = widens ? from.dtype : to.dtype;
  parallel_for(threads, from.count(), 16384, [&](int64_t begin, int64_t end) {
    const int64_t n = end - begin;
    if (narrow_type == DataType::kFloat16) {
      widens ? widen(from.as<const Half>() + begin, to.as<float>() + begin, n)
             : narrow(from.as<const float>() + begin, to.as<Half>() + begin, n);
    } else {
      widens ? widen(from.as<const BFloat16>() + begin, to.as<float>() + begin, n)
             : narrow(from.as<const float>() + begin, to.as<BFloat16>() + begin, n);
    }
  });
}

// Workspace: [views of operands and outputs][widened operands and outputs][the inner kernel's].
class WidenedKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> create(const Problem& problem, const Config&,
                                                std::span<const TensorView> constants) {
    auto kernel = std::make_unique<WidenedKernel>();
    const Problem wide = widened(problem);
    const KernelDef* const def = inner_kernel(wide, device_info(problem.threads));
    if (def == nullptr) return unsupported("no kernel serves the problem in float32");
    std::vector<TensorView> wide_constants;
    for (const TensorView& constant : constants) {
      wide_constants.push_back(widened(constant));
      if (!is_narrow(constant.dtype)) continue;
      AlignedBuffer& buffer = kernel->constants_.emplace_back();
      HONE_TRY(buffer.reserve(wide_constants.back().bytes() + 1));
      wide_constants.back().data = buffer.data();
      convert(problem.threads, constant, wide_constants.back());
    }
    kernel->constant_views_ = wide_constants;
    HONE_ASSIGN(kernel->inner_, def->create(wide, {}, wide_constants));
    return std::unique_ptr<Kernel>(std::move(kernel));
  }

  size_t workspace_bytes(const KernelArgs& args) const override {
    // The inner kernel wants float32 views; they live on the heap here, as this isn't run().
    std::vector<TensorView> inputs, outputs;
    size_t bytes = views_bytes(args);
    for (size_t i = 0; i < args.inputs.size(); ++i) {
      inputs.push_back(widened(args.inputs[i]));
      if (converts(args, i)) bytes += aligned(inputs.back().bytes());
    }
    for (const TensorView& output : args.outputs) {
      outputs.push_back(widened(output));
      if (is_narrow(output.dtype)) bytes += aligned(outputs.back().bytes());
    }
    return bytes + inner_->workspace_bytes({.inputs = inputs, .outputs = outputs, .device = args.device});
  }

  Status run(const KernelArgs& args) const override {
    const size_t num_inputs = args.inputs.size(), num_outputs = args.outputs.size();
    auto* const views = new (args.workspace) TensorView[num_inputs + num_outputs];
    std::byte* free = args.workspace + views_bytes(args);
    const auto take = [&free](TensorView& view) {
      view.data = free;
      free += aligned(view.bytes());
    };
    for (size_t i = 0; i < num_inputs; ++i) {
      views[i] = widened(args.inputs[i]);
      if (converts(args, i)) {
        take(views[i]);
        convert(args.device->threads, args.inputs[i], views[i]);
      } else if (is_narrow(args.inputs[i].dtype)) {
        views[i].data = constant_views_[i].data;
      }
    }
    TensorView* const outputs = views + num_inputs;
    for (size_t i = 0; i < num_outputs; ++i) {
      outputs[i] = widened(args.outputs[i]);
      if (is_narrow(args.outputs[i].dtype)) take(outputs[i]);
    }
    HONE_TRY(inner_->run({.inputs = {views, num_inputs},
                          .outputs = {outputs, num_outputs},
                          .workspace = free,
                          .counts = args.counts,
                          .device = args.device}));
    for (size_t i = 0; i < num_outputs; ++i) {
      if (is_narrow(args.outputs[i].dtype)) convert(args.device->threads, outputs[i], args.outputs[i]);
    }
    return {};
  }

 private:
  static size_t views_bytes(const KernelArgs& args) {
    return aligned((args.inputs.size() + args.outputs.size()) * sizeof(TensorView));
  }
  // Whether operand i must be widened in each run.
  bool converts(const KernelArgs& args, size_t i) const {
    return is_narrow(args.inputs[i].dtype) && !(i < constant_views_.size() && constant_views_[i].present());
  }

  std::unique_ptr<Kernel> inner_;
  std::vector<TensorView> constant_views_;  // of widened constants
  std::vector<AlignedBuffer> constants_;
};

Result<std::vector<Config>> widened_candidates(const Problem& problem, const DeviceInfo& device) {
  const DataType dtype = problem.outputs[0].type.dtype;
  if (!is_narrow(dtype)) return unsupported("takes float16 and bfloat16 only");
  for (const ProblemOperand& operand : problem.inputs) {
    if (operand.present && operand.type.dtype == DataType::kFloat32) return unsupported("mixes widths");
  }
  if (inner_kernel(widened(problem), device) == nullptr) return unsupported("no kernel serves it in float32");
  return one_way();
}

constexpr KernelDef widened_def(const char* name, const char* op) {
  return {.name = name,
          .op = op,
          .version = 1,
          .shapes = ShapeSupport::kAny,
          .candidates = widened_candidates,
          .create = WidenedKernel::create};
}

}  // namespace

const KernelDef kConvWidened = widened_def("cpu.conv.widened", "Conv");
const KernelDef kMatMulWidened = widened_def("cpu.matmul.widened", "MatMul");
const KernelDef kGemmWidened = widened_def("cpu.gemm.widened", "Gemm");
const KernelDef kMaxPoolWidened = widened_def("cpu.max_pool.widened", "MaxPool");
const KernelDef kAveragePoolWidened = widened_def("cpu.average_pool.widened", "AveragePool");
const KernelDef kGlobalAveragePoolWidened = widened_def("cpu.global_average_pool.widened", "GlobalAveragePool");
const KernelDef kSoftmaxWidened = widened_def("cpu.softmax.widened", "Softmax");
const KernelDef kLayerNormalizationWidened = widened_def("cpu.layer_normalization.widened", "LayerNormalization");
const KernelDef kSiLUWidened = widened_def("cpu.silu.widened", "SiLU");
const KernelDef kSigmoidWidened = widened_def("cpu.sigmoid.widened", "Sigmoid");
const KernelDef kErfWidened = widened_def("cpu.erf.widened", "Erf");
const KernelDef kReluWidened = widened_def("cpu.relu.widened", "Relu");
const KernelDef kLeakyReluWidened = widened_def("cpu.leaky_relu.widened", "LeakyRelu");
const KernelDef kHardSwishWidened = widened_def("cpu.hard_swish.widened", "HardSwish");
const KernelDef kAddWidened = widened_def("cpu.add.widened", "Add");
const KernelDef kMulWidened = widened_def("cpu.mul.widened", "Mul");

}  // namespace hone::cpu
