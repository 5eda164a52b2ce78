#include <algorithm>
#include <set>
#include <utility>

#include "graph/graph.h"
#include "graph/infer.h"

namespace hone {

namespace {

bool is_read(const Value& value) { return !value.users().empty() || value.is_output(); }

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
  if (value == by) return {};
  HONE_TRY(check_replaceable(*value, *by));
  const std::vector<DimRequirement> open = merge_values(*value, *by);
  for (const Use& use : std::exchange(value->users_, {})) {
    use.node->inputs_[use.index] = by;
    by->add_user(use.node, use.index);
    use.node->requirements_.insert(use.node->requirements_.end(), open.begin(), open.end());
  }
  if (value->host_value_ && !by->is_constant()) by->host_value_ = true;
  for (const size_t index : std::exchange(value->output_indices_, {})) {
    graph_.outputs_[index] = by;
    by->output_indices_.push_back(index);
  }
  inherit_elements(*value, *by);
  apply_some_merges();
  collect(value);
  return {};
}

namespace {

// The steps of a body, and which values of the graph are its operands and constants.
struct BodyBuilder {
  Body body;
  std::vector<Value*> operands;
  std::map<const Value*, int32_t> numbers;

  void add_outer_values(const std::vector<Node*>& nodes) {
    const std::set<const Node*> members(nodes.begin(), nodes.end());
    std::vector<const Value*> constants;
    for (const Node* node : nodes) {
      for (Value* input : node->inputs()) {
        if (input == nullptr || members.contains(input->producer()) || !numbers.try_emplace(input, -1).second) continue;
        if (input->is_constant() && input->dtype() != DataType::kString && input->constant().count() == 1) {
          constants.push_back(input);
        } else {
          numbers[input] = static_cast<int32_t>(operands.size());
          operands.push_back(input);
        }
      }
    }
    body.num_inputs = static_cast<uint32_t>(operands.size());
    for (const Value* constant : constants) {
      numbers[constant] = static_cast<int32_t>(operands.size() + body.constants.size());
      body.constants.push_back(constant->constant());
    }
  }

  void add_step(const Node& node) {
    Body::Step step{node.op_ptr(), {}, {}};
    for (const Value* input : node.inputs()) step.operands.push_back(input == nullptr ? -1 : numbers.at(input));
    for (const Value* output : node.outputs()) {
      numbers[output] = next_number();
      step.types.push_back(output->type().tensor);
      ++outputs;
    }
    body.steps.push_back(std::move(step));
  }

  int32_t next_number() const { return static_cast<int32_t>(operands.size() + body.constants.size() + outputs); }
  size_t outputs = 0;
};

Status check_fusible(const std::vector<Node*>& nodes) {
  if (nodes.empty()) return invalid_argument("a fusion needs at least one node");
  const std::set<const Node*> members(nodes.begin(), nodes.end());
  for (const Node* node : nodes) {
    if (node->body() != nullptr) return invalid_argument(describe(*node) + " is fused already; inline it first");
    if (node == nodes.back()) continue;
    for (const Value* output : node->outputs()) {
      const bool escapes = output->is_output() || std::any_of(output->users().begin(), output->users().end(),
                                                              [&](const Use& u) { return !members.contains(u.node); });
      if (escapes) return invalid_argument("'" + output->name() + "' is read outside of the fusion");
    }
  }
  return {};
}

}  // namespace

Result<Node*> GraphEditor::fuse(OpPtr op, const std::vector<Node*>& nodes, std::string_view name_hint) {
  HONE_TRY(check_fusible(nodes));
  Node* last = nodes.back();
  BodyBuilder builder;
  builder.add_outer_values(nodes);
  std::vector<DimRequirement> requirements;
  for (const Node* node : nodes) {
    builder.add_step(*node);
    requirements.insert(requirements.end(), node->requirements_.begin(), node->requirements_.end());
  }
  for (const Value* output : last->outputs_) builder.body.results.push_back(builder.numbers.at(output));
  HONE_ASSIGN(auto made, graph_.make_node(std::string(name_hint), std::move(op), std::move(builder.operands),
                                          std::vector<std::string>(last->outputs_.size()),
                                          std::make_shared<const Body>(std::move(builder.body))));
  Node* fused = insert(last, std::move(made));
  fused->requirements_ = std::move(requirements);
  const std::vector<Value*> outputs = last->outputs_;
  for (size_t i = 0; i < outputs.size(); ++i) HONE_TRY(replace(outputs[i], fused->outputs_[i]));
  return fused;
}

Status GraphEditor::inline_body(Node* node) {
  const std::shared_ptr<const Body> body = node->body_;
  if (body == nullptr) return invalid_argument(describe(*node) + " has no body");
  const std::string name = node->name_.empty() ? std::string(node->op_->name()) : node->name_;
  std::vector<Value*> values = node->inputs_;
  for (const Tensor& tensor : body->constants) {
    HONE_ASSIGN(Value* const constant, add_constant(name, tensor));
    values.push_back(constant);
  }
  for (const Body::Step& step : body->steps) {
    std::vector<Value*> inputs;
    for (const int32_t id : step.operands) inputs.push_back(id < 0 ? nullptr : values[static_cast<size_t>(id)]);
    HONE_ASSIGN(const Node* const made, insert_before(node, name + "/" + std::string(step.op->name()), step.op,
                                                      std::move(inputs), step.types.size()));
    values.insert(values.end(), made->outputs_.begin(), made->outputs_.end());
  }
  const std::vector<Value*> outputs = node->outputs_;
  for (size_t i = 0; i < outputs.size(); ++i) {
    HONE_TRY(replace(outputs[i], values[static_cast<size_t>(body->results[i])]));
  }
  return {};
}

void GraphEditor::bury(Value* value) {
  auto entry = graph_.values_.extract(graph_.values_.find(value->name_));
  dead_values_.push_back(std::move(entry.mapped()));
}

void GraphEditor::bury(Node* node) {
  node->dead_ = true;
  node->inputs_.clear();
  for (Value* output : node->outputs_) bury(output);
  dead_nodes_.push_back(std::move(*node->position_));
  graph_.nodes_.erase(node->position_);
}

void GraphEditor::collect(Value* value) {
  std::vector<Value*> unread{value};
  while (!unread.empty()) {
    Value* next = unread.back();
    unread.pop_back();
    if (is_read(*next)) continue;
    if (next->is_constant()) bury(next);
    Node* node = next->producer_;
    if (node == nullptr || node->dead_) continue;
    if (std::any_of(node->outputs_.begin(), node->outputs_.end(), [](const Value* v) { return is_read(*v); })) continue;
    for (size_t i = 0; i < node->inputs_.size(); ++i) {
      Value* input = node->inputs_[i];
      if (input == nullptr) continue;
      input->remove_user(node, i);
      if (input->users_.empty()) unread.push_back(input);
    }
    bury(node);
  }
}

bool GraphEditor::finish() {
  apply_merges();
  std::vector<Node*> dead;
  for (auto it = graph_.nodes_.rbegin(); it != graph_.nodes_.rend(); ++it) {
    Node* node = it->get();
    node->dead_ = std::none_of(node->outputs_.begin(), node->outputs_.end(), [](const Value* output) {
      return output->is_output() ||
             std::any_of(output->users_.begin(), output->users_.end(), [](const Use& use) { return !use.node->dead_; });
    });
    if (node->dead_) dead.push_back(node);
  }
  for (Node* node : dead) {
    for (size_t i = 0; i < node->inputs_.size(); ++i) {
      if (node->inputs_[i] != nullptr) node->inputs_[i]->remove_user(node, i);
    }
    bury(node);
  }
  const size_t constants_erased = std::erase_if(
      graph_.values_, [](const auto& entry) { return entry.second->is_constant() && !is_read(*entry.second); });
  dead_nodes_.clear();
  dead_values_.clear();
  return !dead.empty() || constants_erased != 0;
}

}  // namespace hone
