#include "base/guarded.h"
#include "runtime/context_state.h"

namespace hone {

namespace {

Status unknown_name(const Plan& plan, std::string_view name, bool inputs_only) {
  std::string names;
  for (const PlanBinding& binding : plan.bindings) {
    if (!inputs_only || binding.is_input) names += (names.empty() ? "" : ", ") + ("'" + binding.name + "'");
  }
  return invalid_argument("there is no " + std::string(inputs_only ? "input" : "input or output") + " named '" +
                          std::string(name) + "'; there are " + names);
}

Result<int> find_binding(const ContextState& state, std::string_view name, bool inputs_only) {
  const int index = state.binding_index(name);
  if (index < 0 || (inputs_only && !state.plan->bindings[static_cast<size_t>(index)].is_input)) {
    return unknown_name(*state.plan, name, inputs_only);
  }
  return index;
}

const TensorType& type_of(const ContextState& state, int index) {
  return state.plan->values[static_cast<size_t>(state.plan->bindings[static_cast<size_t>(index)].value)].type;
}

Status check_rank(const TensorType& type, std::string_view name, std::span<const int64_t> dims) {
  if (dims.size() != type.shape.size()) {
    return invalid_argument("input '" + std::string(name) + "' has rank " + std::to_string(type.shape.size()) +
                            ", the shape given is " + to_string(dims));
  }
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] < 0 || (type.shape[i].is_const() && type.shape[i].value() != dims[i])) {
      return invalid_argument("input '" + std::string(name) + "': dimension " + std::to_string(i) + " is " +
                              std::to_string(dims[i]) + ", expected " +
                              (type.shape[i].is_const() ? std::to_string(type.shape[i].value()) : "0 or more"));
    }
  }
  return {};
}

Status check_dtype(const TensorType& type, std::string_view name, DataType dtype) {
  if (type.dtype == dtype) return {};
  return invalid_argument("'" + std::string(name) + "' has elements of " + std::string(name_of(type.dtype)) +
                          ", the tensor given has " + std::string(name_of(dtype)));
}

Status check_alignment(const TensorType& type, std::string_view name, const void* address) {
  if (address == nullptr) return invalid_argument("the address given for '" + std::string(name) + "' is null");
  const size_t alignment = std::max<size_t>(bytes_of(type.dtype), 1);
  if (reinterpret_cast<uintptr_t>(address) % alignment == 0) return {};
  return invalid_argument("the address given for '" + std::string(name) + "' isn't aligned to its " +
                          std::to_string(alignment) + "-byte elements");
}

void set_shape(ContextState& state, int index, std::span<const int64_t> dims) {
  BindingState& binding = state.bindings[static_cast<size_t>(index)];
  const Extents extents(dims);
  if (binding.shape == extents) return;
  binding.shape = extents;
  state.prepared = false;
}

Status set_value(ContextState& state, int index, const TensorView& value) {
  BindingState& binding = state.bindings[static_cast<size_t>(index)];
  const bool same = binding.value.defined() && binding.value.dims() == value.dims &&
                    std::equal(value.data, value.data + value.bytes(), binding.value.data());
  if (same) return {};
  HONE_ASSIGN(Tensor copy, Tensor::make(value.dtype, value.dims));
  std::copy_n(value.data, value.bytes(), copy.mutable_data());
  binding.value = std::move(copy);
  state.prepared = false;
  return {};
}

}  // namespace

ExecutionContext::ExecutionContext(std::unique_ptr<ContextState> state) : state_(std::move(state)) {}
ExecutionContext::ExecutionContext(ExecutionContext&&) noexcept = default;
ExecutionContext& ExecutionContext::operator=(ExecutionContext&&) noexcept = default;
ExecutionContext::~ExecutionContext() = default;

Status ExecutionContext::set_profile(int profile) {
  return guarded([&]() -> Status {
    const BusyGuard guard(*state_);
    HONE_TRY(guard.status());
    const int count = static_cast<int>(state_->engine->plans.size());
    if (profile < 0 || profile >= count) {
      return invalid_argument("there is no profile " + std::to_string(profile) + "; there are " +
                              std::to_string(count));
    }
    if (profile != state_->profile) state_->select(profile);
    return {};
  });
}

int ExecutionContext::profile() const { return state_->profile; }

Status ExecutionContext::set_input_shape(std::string_view name, std::span<const int64_t> dims) {
  return guarded([&]() -> Status {
    const BusyGuard guard(*state_);
    HONE_TRY(guard.status());
    HONE_ASSIGN(const int index, find_binding(*state_, name, true));
    HONE_TRY(check_rank(type_of(*state_, index), name, dims));
    set_shape(*state_, index, dims);
    return {};
  });
}

Status ExecutionContext::set_input_value(std::string_view name, const TensorView& value) {
  return guarded([&]() -> Status {
    const BusyGuard guard(*state_);
    HONE_TRY(guard.status());
    HONE_ASSIGN(const int index, find_binding(*state_, name, true));
    if (!state_->plan->bindings[static_cast<size_t>(index)].is_shape_value) {
      return invalid_argument("the contents of input '" + std::string(name) +
                              "' don't decide any shape; bind it with set_tensor()");
    }
    HONE_TRY(check_dtype(type_of(*state_, index), name, value.dtype));
    HONE_TRY(check_rank(type_of(*state_, index), name, value.dims));
    if (value.count() != 0) HONE_TRY(check_alignment(type_of(*state_, index), name, value.data));
    set_shape(*state_, index, value.dims);
    state_->bindings[static_cast<size_t>(index)].buffer = {};
    return set_value(*state_, index, value);
  });
}

Status ExecutionContext::set_tensor(std::string_view name, const TensorView& buffer) {
  return guarded([&]() -> Status {
    const BusyGuard guard(*state_);
    HONE_TRY(guard.status());
    HONE_ASSIGN(const int index, find_binding(*state_, name, false));
    const TensorType& type = type_of(*state_, index);
    HONE_TRY(check_dtype(type, name, buffer.dtype));
    HONE_TRY(checked_count(buffer.dims).status());
    if (buffer.count() != 0) HONE_TRY(check_alignment(type, name, buffer.data));
    const PlanBinding& binding = state_->plan->bindings[static_cast<size_t>(index)];
    BindingState& bound = state_->bindings[static_cast<size_t>(index)];
    if (binding.is_input) {
      HONE_TRY(check_rank(type, name, buffer.dims));
      set_shape(*state_, index, buffer.dims);
      if (binding.is_shape_value) HONE_TRY(set_value(*state_, index, buffer));
    }
    bound.buffer = buffer;
    bound.sized_buffer = true;
    return {};
  });
}

Status ExecutionContext::set_address(std::string_view name, void* address) {
  return guarded([&]() -> Status {
    const BusyGuard guard(*state_);
    HONE_TRY(guard.status());
    HONE_ASSIGN(const int index, find_binding(*state_, name, false));
    const TensorType& type = type_of(*state_, index);
    HONE_TRY(check_alignment(type, name, address));
    const PlanBinding& binding = state_->plan->bindings[static_cast<size_t>(index)];
    BindingState& bound = state_->bindings[static_cast<size_t>(index)];
    bound.buffer = {static_cast<std::byte*>(address), type.dtype, bound.shape.value_or(Extents())};
    bound.sized_buffer = false;
    if (binding.is_shape_value) {
      if (!bound.shape) {
        return invalid_argument("set the shape of input '" + std::string(name) +
                                "' before its address: its contents "
                                "decide shapes");
      }
      HONE_TRY(set_value(*state_, index, bound.buffer));
    }
    return {};
  });
}

Status ExecutionContext::clear_tensor(std::string_view name) {
  return guarded([&]() -> Status {
    const BusyGuard guard(*state_);
    HONE_TRY(guard.status());
    HONE_ASSIGN(const int index, find_binding(*state_, name, false));
    state_->bindings[static_cast<size_t>(index)].buffer = {};
    return {};
  });
}

Status ExecutionContext::prepare() {
  return guarded([&]() -> Status {
    const BusyGuard guard(*state_);
    HONE_TRY(guard.status());
    return state_->prepared ? Status() : state_->prepare();
  });
}

Result<std::vector<int64_t>> ExecutionContext::shape(std::string_view name) const {
  return guarded([&]() -> Result<std::vector<int64_t>> {
    const BusyGuard guard(*state_);
    HONE_TRY(guard.status());
    HONE_ASSIGN(const int index, find_binding(*state_, name, false));
    const PlanBinding& binding = state_->plan->bindings[static_cast<size_t>(index)];
    const BindingState& bound = state_->bindings[static_cast<size_t>(index)];
    const TensorType& type = type_of(*state_, index);
    std::vector<int64_t> dims;
    if (binding.is_input && bound.shape) return std::vector<int64_t>(bound.shape->begin(), bound.shape->end());
    const ValueState& value = state_->values[static_cast<size_t>(binding.value)];
    const bool known = !binding.is_input && state_->prepared && value.exact;
    for (size_t i = 0; i < type.shape.size(); ++i) {
      const std::optional<int64_t> dim =
          state_->prepared ? type.shape[i].eval(state_->symbols) : type.shape[i].as_const();
      dims.push_back(known ? value.dims[i] : dim.value_or(-1));
    }
    return dims;
  });
}

std::vector<std::string> ExecutionContext::missing_inputs() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < state_->bindings.size(); ++i) {
    const PlanBinding& binding = state_->plan->bindings[i];
    if (!binding.is_input) continue;
    const BindingState& bound = state_->bindings[i];
    if (!bound.shape || (binding.is_shape_value && !bound.value.defined())) names.push_back(binding.name);
  }
  return names;
}

Status ExecutionContext::run() {
  return guarded([&]() -> Status {
    const BusyGuard guard(*state_);
    HONE_TRY(guard.status());
    return state_->run();
  });
}

Result<TensorView> ExecutionContext::output(std::string_view name) const {
  return guarded([&]() -> Result<TensorView> {
    const BusyGuard guard(*state_);
    HONE_TRY(guard.status());
    HONE_ASSIGN(const int index, find_binding(*state_, name, false));
    const PlanBinding& binding = state_->plan->bindings[static_cast<size_t>(index)];
    if (binding.is_input) return invalid_argument("'" + std::string(name) + "' is an input");
    if (!state_->has_run) return invalid_argument("there are no results: call run()");
    return TensorView{state_->data_of(binding.value), type_of(*state_, index).dtype,
                      state_->values[static_cast<size_t>(binding.value)].dims};
  });
}

Result<std::map<std::string, Tensor>> ExecutionContext::run(const std::map<std::string, Tensor>& inputs) {
  return guarded([&]() -> Result<std::map<std::string, Tensor>> {
    for (const auto& [name, tensor] : inputs) HONE_TRY(set_tensor(name, tensor.view()));
    HONE_TRY(run());
    std::map<std::string, Tensor> outputs;
    for (const PlanBinding& binding : state_->plan->bindings) {
      if (binding.is_input) continue;
      HONE_ASSIGN(const TensorView view, output(binding.name));
      HONE_ASSIGN(Tensor copy, Tensor::make(view.dtype, view.dims));
      std::copy_n(view.data, view.bytes(), copy.mutable_data());
      outputs.emplace(binding.name, std::move(copy));
    }
    // The tensors may die now.
    for (const auto& [name, tensor] : inputs) HONE_TRY(clear_tensor(name));
    return outputs;
  });
}

void ExecutionContext::enable_profiling(bool on) { state_->profiling = on; }

std::vector<LayerTime> ExecutionContext::last_profile() const {
  std::vector<LayerTime> times;
  for (size_t i = 0; i < state_->plan->steps.size(); ++i) {
    const Step& step = state_->plan->steps[i];
    if (step.stage == Step::Stage::kShape || step.kernel.empty()) continue;
    times.push_back({step.name, std::string(step.op->name()), step.kernel, state_->step_us[i]});
  }
  return times;
}

int64_t ExecutionContext::memory_bytes() const {
  size_t bytes = state_->arena.capacity() + state_->workspace.capacity();
  for (const StorageState& storage : state_->storages) bytes += storage.own.capacity();
  return static_cast<int64_t>(bytes);
}

}  // namespace hone
