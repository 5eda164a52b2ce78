// Shape setting: symbols from inputs, then step by step the concrete shapes, with the host values they need.
#include <algorithm>

#include "ops/operand.h"
#include "runtime/context_state.h"

namespace hone {

namespace {

int64_t as_int64(const TensorView& view, size_t i) {
  switch (view.dtype) {
    case DataType::kInt64: return view.as<int64_t>()[i];
    case DataType::kInt32: return view.as<int32_t>()[i];
    case DataType::kInt16: return view.as<int16_t>()[i];
    case DataType::kInt8: return view.as<int8_t>()[i];
    case DataType::kUint64: return static_cast<int64_t>(view.as<uint64_t>()[i]);
    case DataType::kUint32: return view.as<uint32_t>()[i];
    case DataType::kUint16: return view.as<uint16_t>()[i];
    case DataType::kUint8: return view.as<uint8_t>()[i];
    case DataType::kBool: return view.as<bool>()[i];
    default: return Dim::kUnbound;
  }
}

bool mentions(const Shape& shape, const std::vector<SymbolId>& symbols) {
  bool found = false;
  const auto look = [&](SymbolId id) { found |= std::find(symbols.begin(), symbols.end(), id) != symbols.end(); };
  for (const Dim& dim : shape) dim.visit_symbols(look);
  return found;
}

}  // namespace

std::string where(const Step& step) { return "in node '" + step.name + "' (" + std::string(step.op->name()) + ")"; }

void ContextState::select(int new_profile) {
  profile = new_profile;
  plan_state = &engine->plans[static_cast<size_t>(new_profile)];
  plan = plan_state->plan;
  bindings.assign(plan->bindings.size(), {});
  symbols.assign(plan->symbols.size(), Dim::kUnbound);
  values.assign(plan->values.size(), {});
  storages.clear();
  storages.resize(plan->storages.size());
  steps.clear();
  steps.resize(plan->steps.size());
  step_us.assign(plan->steps.size(), 0);
  lifetimes = storage_lifetimes(*plan);
  prepared = has_run = false;
  for (size_t i = 0; i < bindings.size(); ++i) {
    const Shape& shape = plan->values[static_cast<size_t>(plan->bindings[i].value)].type.shape;
    if (!plan->bindings[i].is_input || !is_const(shape)) continue;
    bindings[i].shape.emplace();
    for (const Dim& dim : shape) bindings[i].shape->push_back(dim.value());
  }
}

int ContextState::binding_index(std::string_view name) const {
  for (size_t i = 0; i < plan->bindings.size(); ++i) {
    if (plan->bindings[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

Status ContextState::bind_input_dims(const PlanBinding& binding, const Extents& dims) {
  const Shape& shape = plan->values[static_cast<size_t>(binding.value)].type.shape;
  const auto name = [&](SymbolId id) { return plan->symbols[id].name; };
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const Dim& dim = shape[axis];
    if (!dim.is_const() && dim.expr()->kind == DimExpr::Kind::kSymbol && symbols[dim.expr()->symbol] == Dim::kUnbound) {
      symbols[dim.expr()->symbol] = dims[axis];
    }
    const std::optional<int64_t> expected = dim.eval(symbols);
    if (expected != dims[axis]) {
      return invalid_argument("input '" + binding.name + "' has shape " + to_string(dims) + ", but its dimension " +
                              std::to_string(axis) + " (" + dim.to_string(name) + ") must be " +
                              (expected ? std::to_string(*expected) : "known"));
    }
  }
  return {};
}

Status ContextState::check_profile(const PlanBinding& binding, const BindingState& state) const {
  const auto check = [&](const std::vector<DimRange>& ranges, size_t i, int64_t value, const char* what) -> Status {
    if (i >= ranges.size() || (value >= ranges[i].min && value <= ranges[i].max)) return {};
    return invalid_argument("input '" + binding.name + "': " + what + " " + std::to_string(i) + " is " +
                            std::to_string(value) + ", profile " + std::to_string(profile) + " allows " +
                            std::to_string(ranges[i].min) + " to " + std::to_string(ranges[i].max));
  };
  if (const auto it = plan->profile.inputs.find(binding.name); it != plan->profile.inputs.end()) {
    for (size_t i = 0; i < state.shape->size(); ++i) HONE_TRY(check(it->second, i, (*state.shape)[i], "dimension"));
  }
  if (const auto it = plan->profile.values.find(binding.name); it != plan->profile.values.end()) {
    const TensorView view = state.value.view();
    for (size_t i = 0; view.present() && i < static_cast<size_t>(view.count()); ++i) {
      HONE_TRY(check(it->second, i, as_int64(view, i), "element"));
    }
  }
  return {};
}

Status ContextState::bind_inputs() {
  std::fill(symbols.begin(), symbols.end(), Dim::kUnbound);
  std::fill(values.begin(), values.end(), ValueState{});
  for (size_t i = 0; i < values.size(); ++i) {
    if (plan_state->constants[i].present()) values[i] = {plan_state->constants[i].dims, true, true};
  }
  for (size_t i = 0; i < bindings.size(); ++i) {
    const PlanBinding& binding = plan->bindings[i];
    BindingState& state = bindings[i];
    if (!binding.is_input) continue;
    if (binding.is_shape_value && state.buffer.present() && state.sized_buffer) {
      HONE_ASSIGN(state.value, Tensor::make(state.buffer.dtype, state.buffer.dims));
      std::copy_n(state.buffer.data, state.buffer.bytes(), state.value.mutable_data());
    }
    if (!state.shape || (binding.is_shape_value && !state.value.defined())) {
      return invalid_argument(std::string("the ") + (binding.is_shape_value ? "value" : "shape") + " of input '" +
                              binding.name + "' isn't set: call " +
                              (binding.is_shape_value ? "set_input_value()" : "set_input_shape()"));
    }
    HONE_TRY(bind_input_dims(binding, *state.shape));
    HONE_TRY(check_profile(binding, state));
    HONE_ASSIGN(const int64_t count, checked_count(*state.shape).with_context("input '" + binding.name + "'"));
    HONE_TRY(checked_bytes(plan->values[static_cast<size_t>(binding.value)].type.dtype, count).status());
    values[static_cast<size_t>(binding.value)] = {*state.shape, true, true};
    if (binding.is_shape_value) {
      StorageState& storage = storages[plan->values[static_cast<size_t>(binding.value)].storage];
      storage.data = state.value.mutable_data();
      storage.bytes = state.value.bytes();
      bind_host_value(binding.value);
    }
  }
  return {};
}

// Binds the symbols that are elements of this value, now that its contents are there.
void ContextState::bind_host_value(ValueId id) {
  for (size_t i = 0; i < plan->symbols.size(); ++i) {
    const PlanSymbol& symbol = plan->symbols[i];
    if (symbol.kind != PlanSymbol::Kind::kHostValue || symbol.value != id) continue;
    const TensorView view{data_of(id), plan->values[static_cast<size_t>(id)].type.dtype,
                          values[static_cast<size_t>(id)].dims};
    if (view.data != nullptr && symbol.index < static_cast<uint64_t>(view.count())) {
      symbols[i] = as_int64(view, symbol.index);
    }
  }
}

bool ContextState::contents_known(ValueId id, bool running) const {
  const auto index = static_cast<size_t>(id);
  if (plan_state->constants[index].present()) return true;
  if (!values[index].exact) return false;
  const StorageId storage = plan->values[index].storage;
  if (running) return true;
  // While shapes are being set only host values have contents: shape-value inputs and results of shape steps.
  return storages[storage].data != nullptr && lifetimes[storage].host_value;
}

Result<std::vector<TensorType>> ContextState::infer_step(const Step& step, bool running) const {
  std::vector<Tensor> contents(step.inputs.size());
  std::vector<InferOperand> operands(step.inputs.size());
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const ValueId id = step.inputs[i];
    if (id < 0) continue;
    const ValueState& value = values[static_cast<size_t>(id)];
    if (!value.exact) return unsupported("the shape of operand " + std::to_string(i) + " isn't known yet");
    const DataType dtype = plan->values[static_cast<size_t>(id)].type.dtype;
    if (contents_known(id, running)) {
      contents[i] = Tensor::share(dtype, value.dims, data_of(id), nullptr);
      operands[i] = known_operand(contents[i]);
    } else {
      operands[i] = {true, {dtype, Shape(value.dims.begin(), value.dims.end())}, nullptr, {}};
    }
  }
  return infer_concrete(*step.op, step.body.get(), operands, step.outputs.size());
}

void ContextState::bind_resolved(const Step& step, std::span<const TensorType> types) {
  for (const SymbolId id : step.resolved) {
    const PlanSymbol& symbol = plan->symbols[id];
    for (size_t i = 0; i < types.size(); ++i) {
      if (step.outputs[i] == symbol.value && symbol.index < types[i].shape.size()) {
        symbols[id] = types[i].shape[symbol.index].value();
      }
    }
  }
}

// The plan's symbolic shapes and what inference says now must agree: a damaged or wrongly compiled plan is found here.
Status ContextState::check_planned(const Step& step, std::span<const TensorType> types) const {
  for (size_t i = 0; i < types.size(); ++i) {
    const PlanValue& value = plan->values[static_cast<size_t>(step.outputs[i])];
    if (value.type.dtype != types[i].dtype || value.type.shape.size() != types[i].shape.size()) {
      return corrupt_engine("the plan's type of '" + value.name + "' isn't what " + where(step) + " makes");
    }
    for (size_t axis = 0; axis < types[i].shape.size(); ++axis) {
      const std::optional<int64_t> planned = value.type.shape[axis].eval(symbols);
      if (planned && *planned != types[i].shape[axis].value()) {
        return corrupt_engine("the plan says that dimension " + std::to_string(axis) + " of '" + value.name + "' is " +
                              std::to_string(*planned) + ", " + where(step) + " makes it " +
                              std::to_string(types[i].shape[axis].value()));
      }
    }
  }
  return {};
}

// What the compiler assumed of dimensions that it couldn't compare. Those that aren't known yet are checked in run().
Status ContextState::check_requirements(const Step& step) const {
  const auto name = [&](SymbolId id) { return plan->symbols[id].name; };
  for (const DimRequirement& need : step.requirements) {
    const std::optional<int64_t> a = need.a.eval(symbols), b = need.b.eval(symbols);
    const bool one = need.kind == DimRequirement::Kind::kBroadcastable && (a == 1 || b == 1);
    if (!a || !b || *a == *b || one) continue;
    return invalid_argument(where(step) + ": " + need.a.to_string(name) + " is " + std::to_string(*a) + " and " +
                            need.b.to_string(name) + " is " + std::to_string(*b) + "; they must be equal" +
                            (need.kind == DimRequirement::Kind::kBroadcastable ? ", or one of them 1" : ""));
  }
  return {};
}

// Finds the shapes of one step's results. Leaves the step dynamic when they can't be known before run().
Status ContextState::resolve(size_t index, bool running) {
  const Step& step = plan->steps[index];
  StepState& state = steps[index];
  Result<std::vector<TensorType>> types = infer_step(step, running);
  if (!types.ok()) {
    const bool later = types.status().code() == Code::kUnsupported && !running && step.stage == Step::Stage::kRun;
    state.dynamic = later;
    if (later) return {};
    // The model was sound when it was built: what doesn't fit now is what the caller gave.
    return Status(running ? Code::kRuntime : Code::kInvalidArgument, types.status().message())
        .with_context(where(step));
  }
  state.dynamic = running;
  bind_resolved(step, *types);
  HONE_TRY(check_requirements(step));
  HONE_TRY(check_planned(step, *types));
  for (size_t i = 0; i < step.outputs.size(); ++i) {
    const auto id = static_cast<size_t>(step.outputs[i]);
    ValueState& value = values[id];
    value = {{}, true, true};
    for (const Dim& dim : (*types)[i].shape) value.dims.push_back(dim.value());
    value.exact = step.counted.empty() || !mentions(plan->values[id].type.shape, step.counted);
    HONE_ASSIGN(const int64_t count, checked_count(value.dims).with_context(where(step)));
    HONE_TRY(checked_bytes((*types)[i].dtype, count).status().with_context(where(step)));
  }
  return {};
}

bool ContextState::shape_values_changed() const {
  for (size_t i = 0; i < bindings.size(); ++i) {
    const BindingState& state = bindings[i];
    if (!plan->bindings[i].is_shape_value || !state.buffer.present() || !state.value.defined()) continue;
    if (!std::equal(state.buffer.data, state.buffer.data + state.value.bytes(), state.value.data())) return true;
  }
  return false;
}

}  // namespace hone
