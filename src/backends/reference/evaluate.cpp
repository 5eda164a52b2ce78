#include "backends/reference/backend.h"
#include "backends/reference/infer.h"
#include "base/parallel.h"
#include "base/trim.h"
#include "ops/operand.h"

namespace hone::reference {

namespace {

Result<OutputTypes> infer_tensors(const Op& op, std::span<const Tensor> inputs, size_t num_outputs) {
  std::vector<InferOperand> operands;
  for (const Tensor& tensor : inputs) operands.push_back(tensor.defined() ? known_operand(tensor) : InferOperand{});
  return infer_types(op, operands, num_outputs);
}

Problem problem_of(const OpPtr& op, std::span<const Tensor> inputs, std::span<const Tensor> outputs, int threads) {
  const auto operand = [](const Tensor& tensor) {
    return ProblemOperand{.present = tensor.defined(),
                          .type = {tensor.dtype(), Shape(tensor.dims().begin(), tensor.dims().end())},
                          .constant = false};
  };
  Problem problem{.op = op, .body = nullptr, .inputs = {}, .outputs = {}, .threads = threads};
  for (const Tensor& tensor : inputs) problem.inputs.push_back(operand(tensor));
  for (const Tensor& tensor : outputs) problem.outputs.push_back(operand(tensor));
  return problem;
}

Result<std::unique_ptr<Kernel>> create_kernel(const Problem& problem) {
  const KernelDef* def = kernel_for(*problem.op);
  if (def == nullptr) return unsupported("the reference backend has no kernel for " + std::string(problem.op->name()));
  const DeviceInfo device{.backend = "reference", .name = {}, .isa = {}, .threads = problem.threads};
  HONE_ASSIGN(const std::vector<Config> configs, def->candidates(problem, device));
  const std::vector<TensorView> no_constants(problem.inputs.size());
  return def->create(problem, configs.front(), no_constants);
}

std::vector<TensorView> views_of(std::span<const Tensor> tensors) {
  std::vector<TensorView> views;
  for (const Tensor& tensor : tensors) views.push_back(tensor.view());
  return views;
}

// Cuts outputs down to what the kernel counted.
Status trim_outputs(const OutputTypes& known, std::span<const int64_t> counts, std::vector<Tensor>& outputs) {
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < 0 || counts[i] > known.bounds[i]) {
      return runtime_error("the kernel counted " + std::to_string(counts[i]) + ", at most " +
                           std::to_string(known.bounds[i]) + " is possible");
    }
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    HONE_ASSIGN(const Extents dims, known.dims(i, counts));
    if (dims == outputs[i].dims()) continue;
    trim(outputs[i].view(), dims);
    HONE_ASSIGN(Tensor trimmed, Tensor::make(outputs[i].dtype(), dims));
    std::copy_n(outputs[i].data(), trimmed.bytes(), trimmed.mutable_data());
    outputs[i] = std::move(trimmed);
  }
  return {};
}

Result<std::vector<Tensor>> evaluate_op(const OpPtr& op, std::span<const Tensor> inputs, size_t num_outputs) {
  static const int kThreads = available_threads();
  HONE_ASSIGN(const OutputTypes known, infer_tensors(*op, inputs, num_outputs));
  std::vector<Tensor> outputs;
  for (size_t i = 0; i < num_outputs; ++i) {
    HONE_ASSIGN(const Extents dims, known.dims(i, known.bounds));
    HONE_ASSIGN(outputs.emplace_back(), Tensor::make(known.types[i].dtype, dims));
  }
  HONE_ASSIGN(const std::unique_ptr<Kernel> kernel, create_kernel(problem_of(op, inputs, outputs, kThreads)));
  const std::vector<TensorView> in = views_of(inputs), out = views_of(outputs);
  std::vector<int64_t> counts(known.bounds.size());
  DeviceContext device{.threads = kThreads};
  KernelArgs args{.inputs = in, .outputs = out, .workspace = nullptr, .counts = counts, .device = &device};
  const int64_t workspace_bytes = static_cast<int64_t>(kernel->workspace_bytes(args));
  HONE_ASSIGN(Tensor workspace, Tensor::make(DataType::kUint8, std::span(&workspace_bytes, 1)));
  args.workspace = workspace.mutable_data();
  HONE_TRY(kernel->run(args));
  HONE_TRY(trim_outputs(known, counts, outputs));
  return outputs;
}

Result<std::vector<Tensor>> evaluate_body(const Body& body, std::span<const Tensor> inputs) {
  if (inputs.size() != body.num_inputs) {
    return invalid_argument("a body with " + std::to_string(body.num_inputs) + " inputs was given " +
                            std::to_string(inputs.size()));
  }
  std::vector<Tensor> values(inputs.begin(), inputs.end());
  values.insert(values.end(), body.constants.begin(), body.constants.end());
  const auto value = [&](int32_t id) { return id < 0 ? Tensor() : values[static_cast<size_t>(id)]; };
  const auto exists = [&](int32_t id) { return id < static_cast<int32_t>(values.size()); };
  for (const Body::Step& step : body.steps) {
    std::vector<Tensor> operands;
    for (const int32_t id : step.operands) {
      if (!exists(id)) return invalid_model("a body reads a value before it is made");
      operands.push_back(value(id));
    }
    HONE_ASSIGN(std::vector<Tensor> made, evaluate(step.op, operands, step.types.size()));
    for (Tensor& tensor : made) values.push_back(std::move(tensor));
  }
  std::vector<Tensor> results;
  for (const int32_t id : body.results) {
    if (id < 0 || !exists(id)) return invalid_model("a body's result doesn't exist");
    results.push_back(value(id));
  }
  return results;
}

}  // namespace

const KernelDef* kernel_for(const Op& op) {
  for (const KernelDef* def : backend().kernels) {
    if (def->op != nullptr && op.name() == def->op) return def;
  }
  return nullptr;
}

Result<std::vector<Tensor>> evaluate(const OpPtr& op, std::span<const Tensor> inputs, size_t num_outputs,
                                     const std::shared_ptr<const Body>& body) {
  Result<std::vector<Tensor>> outputs = body ? evaluate_body(*body, inputs) : evaluate_op(op, inputs, num_outputs);
  return std::move(outputs).with_context("evaluating " + std::string(op->name()));
}

}  // namespace hone::reference
