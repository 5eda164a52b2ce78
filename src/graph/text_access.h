// How the parser fills in what only the graph's own classes may write. Nobody else includes this.
#pragma once

#include "graph/graph.h"

namespace hone {

struct GraphText {
  static Value* find(const Graph& graph, std::string_view name) { return graph.find_value(name); }
  static void set_type(Value& value, ValueType type) { value.type_ = std::move(type); }
  static void set_facts(Value& value, bool host, std::optional<std::vector<Dim>> elements) {
    value.host_value_ = host;
    value.elements_ = std::move(elements);
  }
  static void set_bound(Graph& graph, SymbolId id, Dim bound) { graph.symbols_[id].bound = std::move(bound); }
  static void set_requirements(Node& node, std::vector<DimRequirement> requirements) {
    node.requirements_ = std::move(requirements);
  }

  // A node whose types are given instead of inferred.
  struct GivenNode {
    std::string name;
    OpPtr op;
    std::shared_ptr<const Body> body;
    std::vector<Value*> inputs;
    std::vector<std::string> outputs;
    std::vector<ValueType> types;  // one for each output
  };
  static Result<Node*> add_node(Graph& graph, GivenNode given);
};

}  // namespace hone
