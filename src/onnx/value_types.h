// Types that a file declares for the graph's inputs and outputs.
#pragma once

#include <map>
#include <string>

#include "graph/graph.h"
#include "onnx/model.h"

namespace hone::onnx {

// Reads the types of graph inputs, one after the other. A dimension with a name is a symbol, the same one wherever the
// name stands; one that is missing or -1 is a symbol of its own, named "INPUT_AXIS".
class InputTypes {
 public:
  explicit InputTypes(Graph& graph) : graph_(graph) {}
  // Errors: other things than tensors, no rank, negative or overflowing dimensions.
  Result<TensorType> read(const ValueInfo& input);

 private:
  Graph& graph_;
  std::map<std::string_view, Dim> named_;
};

// Compares an output with what the file declares: its element type must agree; a shape that can't be is only worth
// the remark that is returned (else empty).
Result<std::string> compare_with_declared(const Graph& graph, const Value& value, const ValueInfo& declared);

}  // namespace hone::onnx
