#include "compiler/stages.h"

#include <algorithm>

#include "ops/operand.h"

namespace hone {

namespace {

class StageFinder {
 public:
  explicit StageFinder(const Graph& graph) : graph_(graph), symbols_(symbols_by_value(graph)) {}

  Stages run() {
    for (const Node* node : graph_.nodes()) {
      for (const Value* output : node->outputs()) {
        if (output->is_host_value()) pull_inputs(output);
      }
    }
    for (const Value* input : graph_.inputs()) {
      if (input->is_host_value()) stages_.shape_inputs.insert(input);
    }
    for (const Node* node : graph_.nodes()) visit(node);
    return std::move(stages_);
  }

 private:
  static bool reads_dims_only(const Node* node) { return node->op().name() == "Shape" || node->op().name() == "Size"; }

  static bool is_small(const Value* value) {
    const std::optional<int64_t> count = element_count(value->shape()).as_const();
    return count && *count <= kMaxFollowedElements;
  }

  // Small graph inputs from which a host value is computed decide shapes too. Stops at what only a run can give.
  bool pull_inputs(const Value* start) {
    std::vector<const Value*> pending = {start};
    std::set<const Value*> seen, inputs;
    while (!pending.empty()) {
      const Value* value = pending.back();
      pending.pop_back();
      if (!seen.insert(value).second || value->is_constant()) continue;
      if (!is_small(value)) return false;
      if (value->producer() == nullptr) {
        inputs.insert(value);
        continue;
      }
      if (reads_dims_only(value->producer())) continue;
      for (const Value* input : value->producer()->inputs()) {
        if (input != nullptr) pending.push_back(input);
      }
    }
    stages_.shape_inputs.insert(inputs.begin(), inputs.end());
    return true;
  }

  bool has_run_symbols(const Value* value) const {
    bool found = false;
    for (const Dim& dim : value->shape()) {
      dim.visit_symbols([&](SymbolId id) { found |= stages_.run_symbols.contains(id); });
    }
    return found;
  }

  bool known_at_shape_stage(const Value* value) const {
    if (value == nullptr || value->is_constant() || stages_.shape_inputs.contains(value)) return true;
    return value->producer() != nullptr && stages_.shape_nodes.contains(value->producer());
  }

  void visit(const Node* node) {
    const auto& inputs = node->inputs();
    const auto& outputs = node->outputs();
    const bool dims_known =
        std::none_of(inputs.begin(), inputs.end(), [&](const Value* v) { return v != nullptr && has_run_symbols(v); });
    const bool contents_known = reads_dims_only(node) || std::all_of(inputs.begin(), inputs.end(), [&](const Value* v) {
                                  return known_at_shape_stage(v);
                                });
    const bool small = std::all_of(outputs.begin(), outputs.end(), [](const Value* v) { return is_small(v); });
    const bool host = std::any_of(outputs.begin(), outputs.end(), [](const Value* v) { return v->is_host_value(); });
    if (dims_known && contents_known && (small || host)) {
      stages_.shape_nodes.insert(node);
      return;
    }
    // What this node tells about shapes is known only once it (or its operands) ran.
    for (const Value* output : outputs) {
      const auto told = symbols_.find(output->name());
      if (told == symbols_.end()) continue;
      for (const SymbolId id : told->second) {
        const bool resolvable =
            graph_.symbols()[id].kind == Symbol::Kind::kResolved && dims_known && operands_resolve(node);
        if (!resolvable) stages_.run_symbols.insert(id);
      }
    }
  }

  // Every operand whose contents decide this node's shape is known when shapes are set.
  bool operands_resolve(const Node* node) const {
    return std::all_of(node->inputs().begin(), node->inputs().end(),
                       [&](const Value* v) { return v == nullptr || !v->is_host_value() || known_at_shape_stage(v); });
  }

  const Graph& graph_;
  SymbolsByValue symbols_;
  Stages stages_;
};

}  // namespace

SymbolsByValue symbols_by_value(const Graph& graph) {
  SymbolsByValue symbols;
  for (SymbolId id = 0; id < graph.symbols().size(); ++id) symbols[graph.symbols()[id].value].push_back(id);
  return symbols;
}

Stages find_stages(const Graph& graph) { return StageFinder(graph).run(); }

}  // namespace hone
