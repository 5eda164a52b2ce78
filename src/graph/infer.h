// Runs an operator's inference on graph values, making symbols for what isn't known.
#pragma once

#include <span>
#include <vector>

#include "graph/graph.h"

namespace hone {

// What inference may know of a value: its type, its contents where constant or followed.
InferOperand infer_operand(const Value* value);

struct NodeInference {
  std::vector<InferResult> outputs;
  std::vector<DimRequirement> requirements;
};

// Infers one node's results. New symbols are added to `graph`, named after `output_names`; values whose contents
// decide shapes are marked as host values, which may give them elements.
Result<NodeInference> infer_node(Graph& graph, const Op& op, const Body* body, std::span<Value* const> inputs,
                                 std::span<const std::string> output_names);

}  // namespace hone
