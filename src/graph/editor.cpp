#include <algorithm>
#include <set>

#include "graph/graph.h"
#include "graph/infer.h"

namespace hone {

namespace {

void remove_use(std::vector<Use>& users, const Node* node, size_t index) {
  users.erase(std::find_if(users.begin(), users.end(),
                           [&](const Use& use) { return use.node == node && use.index == index; }));
}

}  // namespace

Result<Value*> GraphEditor::add_constant(std::string_view name_hint, Tensor tensor) {
  return graph_.add_constant(graph_.unique_name(name_hint), std::move(tensor));
}

Node* GraphEditor::insert(Node* position, std::unique_ptr<Node> node) {
  const auto it = graph_.nodes_.insert(position->position_, std::move(node));
  (*it)->position_ = it;
  return it->get();
}

Result<Node*> GraphEditor::insert_before(Node* position, std::string_view name_hint, OpPtr op,
                                         std::vector<Value*> inputs, size_t num_outputs) {
  HONE_ASSIGN(auto node, graph_.make_node(std::string(name_hint), std::move(op), std::move(inputs),
                                          std::vector<std::string>(num_outputs), nullptr));
  return insert(position, std::move(node));
}

Status GraphEditor::replace(Value* value, Value* by) {
  const std::string what = "replacing '" + value->name() + "' by '" + by->name() + "'";
  if (value->dtype() != by->dtype() || value->rank() != by->rank()) {
    return invalid_model(what + " would change its type from " + graph_.to_string(value->type_.tensor) + " to " +
                         graph_.to_string(by->type_.tensor));
  }
  for (size_t i = 0; i < value->rank(); ++i) {
    const Dim difference = value->shape()[i] - by->shape()[i];
    if (difference.is_const() && difference.value() != 0) {
      return invalid_model(what + " would change its shape from " + graph_.to_string(value->shape()) + " to " +
                           graph_.to_string(by->shape()));
    }
  }
  for (const Use& use : value->users_) {
    use.node->inputs_[use.index] = by;
    by->users_.push_back(use);
  }
  value->users_.clear();
  if (value->host_value_ && !by->is_constant()) by->host_value_ = true;
  merge_symbols(*value, *by);
  std::replace(graph_.outputs_.begin(), graph_.outputs_.end(), value, by);
  return {};
}

void GraphEditor::merge_symbols(const Value& value, const Value& by) {
  std::map<SymbolId, Dim> merged;
  const auto note = [&](const Dim& from, const Dim& to) {
    if (from == to || from.is_const() || from.expr()->kind != DimExpr::Kind::kSymbol) return;
    const SymbolId id = from.expr()->symbol;
    if (graph_.symbols_[id].kind != Symbol::Kind::kInputDim) merged.try_emplace(id, to);
  };
  for (size_t i = 0; i < value.rank(); ++i) note(value.shape()[i], by.shape()[i]);
  const std::optional<std::vector<Dim>> elements = infer_operand(&by).elements;
  if (value.elements_ && elements && elements->size() == value.elements_->size()) {
    for (size_t i = 0; i < elements->size(); ++i) note((*value.elements_)[i], (*elements)[i]);
  } else if (value.elements_ && !by.is_constant()) {
    // `by` takes over the symbols of the value's elements.
    Value* heir = graph_.find_value(by.name());
    heir->elements_ = value.elements_;
    for (Symbol& symbol : graph_.symbols_) {
      if (symbol.kind == Symbol::Kind::kHostValue && symbol.value == value.name()) symbol.value = by.name();
    }
  }
  if (merged.empty()) return;
  const auto replacement = [&](SymbolId id) {
    const auto it = merged.find(id);
    return it == merged.end() ? std::nullopt : std::optional<Dim>(it->second);
  };
  const auto update = [&](Dim& dim) { dim = dim.substitute(replacement); };
  for (auto& [name, other] : graph_.values_) {
    for (Dim& dim : other->type_.tensor.shape) update(dim);
    if (other->elements_) std::for_each(other->elements_->begin(), other->elements_->end(), update);
  }
  for (const auto& node : graph_.nodes_) {
    for (DimRequirement& requirement : node->requirements_) {
      update(requirement.a);
      update(requirement.b);
    }
  }
  for (Symbol& symbol : graph_.symbols_) update(symbol.bound);
}

Result<Node*> GraphEditor::fuse(OpPtr op, const std::vector<Node*>& nodes, std::string_view name_hint) {
  Node* last = nodes.back();
  const std::set<const Node*> members(nodes.begin(), nodes.end());
  auto body = std::make_shared<Body>();
  std::vector<Value*> operands;
  std::map<const Value*, int32_t> numbers;
  for (const Node* node : nodes) {
    for (Value* input : node->inputs_) {
      if (input == nullptr || members.contains(input->producer_) || numbers.contains(input)) continue;
      numbers[input] = static_cast<int32_t>(operands.size());
      operands.push_back(input);
    }
  }
  body->num_inputs = static_cast<uint32_t>(operands.size());
  int32_t next = static_cast<int32_t>(operands.size());
  for (const Node* node : nodes) {
    Body::Step step{node->op_, {}, {}};
    if (node->body_ != nullptr) return invalid_model("a fused node can't be fused again; inline it first");
    for (const Value* input : node->inputs_) step.operands.push_back(input == nullptr ? -1 : numbers.at(input));
    for (const Value* output : node->outputs_) {
      numbers[output] = next++;
      step.types.push_back(output->type_.tensor);
      const bool escapes = std::any_of(output->users_.begin(), output->users_.end(),
                                       [&](const Use& use) { return !members.contains(use.node); }) ||
                           std::find(graph_.outputs_.begin(), graph_.outputs_.end(), output) != graph_.outputs_.end();
      if (node != last && escapes) return invalid_model("'" + output->name() + "' is read outside of the fusion");
    }
    body->steps.push_back(std::move(step));
  }
  for (const Value* output : last->outputs_) body->results.push_back(numbers.at(output));
  HONE_ASSIGN(auto made, graph_.make_node(std::string(name_hint), std::move(op), std::move(operands),
                                          std::vector<std::string>(last->outputs_.size()), std::move(body)));
  Node* fused = insert(last, std::move(made));
  for (size_t i = 0; i < last->outputs_.size(); ++i) HONE_TRY(replace(last->outputs_[i], fused->outputs_[i]));
  finish();
  return fused;
}

Status GraphEditor::inline_body(Node* node) {
  const std::shared_ptr<const Body> body = node->body_;
  if (body == nullptr) return invalid_argument("node '" + node->name_ + "' has no body");
  std::vector<Value*> values = node->inputs_;
  for (const Tensor& tensor : body->constants) {
    HONE_ASSIGN(Value* const constant, add_constant(node->name_, tensor));
    values.push_back(constant);
  }
  for (const Body::Step& step : body->steps) {
    std::vector<Value*> inputs;
    for (const int32_t id : step.operands) inputs.push_back(id < 0 ? nullptr : values[static_cast<size_t>(id)]);
    HONE_ASSIGN(const Node* const made, insert_before(node, node->name_ + "/" + std::string(step.op->name()), step.op,
                                                      std::move(inputs), step.types.size()));
    values.insert(values.end(), made->outputs_.begin(), made->outputs_.end());
  }
  for (size_t i = 0; i < node->outputs_.size(); ++i) {
    HONE_TRY(replace(node->outputs_[i], values[static_cast<size_t>(body->results[i])]));
  }
  finish();
  return {};
}

bool GraphEditor::finish() {
  std::set<const Value*> results(graph_.outputs_.begin(), graph_.outputs_.end());
  const auto unread = [&](const Value* value) { return value->users_.empty() && !results.contains(value); };
  const size_t before = graph_.values_.size();
  for (auto it = graph_.nodes_.rbegin(); it != graph_.nodes_.rend(); ++it) {
    Node* node = it->get();
    if (!std::all_of(node->outputs_.begin(), node->outputs_.end(), unread)) continue;
    for (size_t i = 0; i < node->inputs_.size(); ++i) {
      if (node->inputs_[i] != nullptr) remove_use(node->inputs_[i]->users_, node, i);
    }
    for (const Value* output : node->outputs_) graph_.values_.erase(graph_.values_.find(output->name()));
    node->outputs_.clear();
  }
  std::erase_if(graph_.nodes_, [](const auto& node) { return node->outputs_.empty(); });
  std::erase_if(graph_.values_,
                [&](const auto& entry) { return entry.second->is_constant() && unread(entry.second.get()); });
  return graph_.values_.size() != before;
}

}  // namespace hone
