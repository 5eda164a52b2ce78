#include "hone/engine.h"

#include <cstring>

#include "api/engine/targets.h"
#include "base/guarded.h"
#include "ops/op_list.h"
#include "runtime/context_state.h"
#include "runtime/engine_state.h"

namespace hone {

namespace {

Result<std::shared_ptr<const EngineState>> start(LoadedImage loaded, const EngineOptions& options) {
  HONE_ASSIGN(const DeviceInfo device, device_info_for("cpu", options.threads));
  HONE_ASSIGN(const auto backends, backends_for("cpu"));
  return make_engine_state(std::move(loaded), device, backends);
}

LayerInfo layer_of(const PlanState& state, const Step& step) {
  const Plan& plan = *state.plan;
  const auto name = [&](SymbolId id) { return plan.symbols[id].name; };
  LayerInfo layer{.name = step.name,
                  .op = std::string(step.op->name()),
                  .kernel = step.kernel,
                  .backend = step.backend,
                  .shape_stage = step.stage == Step::Stage::kShape};
  for (const ValueId id : step.outputs) {
    const PlanValue& value = plan.values[static_cast<size_t>(id)];
    std::string dims;
    for (const Dim& dim : value.type.shape) dims += (dims.empty() ? "" : ",") + dim.to_string(name);
    layer.outputs.push_back(value.name + " " + std::string(name_of(value.type.dtype)) + "[" + dims + "]");
  }
  for (const ValueId id : step.inputs) {
    if (id >= 0 && state.constants[static_cast<size_t>(id)].present()) {
      layer.weight_bytes += static_cast<int64_t>(state.constants[static_cast<size_t>(id)].bytes());
    }
  }
  return layer;
}

}  // namespace

Result<Engine> Engine::load(const std::string& path, const EngineOptions& options) {
  return guarded([&]() -> Result<Engine> {
    const std::string where = "engine '" + path + "'";
    HONE_ASSIGN(LoadedImage loaded, load_engine_file(path, make_op).with_context(where));
    Engine engine;
    HONE_ASSIGN(engine.state_, start(std::move(loaded), options).with_context(where));
    return engine;
  });
}

Result<Engine> Engine::from_bytes(std::span<const std::byte> bytes, const EngineOptions& options) {
  return guarded([&]() -> Result<Engine> {
    HONE_ASSIGN(Tensor copy, Tensor::make(DataType::kUint8, Extents{static_cast<int64_t>(bytes.size())}));
    if (!bytes.empty()) std::memcpy(copy.mutable_data(), bytes.data(), bytes.size());
    const auto owner = std::make_shared<const Tensor>(std::move(copy));
    HONE_ASSIGN(LoadedImage loaded, parse_engine({owner->data(), bytes.size()}, owner, make_op));
    Engine engine;
    HONE_ASSIGN(engine.state_, start(std::move(loaded), options));
    return engine;
  });
}

const std::vector<Binding>& Engine::bindings() const { return state_->bindings; }

const Binding* Engine::find_binding(std::string_view name) const {
  for (const Binding& binding : state_->bindings) {
    if (binding.name == name) return &binding;
  }
  return nullptr;
}

int Engine::num_profiles() const {
  const std::vector<PlanState>& plans = state_->plans;
  const Profile& first = plans[0].plan->profile;
  const bool open = plans.size() == 1 && first.inputs.empty() && first.values.empty();
  return open ? 0 : static_cast<int>(plans.size());
}

std::optional<ShapeRange> Engine::profile_range(int profile, std::string_view input) const {
  if (profile < 0 || profile >= static_cast<int>(state_->plans.size())) return std::nullopt;
  const Profile& ranges = state_->plans[static_cast<size_t>(profile)].plan->profile;
  const Binding* binding = find_binding(input);
  const auto& map = binding != nullptr && binding->is_shape_value ? ranges.values : ranges.inputs;
  const auto it = map.find(std::string(input));
  if (it == map.end()) return std::nullopt;
  ShapeRange range;
  for (const DimRange& dim : it->second) {
    range.min.push_back(dim.min);
    range.opt.push_back(dim.opt);
    range.max.push_back(dim.max);
  }
  return range;
}

std::vector<LayerInfo> Engine::layers(int profile) const {
  std::vector<LayerInfo> layers;
  if (profile < 0 || profile >= static_cast<int>(state_->plans.size())) return layers;
  const PlanState& state = state_->plans[static_cast<size_t>(profile)];
  for (const Step& step : state.plan->steps) layers.push_back(layer_of(state, step));
  return layers;
}

const std::map<std::string, std::string>& Engine::metadata() const { return state_->loaded.image.metadata; }

int64_t Engine::weight_bytes() const { return static_cast<int64_t>(state_->loaded.image.weights.size()); }

std::string Engine::target() const {
  const DeviceInfo& target = state_->part->target;
  return target.backend + (target.isa.empty() ? "" : " " + target.isa) +
         (target.name.empty() ? "" : ", " + target.name);
}

const std::string& Engine::graph_text() const { return state_->loaded.image.graph_text; }

std::span<const std::byte> Engine::bytes() const { return state_->loaded.file; }

Result<ExecutionContext> Engine::create_context() const {
  return guarded([&]() -> Result<ExecutionContext> {
    auto state = std::make_unique<ContextState>();
    state->engine = state_;
    state->device.threads = state_->device.threads;
    state->select(0);
    return ExecutionContext(std::move(state));
  });
}

}  // namespace hone
