#include "support/graph_run.h"

#include "backends/reference/backend.h"
#include "graph/infer.h"

namespace hone::test {

Result<std::map<std::string, Tensor>> run_graph(const Graph& graph, const std::map<std::string, Tensor>& inputs) {
  std::map<const Value*, Tensor> values;
  for (const Value* input : graph.inputs()) {
    const auto it = inputs.find(input->name());
    if (it == inputs.end()) return invalid_argument("the input '" + input->name() + "' is missing");
    values[input] = it->second;
  }
  for (const Value* constant : graph.constants()) values[constant] = constant->constant();
  for (const Node* node : graph.nodes()) {
    std::vector<Tensor> operands;
    for (const Value* input : node->inputs()) operands.push_back(input == nullptr ? Tensor() : values.at(input));
    HONE_ASSIGN(std::vector<Tensor> results,
                reference::evaluate(node->op_ptr(), operands, node->outputs().size(), node->body())
                    .with_context("in " + describe(*node)));
    for (size_t i = 0; i < results.size(); ++i) values[node->output(i)] = std::move(results[i]);
  }
  std::map<std::string, Tensor> outputs;
  for (size_t i = 0; i < graph.outputs().size(); ++i) outputs[graph.output_names()[i]] = values.at(graph.outputs()[i]);
  return outputs;
}

}  // namespace hone::test
