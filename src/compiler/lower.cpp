#include "compiler/lower.h"

#include <algorithm>
#include <set>

#include "backend/backend.h"
#include "compiler/stages.h"
#include "ops/op_list.h"

namespace hone {

namespace {

// Operators that only rename memory: the result is a view of operand 0.
bool is_view_op(const Op& op) {
  constexpr std::string_view kViews[] = {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"};
  return std::find(std::begin(kViews), std::end(kViews), op.name()) != std::end(kViews);
}

bool has_own_kernel(const Node& node, const LowerOptions& options) {
  Problem problem{.op = node.op_ptr(), .body = node.body(), .threads = options.device.threads};
  for (const Value* value : node.inputs()) {
    problem.inputs.push_back(value == nullptr ? ProblemOperand{}
                                              : ProblemOperand{true, value->type().tensor, value->is_constant()});
  }
  for (const Value* value : node.outputs()) problem.outputs.push_back({true, value->type().tensor, false});
  for (const Backend* backend : options.backends) {
    for (const Candidate& candidate :
         find_candidates(*backend, problem, options.device, options.allocation_free).candidates) {
      if (candidate.def->op != nullptr) return true;
    }
  }
  return false;
}

Status inline_unserved_bodies(Graph& graph, const LowerOptions& options) {
  GraphEditor editor(graph);
  for (Node* node : graph.nodes()) {
    if (node->body() != nullptr && !has_own_kernel(*node, options)) HONE_TRY(editor.inline_body(node));
  }
  return {};
}

class Lowering {
 public:
  Lowering(const Graph& graph, const LowerOptions& options)
      : graph_(graph), options_(options), stages_(find_stages(graph)), symbols_(symbols_by_value(graph)) {}

  Result<Plan> run() {
    for (const Value* input : graph_.inputs()) add_input(input);
    for (Node* node : graph_.nodes()) HONE_TRY(add_step(*node));
    for (size_t i = 0; i < graph_.outputs().size(); ++i) HONE_TRY(add_output(i));
    add_symbols();
    for (PlanStorage& storage : plan_.storages) storage.bytes = bound_of(storage.bytes);
    return std::move(plan_);
  }

 private:
  PlanValue& value_at(ValueId id) { return plan_.values[static_cast<size_t>(id)]; }

  static Dim bytes_of_type(const TensorType& type) {
    return element_count(type.shape) * Dim(static_cast<int64_t>(bytes_of(type.dtype)));
  }

  StorageId new_storage(PlanStorage::Kind kind, uint32_t index, const TensorType& type) {
    plan_.storages.push_back({kind, index, bytes_of_type(type)});
    return static_cast<StorageId>(plan_.storages.size() - 1);
  }

  ValueId new_value(const Value* value, StorageId storage) {
    plan_.values.push_back({value->name(), value->type().tensor, storage, 0});
    const auto id = static_cast<ValueId>(plan_.values.size() - 1);
    ids_[value] = id;
    return id;
  }

  void add_input(const Value* value) {
    const auto index = static_cast<uint32_t>(plan_.bindings.size());
    const ValueId id = new_value(value, new_storage(PlanStorage::Kind::kInput, index, value->type().tensor));
    plan_.bindings.push_back({value->name(), true, id, stages_.shape_inputs.contains(value)});
  }

  ValueId id_of(const Value* value) {
    if (value == nullptr) return -1;
    if (const auto it = ids_.find(value); it != ids_.end()) return it->second;
    return new_value(value, new_storage(PlanStorage::Kind::kConstant, options_.weight_block(value->constant()),
                                        value->type().tensor));
  }

  Status add_step(const Node& node) {
    Step step{
        .name = node.name().empty() ? node.output()->name() : node.name(), .op = node.op_ptr(), .body = node.body()};
    step.stage = stages_.shape_nodes.contains(&node) ? Step::Stage::kShape : Step::Stage::kRun;
    step.requirements = node.requirements();
    for (const Value* input : node.inputs()) step.inputs.push_back(id_of(input));
    const bool view = is_view_op(node.op()) && !node.input(0)->is_constant();
    for (const Value* output : node.outputs()) {
      const StorageId storage =
          view ? value_at(step.inputs[0]).storage : new_storage(PlanStorage::Kind::kArena, 0, output->type().tensor);
      step.outputs.push_back(new_value(output, storage));
      if (step.stage == Step::Stage::kShape) host_storages_.insert(storage);
    }
    for (const Value* output : node.outputs()) {
      const auto told = symbols_.find(output->name());
      if (told == symbols_.end()) continue;
      for (const SymbolId id : told->second) {
        const Symbol::Kind kind = graph_.symbols()[id].kind;
        tellers_[id] = plan_.steps.size();
        if (kind == Symbol::Kind::kResolved) step.resolved.push_back(id);
        if (kind == Symbol::Kind::kCounted) step.counted.push_back(id);
      }
    }
    if (!view) HONE_TRY(choose_first(step));
    plan_.steps.push_back(std::move(step));
    return {};
  }

  Status choose_first(Step& step) {
    const Problem problem = plan_problem(plan_, step, options_.device.threads);
    const bool any_shape_only = step.stage == Step::Stage::kShape || depends_on_run(step);
    std::string refusals;
    for (const Backend* backend : options_.backends) {
      if (step.stage == Step::Stage::kShape && backend->name != "reference") continue;
      const CandidateList list = find_candidates(*backend, problem, options_.device, options_.allocation_free);
      for (const Candidate& candidate : list.candidates) {
        if (any_shape_only && candidate.def->shapes == ShapeSupport::kFixed) continue;
        step.backend = backend->name;
        step.kernel = candidate.def->name;
        step.kernel_version = candidate.def->version;
        step.config = candidate.config;
        return {};
      }
      for (const Refusal& refusal : list.refusals)
        refusals += "\n  " + std::string(refusal.def->name) + ": " + refusal.reason;
    }
    return unsupported("no kernel serves node '" + step.name + "' (" + std::string(step.op->name()) + ")" + refusals);
  }

  bool depends_on_run(const Step& step) const {
    const auto depends = [&](ValueId id) {
      bool found = false;
      if (id < 0) return false;
      for (const Dim& dim : plan_.values[static_cast<size_t>(id)].type.shape) {
        dim.visit_symbols([&](SymbolId symbol) { found |= stages_.run_symbols.contains(symbol); });
      }
      return found;
    };
    return std::any_of(step.inputs.begin(), step.inputs.end(), depends) ||
           std::any_of(step.outputs.begin(), step.outputs.end(), depends);
  }

  // The result goes to the caller's memory: the storage that holds it becomes the binding's, unless that can't be
  // (an input, a constant, a host value, a second output in the same memory): then a copy is appended.
  Status add_output(size_t index) {
    const Value* value = graph_.outputs()[index];
    const auto binding = static_cast<uint32_t>(plan_.bindings.size());
    ValueId id = id_of(value);
    PlanStorage& storage = plan_.storages[value_at(id).storage];
    if (storage.kind == PlanStorage::Kind::kArena && !host_storages_.contains(value_at(id).storage)) {
      storage.kind = PlanStorage::Kind::kOutput;
      storage.index = binding;
      storage.bytes = bytes_of_type(value->type().tensor);
    } else {
      HONE_ASSIGN(OpPtr copy, make_op("Identity", AttrMap{}));
      const TensorType type = value_at(id).type;
      const StorageId copied = new_storage(PlanStorage::Kind::kOutput, binding, type);
      plan_.values.push_back({value->name() + ".copy", type, copied, 0});
      Step step{.name = graph_.output_names()[index], .op = std::move(copy)};
      step.inputs = {id};
      id = static_cast<ValueId>(plan_.values.size() - 1);
      step.outputs = {id};
      HONE_TRY(choose_first(step));
      plan_.steps.push_back(std::move(step));
    }
    plan_.bindings.push_back({graph_.output_names()[index], false, id, false});
    return {};
  }

  void add_symbols() {
    for (SymbolId id = 0; id < graph_.symbols().size(); ++id) {
      const Symbol& symbol = graph_.symbols()[id];
      PlanSymbol planned{symbol.name, static_cast<PlanSymbol::Kind>(symbol.kind), -1, symbol.index,
                         bound_of(symbol.bound)};
      if (const Value* value = graph_.find_value(symbol.value)) {
        if (const auto it = ids_.find(value); it != ids_.end()) planned.value = it->second;
      }
      if (symbol.kind == Symbol::Kind::kResolved || symbol.kind == Symbol::Kind::kCounted) locate(id, planned);
      plan_.symbols.push_back(std::move(planned));
    }
    // A symbol that no dimension shows isn't told by anybody.
    for (Step& step : plan_.steps) {
      const auto unused = [&](SymbolId id) { return plan_.symbols[id].value < 0; };
      std::erase_if(step.resolved, unused);
      std::erase_if(step.counted, unused);
      std::erase_if(step.requirements, [&](const DimRequirement& need) {
        bool untold = false;
        const auto look = [&](SymbolId id) { untold |= unused(id); };
        need.a.visit_symbols(look);
        need.b.visit_symbols(look);
        return untold;
      });
    }
  }

  // Finds the output of the telling step that has the symbol as a bare dimension.
  void locate(SymbolId id, PlanSymbol& planned) const {
    planned.value = -1;
    const auto teller = tellers_.find(id);
    if (teller == tellers_.end()) return;
    for (const ValueId output : plan_.steps[teller->second].outputs) {
      const Shape& shape = plan_.values[static_cast<size_t>(output)].type.shape;
      for (size_t axis = 0; axis < shape.size(); ++axis) {
        const DimExpr* expr = shape[axis].expr();
        if (expr == nullptr || expr->kind != DimExpr::Kind::kSymbol || expr->symbol != id) continue;
        planned.value = output;
        planned.index = static_cast<uint32_t>(axis);
        return;
      }
    }
  }

  // Counted symbols replaced by their bounds (which may hold counted symbols of earlier steps).
  Dim bound_of(const Dim& dim) const {
    return dim.substitute([&](SymbolId id) -> std::optional<Dim> {
      const Symbol& symbol = graph_.symbols()[id];
      if (symbol.kind != Symbol::Kind::kCounted) return std::nullopt;
      return bound_of(symbol.bound);
    });
  }

  const Graph& graph_;
  const LowerOptions& options_;
  Stages stages_;
  SymbolsByValue symbols_;
  std::map<SymbolId, size_t> tellers_;  // the step that tells a symbol
  std::set<StorageId> host_storages_;   // written in the shape stage
  Plan plan_;
  std::map<const Value*, ValueId> ids_;
};

}  // namespace

Problem plan_problem(const Plan& plan, const Step& step, int threads) {
  Problem problem{.op = step.op, .body = step.body, .threads = threads};
  const auto operand = [&](ValueId id) -> ProblemOperand {
    if (id < 0) return {};
    const PlanValue& value = plan.values[static_cast<size_t>(id)];
    return {true, value.type, plan.storages[value.storage].kind == PlanStorage::Kind::kConstant};
  };
  for (const ValueId id : step.inputs) problem.inputs.push_back(operand(id));
  for (const ValueId id : step.outputs) problem.outputs.push_back(operand(id));
  return problem;
}

Result<Plan> lower(Graph& graph, const LowerOptions& options) {
  HONE_TRY(inline_unserved_bodies(graph, options));
  return Lowering(graph, options).run();
}

}  // namespace hone
