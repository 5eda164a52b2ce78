// Which nodes run when shapes are set, and which dimensions only the run tells.
#pragma once

#include <set>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/graph.h"

namespace hone {

struct Stages {
  std::set<const Node*> shape_nodes;    // run when shapes are set, on host values
  std::set<const Value*> shape_inputs;  // graph inputs whose contents decide shapes
  std::set<SymbolId> run_symbols;       // known only while the model runs
};

Stages find_stages(const Graph& graph);

// The symbols that describe each value, by its name.
using SymbolsByValue = std::unordered_map<std::string_view, std::vector<SymbolId>>;
SymbolsByValue symbols_by_value(const Graph& graph);

}  // namespace hone
