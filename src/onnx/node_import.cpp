#include "onnx/node_import.h"

#include <algorithm>
#include <limits>

#include "base/dispatch.h"
#include "ops/op_list.h"

namespace hone::onnx {

NodeImport::NodeImport(GraphBuilder& builder, std::string name, std::string_view op_type, int64_t opset,
                       std::vector<Value*> inputs, std::vector<std::string> outputs, AttrMap attributes)
    : builder_(builder),
      name_(std::move(name)),
      op_type_(op_type),
      opset_(opset),
      inputs_(std::move(inputs)),
      outputs_(std::move(outputs)),
      num_listed_outputs_(outputs_.size()),
      attributes_(std::move(attributes)) {
  while (!inputs_.empty() && inputs_.back() == nullptr) inputs_.pop_back();
  while (!outputs_.empty() && outputs_.back().empty()) outputs_.pop_back();
  results_.resize(outputs_.size(), nullptr);
}

std::string NodeImport::label() const {
  if (!name_.empty()) return name_;
  for (const std::string& output : outputs_) {
    if (!output.empty()) return output;
  }
  return std::string(op_type_);
}

void NodeImport::remark(std::string_view line) const {
  builder_.remark("node '" + label() + "': " + std::string(line));
}

Result<Value*> NodeImport::required_input(size_t i) const {
  if (input(i) == nullptr) return invalid_model("operand " + std::to_string(i) + " is missing");
  return input(i);
}

namespace {

auto find(AttrMap& attributes, std::string_view name) {
  return std::find_if(attributes.begin(), attributes.end(), [&](const auto& entry) { return entry.first == name; });
}

template <class T>
Result<std::optional<T>> take(AttrMap& attributes, std::string_view name, std::string_view kind) {
  const auto it = find(attributes, name);
  if (it == attributes.end()) return std::optional<T>();
  AttrValue value = std::move(it->second);
  attributes.erase(it);
  if (T* exact = std::get_if<T>(&value)) return std::optional<T>(std::move(*exact));
  if constexpr (std::is_same_v<T, int64_t> || std::is_same_v<T, float> || std::is_same_v<T, std::string>) {
    const auto* list = std::get_if<std::vector<T>>(&value);
    if (list != nullptr && list->size() == 1) return std::optional<T>(list->front());
  }
  return invalid_model("attribute '" + std::string(name) + "' must be " + std::string(kind));
}

}  // namespace

Result<std::optional<int64_t>> NodeImport::take_int(std::string_view name) {
  return take<int64_t>(attributes_, name, "an integer");
}
Result<std::optional<float>> NodeImport::take_float(std::string_view name) {
  return take<float>(attributes_, name, "a float");
}
Result<std::optional<std::string>> NodeImport::take_string(std::string_view name) {
  return take<std::string>(attributes_, name, "a string");
}
Result<std::optional<Ints>> NodeImport::take_ints(std::string_view name) {
  return take<Ints>(attributes_, name, "a list of integers");
}
Result<std::optional<Floats>> NodeImport::take_floats(std::string_view name) {
  return take<Floats>(attributes_, name, "a list of floats");
}
Result<std::optional<Strings>> NodeImport::take_strings(std::string_view name) {
  return take<Strings>(attributes_, name, "a list of strings");
}
Result<std::optional<Tensor>> NodeImport::take_tensor(std::string_view name) {
  return take<Tensor>(attributes_, name, "a tensor");
}

void NodeImport::drop(std::string_view name) {
  if (const auto it = find(attributes_, name); it != attributes_.end()) attributes_.erase(it);
}

void NodeImport::set(std::string_view name, AttrValue value) {
  drop(name);
  attributes_.emplace_back(name, std::move(value));
}

Result<Value*> NodeImport::constant(Tensor tensor, std::string_view hint) {
  return builder_.add_constant(builder_.fresh_name(label() + "/" + std::string(hint)), std::move(tensor));
}

Result<Value*> NodeImport::constant(const Ints& values, std::string_view hint) {
  const auto count = static_cast<int64_t>(values.size());
  return constant(Tensor::of<int64_t>(values, std::span(&count, 1)), hint);
}

namespace {

// Out-of-range values and NaN saturate, so that no conversion is undefined.
template <class T>
T convert(double value) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    if (!(value >= static_cast<double>(std::numeric_limits<T>::min()))) return std::numeric_limits<T>::min();
    if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
    return static_cast<T>(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    return value != 0;
  } else if constexpr (std::is_same_v<T, double>) {
    return value;
  } else {
    return T(static_cast<float>(value));
  }
}

}  // namespace

Result<Value*> NodeImport::scalar(DataType dtype, double value, std::string_view hint) {
  Tensor tensor;
  HONE_TRY(visit_type(dtype, AllTypes(), [&]<class T>() -> Status {
    tensor = Tensor::scalar<T>(convert<T>(value));
    return {};
  }));
  return constant(std::move(tensor), hint);
}

Result<Node*> NodeImport::emit_node(std::string_view op, AttrMap attributes, std::vector<Value*> inputs,
                                    size_t num_outputs) {
  HONE_ASSIGN(OpPtr made, make_op(op, attributes));
  const std::string stem = label() + "/" + std::string(op);
  std::vector<std::string> names(num_outputs);
  for (std::string& name : names) name = builder_.fresh_name(stem);
  return builder_.add_node(stem, std::move(made), std::move(inputs), std::move(names));
}

Result<Value*> NodeImport::emit(std::string_view op, AttrMap attributes, std::vector<Value*> inputs) {
  HONE_ASSIGN(const Node* const node, emit_node(op, std::move(attributes), std::move(inputs), 1));
  return node->output();
}

Status NodeImport::finish(std::string_view op, AttrMap attributes, std::vector<Value*> inputs, size_t min_outputs) {
  HONE_ASSIGN(OpPtr made, make_op(op, attributes));
  std::vector<std::string> names = outputs_;
  names.resize(std::max(names.size(), min_outputs));
  for (std::string& name : names) {
    if (name.empty()) name = builder_.fresh_name(label() + "/unused");
  }
  HONE_ASSIGN(const Node* const node, builder_.add_node(name_, std::move(made), std::move(inputs), std::move(names)));
  for (size_t i = 0; i < outputs_.size(); ++i) results_[i] = node->output(i);
  return {};
}

Status NodeImport::finish_output(size_t i, std::string_view op, AttrMap attributes, std::vector<Value*> inputs) {
  if (!has_output(i)) return {};
  HONE_ASSIGN(OpPtr made, make_op(op, attributes));
  HONE_ASSIGN(const Node* const node, builder_.add_node(name_, std::move(made), std::move(inputs), {outputs_[i]}));
  results_[i] = node->output();
  return {};
}

Status NodeImport::finish_constant(Tensor tensor) {
  if (outputs_.size() != 1) return invalid_model("a constant has one output, not " + std::to_string(outputs_.size()));
  HONE_ASSIGN(results_[0], builder_.add_constant(outputs_[0], std::move(tensor)));
  return {};
}

}  // namespace hone::onnx
