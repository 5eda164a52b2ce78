#include "onnx/graph_builder.h"

namespace hone::onnx {

namespace {

// What a node with its values costs, roughly; contents that inference follows come on top.
constexpr uint64_t kNodeBytes = 1024;

}  // namespace

std::string GraphBuilder::fresh_name(std::string_view wish) {
  std::string name(wish);
  // The number never goes back, so that many clashes stay cheap.
  while (name.empty() || reserved_.contains(name) || !made_up_.insert(name).second) {
    name = std::string(wish) + "_" + std::to_string(next_number_++);
  }
  return name;
}

Result<Value*> GraphBuilder::add_constant(std::string name, Tensor tensor) {
  if (!tensor.defined()) return resource_error("out of memory for constant '" + name + "'");
  HONE_TRY(budget_.charge(kNodeBytes + 4 * name.size(), "the graph"));
  return graph_.add_constant(std::move(name), std::move(tensor));
}

Result<Node*> GraphBuilder::add_node(std::string name, OpPtr op, std::vector<Value*> inputs,
                                     std::vector<std::string> outputs) {
  uint64_t bytes = kNodeBytes + name.size() + 64 * inputs.size() + 512 * outputs.size();
  for (const std::string& output : outputs) bytes += 4 * output.size();
  HONE_TRY(budget_.charge(bytes, "the graph"));
  HONE_ASSIGN(Node* const node, graph_.add_node(std::move(name), std::move(op), std::move(inputs), std::move(outputs)));
  for (const Value* output : node->outputs()) {
    if (output->elements()) HONE_TRY(budget_.charge(output->elements()->size() * sizeof(Dim), "shape arithmetic"));
  }
  return node;
}

}  // namespace hone::onnx
