// What an Engine shares: the image, and for each plan its kernels.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hone/engine.h"
#include "hone/kernel.h"
#include "plan/engine_file.h"
#include "plan/plan.h"

namespace hone {

// One plan, ready for contexts.
struct PlanState {
  const Plan* plan = nullptr;
  std::vector<TensorView> constants;             // per value; present for those in constant storages
  std::vector<const KernelDef*> defs;            // per step; null for views
  std::vector<std::unique_ptr<Kernel>> kernels;  // per step; null for views and for kernels made per shape
};

struct EngineState {
  LoadedImage loaded;
  const TunedPart* part = nullptr;
  DeviceInfo device;  // of this machine, with the threads that contexts use
  std::vector<Binding> bindings;
  std::vector<PlanState> plans;
};

// The problem of one step as the plan states it, or for concrete shapes when views are given.
Problem step_problem(const Plan& plan, const Step& step, const PlanState& state, int threads);
Problem step_problem(const Plan& plan, const Step& step, const PlanState& state, int threads,
                     std::span<const TensorView> inputs, std::span<const TensorView> outputs);

// Contents of the step's constant operands (not present for others).
std::vector<TensorView> step_constants(const Step& step, const PlanState& state);

// Picks the part for `device`, finds every kernel in `backends` and creates those that serve any shape or whose
// shapes are fixed. Errors: kIncompatibleEngine for parts of other targets and kernels of other versions.
Result<std::shared_ptr<const EngineState>> make_engine_state(LoadedImage loaded, const DeviceInfo& device,
                                                             std::span<const Backend* const> backends);

}  // namespace hone
