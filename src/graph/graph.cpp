#include "graph/graph.h"

#include <algorithm>

namespace hone {

void Value::add_user(Node* node, size_t index) {
  node->use_slots_.resize(node->inputs_.size());
  node->use_slots_[index] = users_.size();
  users_.push_back({node, index});
}

void Value::remove_user(Node* node, size_t index) {
  const size_t slot = node->use_slots_[index];
  const Use moved = users_.back();
  users_[slot] = moved;
  moved.node->use_slots_[moved.index] = slot;
  users_.pop_back();
}

std::vector<Node*> Graph::nodes() const {
  std::vector<Node*> nodes;
  nodes.reserve(nodes_.size());
  for (const auto& node : nodes_) nodes.push_back(node.get());
  return nodes;
}

std::vector<Value*> Graph::constants() const {
  std::vector<Value*> constants;
  for (const auto& [name, value] : values_) {
    if (value->is_constant()) constants.push_back(value.get());
  }
  return constants;
}

Value* Graph::find_value(std::string_view name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? nullptr : it->second.get();
}

std::string Graph::symbol_name(SymbolId id) const {
  return id < symbols_.size() ? symbols_[id].name : "?" + std::to_string(id);
}

std::vector<bool> Graph::used_symbols() const {
  std::vector<bool> used(symbols_.size(), false);
  std::vector<SymbolId> pending;
  const auto mark = [&](const Dim& dim) {
    dim.visit_symbols([&](SymbolId id) {
      if (id >= used.size() || used[id]) return;
      used[id] = true;
      pending.push_back(id);
    });
  };
  const auto mark_all = [&](const std::vector<Dim>& dims) { std::for_each(dims.begin(), dims.end(), mark); };
  for (const auto& [name, value] : values_) {
    mark_all(value->shape());
    if (value->elements_) mark_all(*value->elements_);
  }
  for (const auto& node : nodes_) {
    for (const DimRequirement& requirement : node->requirements_) mark_all({requirement.a, requirement.b});
    if (node->body_ == nullptr) continue;
    for (const Body::Step& step : node->body_->steps) {
      for (const TensorType& type : step.types) mark_all(type.shape);
    }
  }
  while (!pending.empty()) {
    const SymbolId id = pending.back();
    pending.pop_back();
    mark(symbols_[id].bound);
  }
  return used;
}

std::string Graph::to_string(const Dim& dim) const {
  return dim.to_string([this](SymbolId id) { return symbol_name(id); });
}

std::string Graph::to_string(const Shape& shape) const {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? "," : "") + to_string(shape[i]);
  return text + "]";
}

std::string Graph::to_string(const TensorType& type) const {
  return std::string(name_of(type.dtype)) + to_string(type.shape);
}

SymbolId Graph::add_symbol(Symbol symbol) {
  const std::string stem = symbol.name.empty() ? "d" : symbol.name;
  std::string name = stem;
  while (!symbol_names_.insert(name).second) name = stem + "_" + std::to_string(next_number_++);
  symbol.name = std::move(name);
  symbols_.push_back(std::move(symbol));
  return static_cast<SymbolId>(symbols_.size() - 1);
}

std::string Graph::unique_name(std::string_view wish) {
  const std::string stem(wish.empty() ? "v" : wish);
  std::string name = stem;
  while (find_value(name) != nullptr) name = stem + "_" + std::to_string(next_number_++);
  return name;
}

Result<Value*> Graph::add_value(std::string name, ValueType type) {
  if (name.empty()) name = unique_name("");
  if (type.tensor.shape.size() > kMaxRank) {
    return unsupported("'" + name + "' has rank " + std::to_string(type.tensor.shape.size()) + "; the limit is " +
                       std::to_string(kMaxRank));
  }
  auto [it, inserted] = values_.try_emplace(name, nullptr);
  if (!inserted) return invalid_model("the name '" + name + "' is defined twice");
  it->second = std::make_unique<Value>();
  it->second->name_ = std::move(name);
  it->second->type_ = std::move(type);
  return it->second.get();
}

Result<Value*> Graph::add_input(std::string name, ValueType type) {
  HONE_ASSIGN(Value* const value, add_value(std::move(name), std::move(type)));
  inputs_.push_back(value);
  return value;
}

Result<Value*> Graph::add_constant(std::string name, Tensor tensor) {
  Shape shape(tensor.dims().begin(), tensor.dims().end());
  HONE_ASSIGN(Value* const value, add_value(std::move(name), {ValueType::Kind::kTensor, {tensor.dtype(), shape}}));
  value->constant_ = std::move(tensor);
  return value;
}

Result<Node*> Graph::add_node(std::string name, OpPtr op, std::vector<Value*> inputs, std::vector<std::string> outputs,
                              std::shared_ptr<const Body> body) {
  HONE_ASSIGN(auto node,
              make_node(std::move(name), std::move(op), std::move(inputs), std::move(outputs), std::move(body)));
  nodes_.push_back(std::move(node));
  nodes_.back()->position_ = std::prev(nodes_.end());
  return nodes_.back().get();
}

void Graph::add_output(std::string name, Value* value) {
  value->output_indices_.push_back(outputs_.size());
  outputs_.push_back(value);
  output_names_.push_back(std::move(name));
}

}  // namespace hone
