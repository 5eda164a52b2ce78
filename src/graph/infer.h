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
  std::vector<size_t> needs_contents;  // infer_again() only: operands that must be host values, repeats possible
};

// Infers one node's results. New symbols are added to `graph`, named after `output_names`; values whose contents
// decide shapes are marked as host values, which may give them elements.
Result<NodeInference> infer_node(Graph& graph, const Op& op, const Body* body, std::span<Value* const> inputs,
                                 std::span<const std::string> output_names);

// Infers a node that is in the graph already, without changing anything: symbols that this makes are numbers from
// graph.symbols().size() on. Errors name the node.
Result<NodeInference> infer_again(const Graph& graph, const Node& node);

// "node 'conv1' (Conv)", for messages; a node without a name goes by its first output's.
std::string describe(const Node& node);

}  // namespace hone
