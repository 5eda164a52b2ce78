#include "graph/verifier.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "graph/infer.h"

namespace hone {

namespace {

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph) {}

  Status run() {
    HONE_TRY(check_sources());
    for (const Node* node : graph_.nodes()) HONE_TRY(check_node(*node).with_context("in " + describe(*node)));
    for (const auto& [value, uses] : uses_) HONE_TRY(check_users(*value, uses));
    HONE_TRY(check_outputs());
    return check_symbols();
  }

 private:
  Status check_sources();
  Status define(const Value* value);
  Status check_type(const Value& value) const;
  Status check_dims(std::span<const Dim> dims) const;
  Status check_node(const Node& node);
  Status check_operands(const Node& node);
  Status check_body(const Body& body) const;
  Status check_inference(const Node& node) const;
  Status check_users(const Value& value, const std::vector<Use>& uses) const;
  Status check_outputs() const;
  Status check_symbols() const;
  Status check_owner(const Symbol& symbol, SymbolId id) const;
  Status check_bounds() const;

  const Graph& graph_;
  std::unordered_map<const Value*, std::vector<Use>> uses_;  // of every value defined so far
};

Status Verifier::check_sources() {
  for (const Value* input : graph_.inputs()) {
    if (input->producer() != nullptr || input->is_constant()) {
      return invalid_model("the input '" + input->name() + "' is made inside of the graph");
    }
    HONE_TRY(define(input));
  }
  for (const Value* constant : graph_.constants()) {
    if (constant->producer() != nullptr) return invalid_model("the constant '" + constant->name() + "' has a producer");
    HONE_TRY(define(constant));
    const Tensor& tensor = constant->constant();
    const Shape shape(tensor.dims().begin(), tensor.dims().end());
    if (constant->dtype() != tensor.dtype() || constant->shape() != shape) {
      return invalid_model("the constant '" + constant->name() + "' has another type than its contents");
    }
  }
  return {};
}

Status Verifier::define(const Value* value) {
  if (graph_.find_value(value->name()) != value) {
    return invalid_model("the value '" + value->name() + "' isn't in the graph under its name");
  }
  if (!uses_.try_emplace(value).second) return invalid_model("the value '" + value->name() + "' is defined twice");
  return check_type(*value);
}

Status Verifier::check_type(const Value& value) const {
  const auto where = [&] { return "the value '" + value.name() + "'"; };
  if (value.dtype() == DataType::kUndefined) return invalid_model(where() + " has no type");
  if (value.rank() > kMaxRank) return invalid_model(where() + " has a rank above " + std::to_string(kMaxRank));
  HONE_TRY(check_dims(value.shape()).with_context(where()));
  if (element_count(value.shape()).is_invalid()) return invalid_model(where() + " has too many elements");
  if (!value.elements()) return {};
  const Dim count = Dim(static_cast<int64_t>(value.elements()->size())) - element_count(value.shape());
  if (value.rank() > 1 || (count.is_const() && count.value() != 0)) {
    return invalid_model(where() + " has " + std::to_string(value.elements()->size()) +
                         " known elements in a shape of " + graph_.to_string(value.shape()));
  }
  return {};
}

Status Verifier::check_dims(std::span<const Dim> dims) const {
  for (const Dim& dim : dims) {
    if (dim.is_invalid()) return invalid_model("a dimension can't be computed");
    if (dim.is_const() && dim.value() < 0) return invalid_model("a dimension is negative");
  }
  return {};
}

Status Verifier::check_node(const Node& node) {
  if (node.is_dead()) return invalid_model("is removed, but still in the graph");
  if (node.outputs().empty()) return invalid_model("has no outputs");
  HONE_TRY(check_operands(node));
  for (size_t i = 0; i < node.outputs().size(); ++i) {
    const Value* output = node.output(i);
    if (output->producer() != &node || output->producer_index() != i || output->is_constant()) {
      return invalid_model("the value '" + output->name() + "' isn't its output " + std::to_string(i));
    }
    HONE_TRY(define(output));
  }
  if (node.body() != nullptr) HONE_TRY(check_body(*node.body()));
  return check_inference(node);
}

Status Verifier::check_operands(const Node& node) {
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    const Value* input = node.input(i);
    if (input == nullptr) continue;
    const auto it = uses_.find(input);
    if (it == uses_.end()) return invalid_model("operand " + std::to_string(i) + " is read before it is made");
    it->second.push_back({const_cast<Node*>(&node), i});
  }
  return {};
}

Status Verifier::check_body(const Body& body) const {
  size_t known = body.num_inputs + body.constants.size();
  const auto is_known = [&](int32_t id) { return id >= 0 && static_cast<size_t>(id) < known; };
  for (const Body::Step& step : body.steps) {
    if (step.op == nullptr || step.types.empty()) return invalid_model("a step of its body is incomplete");
    for (const int32_t id : step.operands) {
      if (id != -1 && !is_known(id)) return invalid_model("its body reads a value before it is made");
    }
    known += step.types.size();
  }
  if (!std::all_of(body.results.begin(), body.results.end(), is_known)) {
    return invalid_model("its body gives a value that isn't made");
  }
  return {};
}

bool may_be_equal(const Dim& a, const Dim& b) {
  const Dim difference = a - b;
  return !difference.is_const() || difference.value() == 0;
}

Status Verifier::check_inference(const Node& node) const {
  HONE_ASSIGN(const NodeInference again, infer_again(graph_, node));
  if (again.outputs.size() != node.outputs().size()) {
    return invalid_model("has " + std::to_string(node.outputs().size()) + " outputs instead of " +
                         std::to_string(again.outputs.size()));
  }
  for (size_t i = 0; i < again.outputs.size(); ++i) {
    const TensorType &is = node.output(i)->type().tensor, &should = again.outputs[i].type;
    const bool fits = is.dtype == should.dtype && is.shape.size() == should.shape.size() &&
                      node.output(i)->type().kind == ValueType::Kind::kTensor &&
                      std::equal(is.shape.begin(), is.shape.end(), should.shape.begin(), may_be_equal);
    if (!fits) {
      return invalid_model("output " + std::to_string(i) + " has the type " + graph_.to_string(is) + " instead of " +
                           graph_.to_string(should));
    }
    const auto &elements = node.output(i)->elements(), &fresh = again.outputs[i].elements;
    if (elements && fresh &&
        !std::equal(elements->begin(), elements->end(), fresh->begin(), fresh->end(), may_be_equal)) {
      return invalid_model("output " + std::to_string(i) + " has other elements than inference gives");
    }
  }
  for (const size_t i : again.needs_contents) {
    if (!node.input(i)->is_host_value()) {
      return invalid_model("the contents of operand " + std::to_string(i) + " decide shapes, but '" +
                           node.input(i)->name() + "' isn't marked as a host value");
    }
  }
  return {};
}

Status Verifier::check_users(const Value& value, const std::vector<Use>& uses) const {
  const auto sorted = [](const std::vector<Use>& list) {
    std::vector<std::pair<const Node*, size_t>> pairs;
    for (const Use& use : list) pairs.emplace_back(use.node, use.index);
    std::sort(pairs.begin(), pairs.end());
    return pairs;
  };
  if (uses.size() == value.users().size() && sorted(uses) == sorted(value.users())) return {};
  return invalid_model("the list of users of '" + value.name() + "' is wrong");
}

Status Verifier::check_outputs() const {
  if (graph_.outputs().size() != graph_.output_names().size()) return invalid_model("an output has no name");
  std::unordered_set<std::string_view> names;
  for (size_t i = 0; i < graph_.outputs().size(); ++i) {
    const std::string& name = graph_.output_names()[i];
    if (name.empty() || !names.insert(name).second) return invalid_model("two outputs have the name '" + name + "'");
    if (!uses_.contains(graph_.outputs()[i])) return invalid_model("the output '" + name + "' isn't in the graph");
    if (!graph_.outputs()[i]->is_output()) return invalid_model("the output '" + name + "' isn't marked as one");
  }
  return {};
}

Status Verifier::check_symbols() const {
  Status unknown;
  const auto check = [&](const Dim& dim) {
    dim.visit_symbols([&](SymbolId id) {
      if (id >= graph_.symbols().size()) unknown = invalid_model("symbol " + std::to_string(id) + " doesn't exist");
    });
  };
  const auto check_all = [&](const std::vector<Dim>& dims) { std::for_each(dims.begin(), dims.end(), check); };
  for (const auto& [value, uses] : uses_) {
    check_all(value->shape());
    if (value->elements()) check_all(*value->elements());
  }
  for (const Node* node : graph_.nodes()) {
    for (const DimRequirement& requirement : node->requirements()) check_all({requirement.a, requirement.b});
  }
  for (const Symbol& symbol : graph_.symbols()) check(symbol.bound);
  HONE_TRY(unknown);
  HONE_TRY(check_bounds());
  std::unordered_set<std::string_view> names;
  const std::vector<bool> used = graph_.used_symbols();
  for (SymbolId id = 0; id < used.size(); ++id) {
    const Symbol& symbol = graph_.symbols()[id];
    if (!names.insert(symbol.name).second) return invalid_model("two symbols have the name '" + symbol.name + "'");
    if (used[id]) HONE_TRY(check_owner(symbol, id).with_context("symbol '" + symbol.name + "'"));
  }
  return {};
}

Status Verifier::check_owner(const Symbol& symbol, SymbolId id) const {
  const Value* value = graph_.find_value(symbol.value);
  if (value == nullptr) return invalid_model("belongs to '" + symbol.value + "', which doesn't exist");
  const auto is_symbol = [&](const Dim& dim) {
    return !dim.is_const() && dim.expr()->kind == DimExpr::Kind::kSymbol && dim.expr()->symbol == id;
  };
  const auto has_symbol = [&](const Value* output) {
    return std::any_of(output->shape().begin(), output->shape().end(), is_symbol);
  };
  switch (symbol.kind) {
    case Symbol::Kind::kInputDim: {
      const bool is_input = value->producer() == nullptr && !value->is_constant();
      if (is_input && symbol.index < value->rank() && is_symbol(value->shape()[symbol.index])) return {};
      return invalid_model("isn't dimension " + std::to_string(symbol.index) + " of the input '" + symbol.value + "'");
    }
    case Symbol::Kind::kHostValue:
      if (value->is_host_value() && value->elements() && symbol.index < value->elements()->size()) return {};
      return invalid_model("isn't element " + std::to_string(symbol.index) + " of the host value '" + symbol.value +
                           "'");
    case Symbol::Kind::kResolved:
    case Symbol::Kind::kCounted: {
      const Node* node = value->producer();
      if (node != nullptr && std::any_of(node->outputs().begin(), node->outputs().end(), has_symbol)) return {};
      return invalid_model("isn't a dimension of what the producer of '" + symbol.value + "' makes");
    }
  }
  return {};
}

Status Verifier::check_bounds() const {
  // Depth-first over "the bound of a mentions b"; 1: on the path, 2: done.
  const std::vector<Symbol>& symbols = graph_.symbols();
  std::vector<uint8_t> state(symbols.size(), 0);
  for (SymbolId root = 0; root < symbols.size(); ++root) {
    std::vector<SymbolId> path{root};
    while (!path.empty()) {
      const SymbolId id = path.back();
      if (state[id] != 0) {
        state[id] = 2;
        path.pop_back();
        continue;
      }
      state[id] = 1;
      bool circle = false;
      symbols[id].bound.visit_symbols([&](SymbolId next) {
        circle = circle || state[next] == 1;
        if (state[next] == 0) path.push_back(next);
      });
      if (circle) return invalid_model("the bound of symbol '" + symbols[id].name + "' goes in a circle");
    }
  }
  return {};
}

}  // namespace

Status verify(const Graph& graph) { return Verifier(graph).run(); }

}  // namespace hone
