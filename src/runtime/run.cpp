// Memory planning and execution of the steps.
#include <algorithm>
#include <chrono>

#include "base/parallel.h"
#include "base/trim.h"
#include "runtime/context_state.h"

namespace hone {

namespace {

// Shapes for which library kernels are kept by a context, per step.
constexpr size_t kMaxShapedKernels = 32;

size_t end_of(const PlanValue& value, const ValueState& state) {
  TensorView view{nullptr, value.type.dtype, state.dims};
  return static_cast<size_t>(value.offset_bytes.value()) + view.bytes();
}

}  // namespace

std::byte* ContextState::data_of(ValueId id) const {
  const PlanValue& value = plan->values[static_cast<size_t>(id)];
  const TensorView& constant = plan_state->constants[static_cast<size_t>(id)];
  if (constant.present()) return constant.data;
  std::byte* base = storages[value.storage].data;
  return base == nullptr ? nullptr : base + value.offset_bytes.value();
}

Status ContextState::prepare() {
  prepared = has_run = false;
  for (StorageState& storage : storages) storage.data = nullptr;
  HONE_TRY(bind_inputs());
  for (size_t i = 0; i < steps.size(); ++i) {
    HONE_TRY(resolve(i, /*running=*/false));
    if (plan->steps[i].stage == Step::Stage::kShape) HONE_TRY(run_shape_step(i));
  }
  HONE_TRY(place_memory());
  for (size_t i = 0; i < steps.size(); ++i) {
    if (plan->steps[i].stage == Step::Stage::kRun && !steps[i].dynamic) HONE_TRY(attach_kernel(i));
  }
  // The team of the calling thread starts now rather than in run().
  parallel_for(device.threads, device.threads, 1, [](int64_t, int64_t) {});
  prepared = true;
  return {};
}

// Fills in the step's views (without data) and finds or creates the kernel for them.
Status ContextState::attach_kernel(size_t index) {
  const Step& step = plan->steps[index];
  StepState& state = steps[index];
  const auto view = [&](ValueId id) -> TensorView {
    if (id < 0) return {};
    return {nullptr, plan->values[static_cast<size_t>(id)].type.dtype, values[static_cast<size_t>(id)].dims};
  };
  state.inputs.resize(step.inputs.size());
  state.outputs.resize(step.outputs.size());
  state.counts.assign(step.counted.size(), 0);
  std::transform(step.inputs.begin(), step.inputs.end(), state.inputs.begin(), view);
  std::transform(step.outputs.begin(), step.outputs.end(), state.outputs.begin(), view);
  state.kernel = nullptr;
  const KernelDef* def = plan_state->defs[index];
  if (def == nullptr) return {};
  state.kernel = plan_state->kernels[index].get();
  if (state.kernel == nullptr) {
    std::vector<Extents> key;
    for (const TensorView& input : state.inputs) key.push_back(input.dims);
    for (const TensorView& output : state.outputs) key.push_back(output.dims);
    auto known = std::find_if(state.shaped.begin(), state.shaped.end(),
                              [&](const ShapedKernel& shaped) { return shaped.key == key; });
    if (known == state.shaped.end()) {
      const Problem problem = step_problem(*plan, step, *plan_state, device.threads, state.inputs, state.outputs);
      HONE_ASSIGN(auto kernel,
                  def->create(problem, step.config, step_constants(step, *plan_state)).with_context(where(step)));
      if (state.shaped.size() >= kMaxShapedKernels) {
        state.shaped.erase(std::min_element(state.shaped.begin(), state.shaped.end(),
                                            [](const auto& a, const auto& b) { return a.last_use < b.last_use; }));
      }
      state.shaped.push_back({std::move(key), std::move(kernel), 0});
      known = std::prev(state.shaped.end());
    }
    known->last_use = ++shape_clock;
    state.kernel = known->kernel.get();
  }
  KernelArgs args{state.inputs, state.outputs, nullptr, state.counts, &device};
  return workspace.reserve(state.kernel->workspace_bytes(args)).with_context(where(step));
}

Status ContextState::run_shape_step(size_t index) {
  const Step& step = plan->steps[index];
  for (const ValueId id : step.outputs) {
    StorageState& storage = storages[plan->values[static_cast<size_t>(id)].storage];
    const size_t bytes = end_of(plan->values[static_cast<size_t>(id)], values[static_cast<size_t>(id)]);
    if (storage.data != nullptr && bytes <= storage.bytes) continue;  // a view of a host value
    HONE_TRY(storage.own.reserve(std::max<size_t>(bytes, 1)));
    storage.data = storage.own.data();
    storage.bytes = storage.own.capacity();
  }
  HONE_TRY(attach_kernel(index));
  return execute(index);
}

// Sizes every storage whose values are all known and puts it into the arena; the rest grows during run().
Status ContextState::place_memory() {
  std::vector<int64_t> sizes(storages.size(), 0);
  std::vector<bool> is_view(values.size(), false);
  for (size_t i = 0; i < steps.size(); ++i) {
    for (const ValueId id : plan->steps[i].outputs) is_view[static_cast<size_t>(id)] = plan_state->defs[i] == nullptr;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const PlanValue& value = plan->values[i];
    int64_t& size = sizes[value.storage];
    if (is_view[i]) continue;
    size = !values[i].sized || size < 0 ? -1 : std::max(size, static_cast<int64_t>(end_of(value, values[i])));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t room = sizes[plan->values[i].storage];
    if (is_view[i] && values[i].sized && room >= 0 && end_of(plan->values[i], values[i]) > static_cast<size_t>(room)) {
      return corrupt_engine("'" + plan->values[i].name + "' is larger than what it is a view of");
    }
  }
  for (size_t i = 0; i < storages.size(); ++i) {
    const PlanStorage::Kind kind = plan->storages[i].kind;
    StorageState& storage = storages[i];
    storage.dynamic = sizes[i] < 0;
    if (lifetimes[i].host_value || storage.dynamic) {
      sizes[i] = -1;
    } else if (kind == PlanStorage::Kind::kOutput) {
      const BindingState& binding = bindings[plan->storages[i].index];
      if (!binding.buffer.present()) HONE_TRY(storage.own.reserve(static_cast<size_t>(std::max<int64_t>(sizes[i], 1))));
      storage.bytes = static_cast<size_t>(sizes[i]);
      HONE_TRY(check_output_buffer(plan->storages[i].index, storage.bytes));
      sizes[i] = -1;
    } else if (kind != PlanStorage::Kind::kArena) {
      storage.bytes = static_cast<size_t>(sizes[i]);
      sizes[i] = -1;
    }
  }
  const Placement placement = place(lifetimes, sizes);
  HONE_TRY(arena.reserve(static_cast<size_t>(std::max<int64_t>(placement.arena_bytes, 64))));
  for (size_t i = 0; i < storages.size(); ++i) {
    if (sizes[i] < 0) continue;
    storages[i].data = arena.data() + placement.offsets[i];
    storages[i].bytes = static_cast<size_t>(sizes[i]);
  }
  return {};
}

Status ContextState::check_output_buffer(uint32_t index, size_t bytes) const {
  const BindingState& binding = bindings[index];
  if (!binding.buffer.present() || !binding.sized_buffer || binding.buffer.bytes() >= bytes) return {};
  return invalid_argument("the buffer bound to output '" + plan->bindings[index].name + "' has room for " +
                          std::to_string(binding.buffer.bytes()) + " bytes, the result needs " + std::to_string(bytes));
}

// Points the storages of inputs and outputs at the memory that is bound now.
Status ContextState::bind_buffers() {
  for (size_t i = 0; i < storages.size(); ++i) {
    const PlanStorage& storage = plan->storages[i];
    if (storage.kind == PlanStorage::Kind::kInput) {
      const BindingState& binding = bindings[storage.index];
      if (binding.value.defined()) continue;  // a shape value: its copy serves
      if (!binding.buffer.present()) {
        return invalid_argument("input '" + plan->bindings[storage.index].name + "' has no data: call set_tensor()");
      }
      storages[i].data = binding.buffer.data;
    } else if (storage.kind == PlanStorage::Kind::kOutput && !storages[i].dynamic && !lifetimes[i].host_value) {
      const BindingState& binding = bindings[storage.index];
      HONE_TRY(check_output_buffer(storage.index, storages[i].bytes));
      if (!binding.buffer.present()) HONE_TRY(storages[i].own.reserve(std::max<size_t>(storages[i].bytes, 1)));
      storages[i].data = binding.buffer.present() ? binding.buffer.data : storages[i].own.data();
    }
  }
  return {};
}

// Room for the results of a step whose shapes have just become known.
Status ContextState::run_dynamic_memory(size_t index) {
  for (const ValueId id : plan->steps[index].outputs) {
    const PlanValue& value = plan->values[static_cast<size_t>(id)];
    StorageState& storage = storages[value.storage];
    const size_t bytes = end_of(value, values[static_cast<size_t>(id)]);
    const PlanStorage& planned = plan->storages[value.storage];
    if (!storage.dynamic) {
      if (bytes > storage.bytes)
        return corrupt_engine("'" + value.name + "' doesn't fit into the memory planned for it");
      continue;
    }
    if (planned.kind == PlanStorage::Kind::kOutput && bindings[planned.index].buffer.present()) {
      HONE_TRY(check_output_buffer(planned.index, bytes));
      storage.data = bindings[planned.index].buffer.data;
      storage.bytes = bytes;
      continue;
    }
    // A view (Reshape) of memory that is already filled must not move it.
    if (storage.data != nullptr && plan_state->defs[index] == nullptr) {
      if (bytes > storage.bytes) return corrupt_engine("'" + value.name + "' is larger than what it is a view of");
      continue;
    }
    HONE_TRY(storage.own.reserve(std::max<size_t>(bytes, 1)).with_context(where(plan->steps[index])));
    storage.data = storage.own.data();
    storage.bytes = storage.own.capacity();
  }
  return {};
}

Status ContextState::execute(size_t index) {
  const Step& step = plan->steps[index];
  StepState& state = steps[index];
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    if (step.inputs[i] >= 0) state.inputs[i].data = data_of(step.inputs[i]);
  }
  for (size_t i = 0; i < step.outputs.size(); ++i) state.outputs[i].data = data_of(step.outputs[i]);
  if (state.kernel != nullptr) {
    const KernelArgs args{state.inputs, state.outputs, workspace.data(), state.counts, &device};
    const Status status = state.kernel->run(args);
    if (!status.ok()) return Status(status).with_context(where(step));
  }
  if (!step.counted.empty()) HONE_TRY(take_counts(index));
  for (const ValueId id : step.outputs) bind_host_value(id);
  return {};
}

// The kernel told how many there are: cuts its results down to that.
Status ContextState::take_counts(size_t index) {
  const Step& step = plan->steps[index];
  const StepState& state = steps[index];
  for (size_t i = 0; i < step.counted.size(); ++i) {
    const PlanSymbol& symbol = plan->symbols[step.counted[i]];
    ValueState& value = values[static_cast<size_t>(symbol.value)];
    if (state.counts[i] < 0 || state.counts[i] > value.dims[symbol.index]) {
      return runtime_error(where(step) + ": counted " + std::to_string(state.counts[i]) + ", the bound is " +
                           std::to_string(value.dims[symbol.index]));
    }
    symbols[step.counted[i]] = state.counts[i];
  }
  for (size_t i = 0; i < step.outputs.size(); ++i) {
    ValueState& value = values[static_cast<size_t>(step.outputs[i])];
    if (value.exact) continue;
    const Shape& shape = plan->values[static_cast<size_t>(step.outputs[i])].type.shape;
    for (size_t axis = 0; axis < shape.size(); ++axis) value.dims[axis] = shape[axis].eval(symbols).value_or(0);
    value.exact = true;
    trim(state.outputs[i], value.dims);
  }
  return {};
}

Status ContextState::run() {
  if (!prepared || shape_values_changed()) HONE_TRY(prepare());
  has_run = false;
  HONE_TRY(bind_buffers());
  // What the last run found out about data-dependent shapes doesn't hold for this one.
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = plan->steps[i];
    if (!steps[i].dynamic && !step.counted.empty()) {
      for (const SymbolId id : step.counted) symbols[id] = Dim::kUnbound;
      for (size_t k = 0; k < step.outputs.size(); ++k) {
        values[static_cast<size_t>(step.outputs[k])] = {steps[i].outputs[k].dims, true, false};
      }
    }
    if (!steps[i].dynamic) continue;
    for (const SymbolId id : step.resolved) symbols[id] = Dim::kUnbound;
    for (const SymbolId id : step.counted) symbols[id] = Dim::kUnbound;
  }
  using Clock = std::chrono::steady_clock;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (plan->steps[i].stage == Step::Stage::kShape) continue;
    const Clock::time_point start = profiling ? Clock::now() : Clock::time_point();
    if (steps[i].dynamic) {
      HONE_TRY(resolve(i, /*running=*/true));
      HONE_TRY(run_dynamic_memory(i));
      HONE_TRY(attach_kernel(i));
    }
    HONE_TRY(execute(i));
    if (profiling) step_us[i] = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  }
  has_run = true;
  return {};
}

}  // namespace hone
