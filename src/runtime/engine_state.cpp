#include "runtime/engine_state.h"

#include <algorithm>

#include "backend/backend.h"

namespace hone {

namespace {

constexpr const char* kRebuild = "rebuild it on this machine: hone build MODEL.onnx -o MODEL.hone";

Status incompatible(std::string message) { return {Code::kIncompatibleEngine, std::move(message) + "; " + kRebuild}; }

// Instruction sets in ascending order: an engine for one runs on machines with that one or a later one.
int isa_rank(std::string_view isa) {
  constexpr std::string_view kOrder[] = {"", "x86-64", "sse42", "avx2", "avx512"};
  const auto it = std::find(std::begin(kOrder), std::end(kOrder), isa);
  return it == std::end(kOrder) ? INT32_MAX : static_cast<int>(it - std::begin(kOrder));
}

Result<const TunedPart*> choose_part(const EngineImage& image, const DeviceInfo& device) {
  std::string have;
  for (const TunedPart& part : image.tuned) {
    const bool runs_anywhere = part.target.backend == "reference";
    if (runs_anywhere || (part.target.backend == device.backend && isa_rank(part.target.isa) <= isa_rank(device.isa))) {
      return &part;
    }
    have += (have.empty() ? "" : ", ") + part.target.backend + " " + part.target.isa;
  }
  return incompatible("the engine was built for " + (have.empty() ? "no target" : have) + ", this machine offers " +
                      device.backend + " " + device.isa);
}

Binding make_binding(const Plan& plan, const PlanBinding& source) {
  Binding binding{.name = source.name, .is_input = source.is_input, .is_shape_value = source.is_shape_value};
  const TensorType& type = plan.values[static_cast<size_t>(source.value)].type;
  binding.dtype = type.dtype;
  const auto name = [&](SymbolId id) { return plan.symbols[id].name; };
  for (const Dim& dim : type.shape) {
    binding.shape.push_back(dim.as_const().value_or(-1));
    binding.dim_names.push_back(dim.to_string(name));
  }
  return binding;
}

Result<TensorView> constant_view(const EngineImage& image, const PlanStorage& storage, const PlanValue& value) {
  Extents dims;
  for (const Dim& dim : value.type.shape) dims.push_back(dim.value());
  const WeightBlock& block = image.weight_blocks[storage.index];
  HONE_ASSIGN(const int64_t count, checked_count(dims));
  HONE_ASSIGN(const size_t bytes, checked_bytes(value.type.dtype, count));
  const auto offset = static_cast<uint64_t>(value.offset_bytes.value());
  if (offset > block.bytes || bytes > block.bytes - offset) {
    return corrupt_engine("the constant '" + value.name + "' lies outside its weight block");
  }
  const std::byte* data = image.weights.data() + block.offset + offset;
  return TensorView{const_cast<std::byte*>(data), value.type.dtype, dims};
}

bool has_fixed_shapes(const Plan& plan, const Step& step) {
  const auto fixed = [&](ValueId id) { return id < 0 || is_const(plan.values[static_cast<size_t>(id)].type.shape); };
  return std::all_of(step.inputs.begin(), step.inputs.end(), fixed) &&
         std::all_of(step.outputs.begin(), step.outputs.end(), fixed);
}

Status create_kernels(const Plan& plan, PlanState& state, const DeviceInfo& device,
                      std::span<const Backend* const> backends) {
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    if (step.kernel.empty()) continue;
    const auto backend =
        std::find_if(backends.begin(), backends.end(), [&](const Backend* b) { return b->name == step.backend; });
    const KernelDef* def = backend == backends.end() ? nullptr : find_kernel(**backend, step.kernel);
    if (def == nullptr || def->version != step.kernel_version) {
      return incompatible("the kernel '" + step.kernel + "' (version " + std::to_string(step.kernel_version) +
                          ") of node '" + step.name + "' isn't in this version of Hone");
    }
    // A kernel for another operator would read operands that aren't there.
    if (def->op != nullptr ? step.op->name() != def->op : step.body == nullptr) {
      return corrupt_engine("the kernel '" + step.kernel + "' doesn't serve the operator of node '" + step.name + "'");
    }
    state.defs[i] = def;
    if (def->shapes == ShapeSupport::kFixed && !has_fixed_shapes(plan, step)) continue;
    const Problem problem = step_problem(plan, step, state, device.threads);
    HONE_ASSIGN(state.kernels[i], def->create(problem, step.config, step_constants(step, state))
                                      .with_context("creating the kernel of node '" + step.name + "'"));
  }
  return {};
}

}  // namespace

Problem step_problem(const Plan& plan, const Step& step, const PlanState& state, int threads) {
  Problem problem{.op = step.op, .body = step.body, .threads = threads};
  const auto operand = [&](ValueId id) -> ProblemOperand {
    if (id < 0) return {};
    return {true, plan.values[static_cast<size_t>(id)].type, state.constants[static_cast<size_t>(id)].present()};
  };
  for (const ValueId id : step.inputs) problem.inputs.push_back(operand(id));
  for (const ValueId id : step.outputs) problem.outputs.push_back(operand(id));
  return problem;
}

Problem step_problem(const Plan& plan, const Step& step, const PlanState& state, int threads,
                     std::span<const TensorView> inputs, std::span<const TensorView> outputs) {
  Problem problem = step_problem(plan, step, state, threads);
  for (size_t i = 0; i < inputs.size(); ++i) {
    problem.inputs[i].type.shape.assign(inputs[i].dims.begin(), inputs[i].dims.end());
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    problem.outputs[i].type.shape.assign(outputs[i].dims.begin(), outputs[i].dims.end());
  }
  return problem;
}

std::vector<TensorView> step_constants(const Step& step, const PlanState& state) {
  std::vector<TensorView> constants;
  for (const ValueId id : step.inputs) {
    constants.push_back(id < 0 ? TensorView{} : state.constants[static_cast<size_t>(id)]);
  }
  return constants;
}

Result<std::shared_ptr<const EngineState>> make_engine_state(LoadedImage loaded, const DeviceInfo& device,
                                                             std::span<const Backend* const> backends) {
  auto state = std::make_shared<EngineState>();
  state->loaded = std::move(loaded);
  state->device = device;
  HONE_ASSIGN(state->part, choose_part(state->loaded.image, device));
  if (state->part->plans.empty()) return corrupt_engine("the engine has no plan");
  for (const PlanBinding& binding : state->part->plans[0].bindings) {
    state->bindings.push_back(make_binding(state->part->plans[0], binding));
  }
  for (const Plan& plan : state->part->plans) {
    const auto same = [](const PlanBinding& a, const PlanBinding& b) {
      return a.name == b.name && a.is_input == b.is_input;
    };
    if (!std::equal(plan.bindings.begin(), plan.bindings.end(), state->part->plans[0].bindings.begin(),
                    state->part->plans[0].bindings.end(), same)) {
      return corrupt_engine("the engine's profiles differ in their bindings");
    }
    PlanState& plan_state = state->plans.emplace_back();
    plan_state.plan = &plan;
    plan_state.constants.resize(plan.values.size());
    plan_state.defs.resize(plan.steps.size());
    plan_state.kernels.resize(plan.steps.size());
    for (size_t i = 0; i < plan.values.size(); ++i) {
      const PlanStorage& storage = plan.storages[plan.values[i].storage];
      if (storage.kind != PlanStorage::Kind::kConstant) continue;
      HONE_ASSIGN(plan_state.constants[i], constant_view(state->loaded.image, storage, plan.values[i]));
    }
    HONE_TRY(create_kernels(plan, plan_state, device, backends));
  }
  return std::shared_ptr<const EngineState>(std::move(state));
}

}  // namespace hone
