// One ONNX node on its way into the graph: what the file says of it, and how importers turn it into operators.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/graph_builder.h"

namespace hone::onnx {

class NodeImport {
 public:
  // `name` may be empty. `inputs`: null where left out. `outputs`: names in the graph, empty where left out; trailing
  // empty ones of both are dropped.
  NodeImport(GraphBuilder& builder, std::string name, std::string_view op_type, int64_t opset,
             std::vector<Value*> inputs, std::vector<std::string> outputs, AttrMap attributes);

  std::string_view op_type() const { return op_type_; }
  // Version of the operator set of the node's domain.
  int64_t opset() const { return opset_; }

  const std::vector<Value*>& inputs() const { return inputs_; }
  // Null when absent, past the end too.
  Value* input(size_t i) const { return i < inputs_.size() ? inputs_[i] : nullptr; }
  // An error if operand i is absent.
  Result<Value*> required_input(size_t i) const;
  size_t num_outputs() const { return outputs_.size(); }
  // With the trailing ones that are left out.
  size_t num_listed_outputs() const { return num_listed_outputs_; }
  bool has_output(size_t i) const { return i < outputs_.size() && !outputs_[i].empty(); }

  // Attributes that are left. The others remove one and return its value: nothing if it isn't there, an error if it is
  // of another type (a list of one serves as a scalar).
  AttrMap take_attributes() { return std::move(attributes_); }
  Result<std::optional<int64_t>> take_int(std::string_view name);
  Result<std::optional<float>> take_float(std::string_view name);
  Result<std::optional<std::string>> take_string(std::string_view name);
  Result<std::optional<Ints>> take_ints(std::string_view name);
  Result<std::optional<Floats>> take_floats(std::string_view name);
  Result<std::optional<Strings>> take_strings(std::string_view name);
  Result<std::optional<Tensor>> take_tensor(std::string_view name);
  void drop(std::string_view name);
  void set(std::string_view name, AttrValue value);

  // Adds a constant, or a node with one output, that the file doesn't have. Named after this node.
  Result<Value*> constant(Tensor tensor, std::string_view hint);
  Result<Value*> constant(const Ints& values, std::string_view hint);
  // A scalar of `dtype`, which is computable; the value is rounded or saturated to it.
  Result<Value*> scalar(DataType dtype, double value, std::string_view hint);
  Result<Value*> emit(std::string_view op, AttrMap attributes, std::vector<Value*> inputs);
  Result<Node*> emit_node(std::string_view op, AttrMap attributes, std::vector<Value*> inputs, size_t num_outputs);

  // Adds the node that bears this node's name and whose outputs are this node's. It has at least `min_outputs`; they
  // get made-up names where the file leaves them out.
  Status finish(std::string_view op, AttrMap attributes, std::vector<Value*> inputs, size_t min_outputs = 1);
  // The usual end: this operator with the inputs and the attributes that are left.
  Status finish() { return finish(op_type(), take_attributes(), inputs_); }
  // Or output by output: by a node of its own, as a constant, or as a value that exists already.
  Status finish_output(size_t i, std::string_view op, AttrMap attributes, std::vector<Value*> inputs);
  Status finish_constant(Tensor tensor);
  void set_result(size_t i, Value* value) { results_[i] = value; }

  // One value for each output (null where left out), once the importer is done.
  const std::vector<Value*>& results() const { return results_; }

  void remark(std::string_view line) const;
  // The node's name, or its first output's.
  std::string label() const;

 private:
  GraphBuilder& builder_;
  std::string name_;
  std::string_view op_type_;
  int64_t opset_;
  std::vector<Value*> inputs_;
  std::vector<std::string> outputs_;
  size_t num_listed_outputs_;
  AttrMap attributes_;
  std::vector<Value*> results_;
};

}  // namespace hone::onnx
