// What edits mean for symbols: the editor's half that rewrites dimensions.
#include <algorithm>
#include <utility>

#include "graph/graph.h"
#include "graph/infer.h"
#include "ops/operand.h"

namespace hone {

namespace {

// Whether the requirement tells nothing: it holds for all values of its symbols.
bool is_trivial(const DimRequirement& requirement) {
  const bool broadcast = requirement.kind == DimRequirement::Kind::kBroadcastable;
  return requirement.a == requirement.b || (broadcast && (requirement.a == Dim(1) || requirement.b == Dim(1)));
}

}  // namespace

bool GraphEditor::merge(const Dim& a, const Dim& b) {
  const Dim x = merges_.resolve(a), y = merges_.resolve(b);
  if (x == y) return false;
  // Only a number may take the place of the second one's symbol: an expression could be known later than it.
  for (const auto& [from, to, any] : {std::tuple(&x, &y, true), std::tuple(&y, &x, false)}) {
    const std::optional<SymbolId> id = as_symbol(*from);
    if (!id || graph_.symbols_[*id].kind == Symbol::Kind::kInputDim || !(any || to->is_const())) continue;
    if (mentions(*to, [&](SymbolId other) { return other == *id; })) continue;
    merges_.add(*id, *to);
    return true;
  }
  return false;
}

Status GraphEditor::check_replaceable(const Value& value, const Value& by) const {
  const auto differs = [&](const char* what) {
    return invalid_model("replacing '" + value.name() + "' by '" + by.name() + "' would change its " + what + " from " +
                         graph_.to_string(value.type_.tensor) + " to " + graph_.to_string(by.type_.tensor));
  };
  if (value.dtype() != by.dtype() || value.type_.kind != by.type_.kind) return differs("type");
  if (value.rank() != by.rank()) return differs("rank");
  for (size_t i = 0; i < value.rank(); ++i) {
    const Dim difference = merges_.resolve(value.shape()[i]) - merges_.resolve(by.shape()[i]);
    if (difference.is_const() && difference.value() != 0) return differs("shape");
  }
  return {};
}

std::vector<DimRequirement> GraphEditor::merge_values(const Value& value, const Value& by) {
  for (size_t i = 0; i < value.rank(); ++i) merge(value.shape()[i], by.shape()[i]);
  const std::optional<std::vector<Dim>> elements = infer_operand(&by).elements;
  if (value.elements_ && elements && elements->size() == value.elements_->size()) {
    for (size_t i = 0; i < elements->size(); ++i) merge((*value.elements_)[i], (*elements)[i]);
  }
  std::vector<DimRequirement> open;
  for (size_t i = 0; i < value.rank(); ++i) {
    DimRequirement pair{DimRequirement::Kind::kEqual, merges_.resolve(value.shape()[i]),
                        merges_.resolve(by.shape()[i])};
    if (!is_trivial(pair)) open.push_back(std::move(pair));
  }
  return open;
}

void GraphEditor::inherit_elements(const Value& value, Value& by) {
  if (!value.elements_ || by.is_constant() || by.elements_) return;
  by.elements_ = value.elements_;
  for (const Dim& element : *by.elements_) {
    element.visit_symbols([&](SymbolId id) {
      Symbol& symbol = graph_.symbols_[id];
      if (symbol.kind == Symbol::Kind::kHostValue && symbol.value == value.name()) symbol.value = by.name();
    });
  }
}

void GraphEditor::apply_some_merges() {
  if (merges_.size() > applied_merges_ / 16) apply_merges();
}

void GraphEditor::apply_merges() {
  if (merges_.empty()) return;
  const std::unordered_map<SymbolId, Dim> merged = merges_.take();
  applied_merges_ += merged.size();
  substitute([&](SymbolId id) {
    const auto it = merged.find(id);
    return it == merged.end() ? std::nullopt : std::optional(it->second);
  });
}

namespace {

// A body whose types mention replaced symbols, rewritten; else the same one.
std::shared_ptr<const Body> substituted(const std::shared_ptr<const Body>& body,
                                        const std::function<std::optional<Dim>(SymbolId)>& replacement) {
  if (body == nullptr) return body;
  const auto affected = [&](const Dim& dim) {
    return mentions(dim, [&](SymbolId id) { return replacement(id).has_value(); });
  };
  const bool any = std::any_of(body->steps.begin(), body->steps.end(), [&](const Body::Step& step) {
    return std::any_of(step.types.begin(), step.types.end(), [&](const TensorType& type) {
      return std::any_of(type.shape.begin(), type.shape.end(), affected);
    });
  });
  if (!any) return body;
  auto copy = std::make_shared<Body>(*body);
  for (Body::Step& step : copy->steps) {
    for (TensorType& type : step.types) {
      for (Dim& dim : type.shape) dim = dim.substitute(replacement);
    }
  }
  return copy;
}

}  // namespace

void GraphEditor::substitute(const std::function<std::optional<Dim>(SymbolId)>& replacement) {
  const auto update = [&](Dim& dim) {
    if (!dim.is_const()) dim = dim.substitute(replacement);
  };
  const auto update_value = [&](Value& value) {
    std::for_each(value.type_.tensor.shape.begin(), value.type_.tensor.shape.end(), update);
    if (value.elements_) std::for_each(value.elements_->begin(), value.elements_->end(), update);
  };
  for (auto& [name, value] : graph_.values_) update_value(*value);
  for (const auto& value : dead_values_) update_value(*value);
  for (const auto& node : graph_.nodes_) {
    for (DimRequirement& requirement : node->requirements_) {
      update(requirement.a);
      update(requirement.b);
    }
    std::erase_if(node->requirements_, is_trivial);
    node->body_ = substituted(node->body_, replacement);
  }
  for (Symbol& symbol : graph_.symbols_) update(symbol.bound);
}

bool GraphEditor::learn(Dim& known, const Dim& fresh) {
  const auto is_scratch = [&](SymbolId id) { return id >= graph_.symbols_.size(); };
  if (known.is_const() || mentions(fresh, is_scratch) || known == fresh) return false;
  if (as_symbol(known)) return merge(known, fresh);
  if (fresh.is_const()) known = fresh;
  return fresh.is_const();
}

bool GraphEditor::learn_elements(Value& value, const InferResult& fresh) {
  const auto is_scratch = [&](SymbolId id) { return id >= graph_.symbols_.size(); };
  if (!fresh.elements || static_cast<int64_t>(fresh.elements->size()) > kMaxFollowedElements) return false;
  if (!value.elements_) {
    const bool complete = std::none_of(fresh.elements->begin(), fresh.elements->end(),
                                       [&](const Dim& dim) { return mentions(dim, is_scratch); });
    if (complete) value.elements_ = fresh.elements;
    return complete;
  }
  bool learned = false;
  for (size_t i = 0; i < std::min(value.elements_->size(), fresh.elements->size()); ++i) {
    learned |= learn((*value.elements_)[i], (*fresh.elements)[i]);
  }
  return learned;
}

Result<bool> GraphEditor::refine(Node* node) {
  HONE_ASSIGN(const NodeInference again, infer_again(graph_, *node));
  bool learned = false;
  for (size_t i = 0; i < std::min(again.outputs.size(), node->outputs_.size()); ++i) {
    Value& output = *node->outputs_[i];
    const Shape& fresh = again.outputs[i].type.shape;
    for (size_t d = 0; d < std::min(output.rank(), fresh.size()); ++d) {
      learned |= learn(output.type_.tensor.shape[d], fresh[d]);
    }
    learned |= learn_elements(output, again.outputs[i]);
  }
  apply_some_merges();
  return learned;
}

bool GraphEditor::has_own_elements(const Value& value) const {
  return value.elements_ && !value.elements_->empty() &&
         std::all_of(value.elements_->begin(), value.elements_->end(), [&](const Dim& dim) {
           const std::optional<SymbolId> id = as_symbol(dim);
           return id && graph_.symbols_[*id].kind == Symbol::Kind::kHostValue &&
                  graph_.symbols_[*id].value == value.name_;
         });
}

void GraphEditor::update_host_values() {
  apply_merges();
  // Symbols that stand for a value's elements and occur nowhere else decide nothing.
  std::map<Value*, std::vector<Dim>> own;
  for (auto& [name, value] : graph_.values_) {
    value->host_value_ = false;
    if (has_own_elements(*value)) own[value.get()] = *std::exchange(value->elements_, std::nullopt);
  }
  const std::vector<bool> used = graph_.used_symbols();
  for (auto& [value, elements] : own) {
    const bool read =
        std::any_of(elements.begin(), elements.end(), [&](const Dim& dim) { return used[*as_symbol(dim)]; });
    if (read) value->elements_ = std::move(elements);
  }
  for (size_t id = 0; id < used.size(); ++id) {
    const Symbol& symbol = graph_.symbols_[id];
    Value* owner = used[id] && symbol.kind == Symbol::Kind::kHostValue ? graph_.find_value(symbol.value) : nullptr;
    if (owner != nullptr) owner->host_value_ = true;
  }
  for (const auto& node : graph_.nodes_) {
    const Result<NodeInference> again = infer_again(graph_, *node);
    for (size_t i = 0; again.ok() && i < again->needs_contents.size(); ++i) {
      node->inputs_[again->needs_contents[i]]->host_value_ = true;
    }
  }
}

void GraphEditor::drop_unused_symbols() {
  apply_merges();
  const std::vector<bool> used = graph_.used_symbols();
  if (std::all_of(used.begin(), used.end(), [](bool u) { return u; })) return;
  std::vector<SymbolId> numbers(used.size());
  std::vector<Symbol> kept;
  for (size_t id = 0; id < used.size(); ++id) {
    numbers[id] = static_cast<SymbolId>(kept.size());
    if (used[id]) {
      kept.push_back(std::move(graph_.symbols_[id]));
    } else {
      graph_.symbol_names_.erase(graph_.symbols_[id].name);
    }
  }
  graph_.symbols_ = std::move(kept);
  substitute([&](SymbolId id) {
    const Symbol& symbol = graph_.symbols_[numbers[id]];
    return Dim::symbol(numbers[id], symbol.kind != Symbol::Kind::kHostValue);
  });
}

}  // namespace hone
