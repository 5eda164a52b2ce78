// Runs a fused node's body step by step. Built for fixed shapes, so that all types, places and sub-kernels are known
// when it runs. A step's result lies in an output of the node where it is one, else in the workspace:
//   [views of all values][views of one step's operands][intermediates, each its own][the largest step's workspace]

#include <algorithm>
#include <cstring>
#include <list>
#include <new>

#include "backends/reference/backend.h"
#include "backends/reference/infer.h"
#include "backends/reference/kernels.h"
#include "ops/operand.h"

namespace hone::reference {

namespace {

constexpr size_t kAlignment = 64;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// One value of the body.
struct Value {
  TensorView view;            // data is set for constants only
  int32_t output = -1;        // of the node: where it is computed
  size_t scratch = SIZE_MAX;  // offset in the workspace
};

struct BodyStep {
  std::unique_ptr<Kernel> kernel;
  std::vector<int32_t> operands;
  size_t first_result = 0, num_results = 0;  // value numbers
};

class BodyKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> create(const Problem& problem, std::span<const TensorView> constants) {
    auto kernel = std::unique_ptr<BodyKernel>(new BodyKernel(problem.body));
    HONE_TRY(kernel->add_operands(problem, constants));
    for (const Body::Step& step : problem.body->steps) {
      HONE_TRY(kernel->add_step(step, problem.threads).with_context("in the body's " + std::string(step.op->name())));
    }
    HONE_TRY(kernel->place(problem));
    return std::unique_ptr<Kernel>(std::move(kernel));
  }

  size_t workspace_bytes(const KernelArgs&) const override { return step_workspace_offset_ + step_workspace_bytes_; }

  Status run(const KernelArgs& args) const override {
    auto* const views = new (args.workspace) TensorView[values_.size()];
    for (size_t i = 0; i < values_.size(); ++i) {
      views[i] = values_[i].view;
      if (i < args.inputs.size()) views[i] = args.inputs[i];
      if (values_[i].output >= 0) views[i].data = args.outputs[static_cast<size_t>(values_[i].output)].data;
      if (values_[i].scratch != SIZE_MAX) views[i].data = args.workspace + values_[i].scratch;
    }
    auto* const operands = new (args.workspace + operand_views_offset_) TensorView[max_operands_];
    for (const BodyStep& step : steps_) {
      for (size_t i = 0; i < step.operands.size(); ++i) {
        operands[i] = step.operands[i] < 0 ? TensorView() : views[step.operands[i]];
      }
      HONE_TRY(step.kernel->run({.inputs = {operands, step.operands.size()},
                                 .outputs = {views + step.first_result, step.num_results},
                                 .workspace = args.workspace + step_workspace_offset_,
                                 .counts = {},
                                 .device = args.device}));
    }
    for (size_t i = 0; i < results_.size(); ++i) {
      const TensorView& value = views[results_[i]];
      if (value.data != args.outputs[i].data && value.bytes() > 0) {
        std::memcpy(args.outputs[i].data, value.data, value.bytes());
      }
    }
    return {};
  }

 private:
  explicit BodyKernel(std::shared_ptr<const Body> body) : body_(std::move(body)), results_(body_->results) {}

  Status add_operands(const Problem& problem, std::span<const TensorView> constants) {
    if (problem.inputs.size() != body_->num_inputs) return invalid_model("the body's number of operands is another");
    const OutputTypes inputs = [&] {
      OutputTypes types;
      for (const ProblemOperand& operand : problem.inputs) types.types.push_back(operand.type);
      return types;
    }();
    for (size_t i = 0; i < problem.inputs.size(); ++i) {
      const bool constant = i < constants.size() && constants[i].present();
      if (constant)
        contents_.push_back(Tensor::share(constants[i].dtype, constants[i].dims, constants[i].data, nullptr));
      HONE_ASSIGN(const Extents dims, inputs.dims(i, {}));
      values_.push_back({.view = {nullptr, inputs.types[i].dtype, dims}});
      infer_.push_back(constant ? known_operand(contents_.back())
                                : InferOperand{.present = problem.inputs[i].present, .type = inputs.types[i]});
    }
    for (const Tensor& tensor : body_->constants) {
      values_.push_back({.view = tensor.view()});
      infer_.push_back(known_operand(tensor));
    }
    return {};
  }

  Status add_step(const Body::Step& step, int threads) {
    Problem problem{.op = step.op, .body = nullptr, .inputs = {}, .outputs = {}, .threads = threads};
    std::vector<InferOperand> operands;
    std::vector<TensorView> views, constants(step.operands.size());
    for (const int32_t id : step.operands) {
      if (id >= static_cast<int32_t>(values_.size())) return invalid_model("reads a value before it is made");
      operands.push_back(id < 0 ? InferOperand{} : infer_[static_cast<size_t>(id)]);
      views.push_back(id < 0 ? TensorView{} : values_[static_cast<size_t>(id)].view);
      problem.inputs.push_back({.present = operands.back().present, .type = operands.back().type});
    }
    HONE_ASSIGN(OutputTypes known, infer_types(*step.op, operands, step.types.size()));
    if (!known.bounds.empty()) return unsupported("counts a dimension, which a body can't do");
    BodyStep made{.kernel = nullptr,
                  .operands = step.operands,
                  .first_result = values_.size(),
                  .num_results = known.types.size()};
    std::vector<TensorView> outputs;
    for (size_t i = 0; i < known.types.size(); ++i) {
      HONE_ASSIGN(const Extents dims, known.dims(i, {}));
      outputs.push_back({nullptr, known.types[i].dtype, dims});
      values_.push_back({.view = outputs.back()});
      infer_.push_back({.present = true, .type = known.types[i]});
      problem.outputs.push_back({.present = true, .type = known.types[i]});
    }
    const KernelDef* def = kernel_for(*step.op);
    if (def == nullptr) return unsupported("has no reference kernel");
    HONE_ASSIGN(made.kernel, def->create(problem, {}, constants));
    const KernelArgs args{.inputs = views, .outputs = outputs};
    step_workspace_bytes_ = std::max(step_workspace_bytes_, made.kernel->workspace_bytes(args));
    max_operands_ = std::max(max_operands_, made.operands.size());
    steps_.push_back(std::move(made));
    return {};
  }

  Status place(const Problem& problem) {
    const size_t first_step_value = body_->num_inputs + body_->constants.size();
    for (size_t i = 0; i < results_.size(); ++i) {
      const int32_t id = results_[i];
      if (id < 0 || id >= static_cast<int32_t>(values_.size())) return invalid_model("a body's result doesn't exist");
      Value& value = values_[static_cast<size_t>(id)];
      if (i >= problem.outputs.size() || problem.outputs[i].type.dtype != value.view.dtype) {
        return invalid_model("a body's result has another type than the node's output");
      }
      if (static_cast<size_t>(id) >= first_step_value && value.output < 0) value.output = static_cast<int32_t>(i);
    }
    operand_views_offset_ = aligned(values_.size() * sizeof(TensorView));
    size_t end = operand_views_offset_ + aligned(max_operands_ * sizeof(TensorView));
    for (size_t id = first_step_value; id < values_.size(); ++id) {
      if (values_[id].output >= 0) continue;
      HONE_ASSIGN(const size_t bytes, checked_bytes(values_[id].view.dtype, values_[id].view.count()));
      values_[id].scratch = end;
      if (__builtin_add_overflow(end, aligned(bytes), &end)) return resource_error("a body's intermediates overflow");
    }
    step_workspace_offset_ = end;
    infer_.clear();
    return {};
  }

  std::shared_ptr<const Body> body_;
  std::vector<int32_t> results_;
  std::vector<Value> values_;
  std::vector<BodyStep> steps_;
  size_t max_operands_ = 0;
  size_t operand_views_offset_ = 0, step_workspace_offset_ = 0, step_workspace_bytes_ = 0;
  // While it is built: what inference knows of each value, and the contents that `infer_` points at.
  std::vector<InferOperand> infer_;
  std::list<Tensor> contents_;
};

Result<std::vector<Config>> body_candidates(const Problem& problem, const DeviceInfo&) {
  for (const Body::Step& step : problem.body->steps) {
    if (kernel_for(*step.op) == nullptr) {
      return unsupported("there is no reference kernel for the body's " + std::string(step.op->name()));
    }
  }
  return std::vector<Config>(1);
}

Result<std::unique_ptr<Kernel>> create_body(const Problem& problem, const Config&,
                                            std::span<const TensorView> constants) {
  return BodyKernel::create(problem, constants);
}

}  // namespace

const KernelDef kBody = {
    .name = "reference.body",
    .op = nullptr,
    .version = 1,
    .shapes = ShapeSupport::kFixed,
    .candidates = body_candidates,
    .create = create_body,
};

}  // namespace hone::reference
