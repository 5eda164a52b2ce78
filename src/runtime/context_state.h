// What an ExecutionContext holds: shapes, memory and the prepared steps of the current plan.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/aligned_buffer.h"
#include "hone/engine.h"
#include "runtime/engine_state.h"

namespace hone {

// A value's shape as far as it is known.
struct ValueState {
  Extents dims;
  bool sized = false;  // dims hold the shape, or for counted dimensions the bound: memory can be planned
  bool exact = false;  // dims hold the shape itself
};

// Memory of one storage.
struct StorageState {
  std::byte* data = nullptr;
  size_t bytes = 0;      // room at `data`
  bool dynamic = false;  // sized during run(), in `own`
  AlignedBuffer own;     // dynamic storages, host values, results without a user's buffer
};

// A kernel created for the shapes that `key` lists (inputs, then outputs).
struct ShapedKernel {
  std::vector<Extents> key;
  std::unique_ptr<Kernel> kernel;
  uint64_t last_use = 0;
};

struct StepState {
  std::vector<TensorView> inputs, outputs;
  std::vector<int64_t> counts;
  const Kernel* kernel = nullptr;
  bool dynamic = false;  // shapes become known during run()
  std::vector<ShapedKernel> shaped;
};

// What the caller bound to one input or output.
struct BindingState {
  std::optional<Extents> shape;  // inputs
  TensorView buffer;             // the caller's memory; dtype undefined: none
  bool sized_buffer = false;     // buffer.dims say how large it is
  Tensor value;                  // shape values: the contents that the current shapes follow from
};

struct ContextState {
  std::shared_ptr<const EngineState> engine;
  int profile = 0;
  const PlanState* plan_state = nullptr;
  const Plan* plan = nullptr;
  DeviceContext device;

  std::vector<BindingState> bindings;
  std::vector<int64_t> symbols;
  std::vector<ValueState> values;
  std::vector<StorageState> storages;
  std::vector<StepState> steps;
  std::vector<Lifetime> lifetimes;
  AlignedBuffer arena, workspace;
  bool prepared = false;
  bool has_run = false;
  uint64_t shape_clock = 0;  // for the LRU of shaped kernels

  bool profiling = false;
  std::vector<double> step_us;
  std::atomic<bool> busy = false;

  // Makes `profile`'s plan the current one and forgets shapes.
  void select(int new_profile);
  // Shapes, memory and kernels for what is bound now.
  Status prepare();
  Status run();

  int binding_index(std::string_view name) const;  // -1: none
  std::byte* data_of(ValueId id) const;

 private:
  Status bind_inputs();
  Status bind_input_dims(const PlanBinding& binding, const Extents& dims);
  Status check_profile(const PlanBinding& binding, const BindingState& state) const;
  void bind_host_value(ValueId id);
  Status resolve(size_t step, bool running);
  Result<std::vector<TensorType>> infer_step(const Step& step, bool running) const;
  bool contents_known(ValueId id, bool running) const;
  void bind_resolved(const Step& step, std::span<const TensorType> types);
  Status check_requirements(const Step& step) const;
  Status check_planned(const Step& step, std::span<const TensorType> types) const;
  Status run_shape_step(size_t step);
  Status place_memory();
  Status attach_kernel(size_t step);
  Status execute(size_t step);
  Status take_counts(size_t step);
  Status run_dynamic_memory(size_t step);
  Status bind_buffers();
  Status check_output_buffer(uint32_t binding, size_t bytes) const;
  bool shape_values_changed() const;
};

// "in node 'conv1' (Conv)", for messages.
std::string where(const Step& step);

// Refuses use by a second thread while one is inside.
class BusyGuard {
 public:
  explicit BusyGuard(ContextState& state) : state_(state), entered_(!state.busy.exchange(true)) {}
  ~BusyGuard() {
    if (entered_) state_.busy = false;
  }
  BusyGuard(const BusyGuard&) = delete;
  BusyGuard& operator=(const BusyGuard&) = delete;
  Status status() const {
    if (entered_) return {};
    return {Code::kRuntime, "the execution context is in use by another thread; create one context for each thread"};
  }

 private:
  ContextState& state_;
  bool entered_;
};

}  // namespace hone
