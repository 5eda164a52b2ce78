#include <algorithm>

#include "base/escape.h"
#include "graph/text.h"
#include "graph/text_literal.h"
#include "ops/op_list.h"

namespace hone {

namespace {

std::string value_text(std::string_view name) { return "%" + (is_bare_value(name) ? std::string(name) : quoted(name)); }

std::string op_text(const Op& op) { return is_bare_name(op.name()) ? std::string(op.name()) : quoted(op.name()); }

// The attributes that differ from a built-in operator's defaults; all of those of other operators.
std::string attributes_text(const Op& op) {
  AttrMap attributes = op.describe();
  if (const std::unique_ptr<Op> fresh = make_op(op.name())) {
    const AttrMap defaults = fresh->describe();
    std::erase_if(attributes, [&](const auto& attribute) {
      return std::any_of(defaults.begin(), defaults.end(), [&](const auto& standard) {
        return standard.first == attribute.first &&
               print_attribute(standard.second) == print_attribute(attribute.second);
      });
    });
  }
  const std::string text = print_attributes(attributes);
  return text.empty() ? text : " " + text;
}

class Printer {
 public:
  Printer(const Graph& graph, WeightsWriter* weights) : graph_(graph), weights_(weights) {}

  std::string run() {
    out_ = "graph " + quoted(graph_.name()) + "\n";
    for (const auto& [key, value] : graph_.metadata()) {
      out_ += "metadata " + quoted(key) + " = " + quoted(value) + "\n";
    }
    print_symbols();
    for (const Value* input : graph_.inputs()) {
      out_ += "input " + value_text(input->name()) + ": " + spec(*input) + "\n";
    }
    const std::vector<Node*> nodes = graph_.nodes();
    for (const Value* constant : constants_by_use(nodes)) {
      out_ += "const " + value_text(constant->name()) + " = " + contents(constant->constant()) + "\n";
    }
    for (const Node* node : nodes) print_node(*node);
    for (size_t i = 0; i < graph_.outputs().size(); ++i) print_output(i);
    return std::move(out_);
  }

 private:
  std::string dim(const Dim& d) const {
    return d.to_string([this](SymbolId id) { return symbol(graph_.symbol_name(id)); });
  }

  static std::string symbol(const std::string& name) { return is_bare_symbol(name) ? name : quoted(name); }

  std::string dims(std::span<const Dim> list) const {
    std::string text;
    for (const Dim& d : list) text += (text.empty() ? "" : ",") + dim(d);
    return text;
  }

  std::string type(const TensorType& t) const { return std::string(name_of(t.dtype)) + "[" + dims(t.shape) + "]"; }

  std::string spec(const Value& value) const {
    std::string text = type(value.type().tensor);
    if (value.type().kind == ValueType::Kind::kSequence) text = "sequence(" + text + ")";
    if (value.type().kind == ValueType::Kind::kOptional) text = "optional(" + text + ")";
    if (value.is_host_value()) text += " host";
    if (value.elements()) text += " = (" + dims(*value.elements()) + ")";
    return text;
  }

  std::string contents(const Tensor& tensor) const {
    if (tensor.count() <= kMaxInlineElements || tensor.dtype() == DataType::kString) return print_tensor(tensor);
    if (weights_ == nullptr) return print_tensor_type(tensor) + "(...)";
    const WeightsWriter::Block block = weights_->add(tensor);
    return print_tensor_type(tensor) + "@" + std::to_string(block.offset) + ":" + std::to_string(block.bytes);
  }

  void print_symbols();
  std::vector<const Value*> constants_by_use(const std::vector<Node*>& nodes) const;
  void print_node(const Node& node);
  std::string body(const Body& body, size_t operands) const;
  std::string requirements(const Node& node) const;

  void print_output(size_t i) {
    const std::string& name = graph_.output_names()[i];
    const Value* value = graph_.outputs()[i];
    out_ += "output " + value_text(value->name()) + (name == value->name() ? "" : " as " + quoted(name)) + "\n";
  }

  const Graph& graph_;
  WeightsWriter* weights_;
  std::string out_;
};

void Printer::print_symbols() {
  constexpr const char* kKinds[] = {"dim", "element", "resolved", "counted"};
  const std::vector<bool> used = graph_.used_symbols();
  std::string bounds;
  for (size_t id = 0; id < used.size(); ++id) {
    if (!used[id]) continue;
    const Symbol& s = graph_.symbols()[id];
    out_ += "symbol " + symbol(s.name) + " = " + kKinds[static_cast<size_t>(s.kind)] + " " + std::to_string(s.index) +
            " of " + value_text(s.value) + "\n";
    if (s.kind == Symbol::Kind::kCounted) bounds += "bound " + symbol(s.name) + " <= " + dim(s.bound) + "\n";
  }
  out_ += bounds;
}

std::vector<const Value*> Printer::constants_by_use(const std::vector<Node*>& nodes) const {
  std::vector<const Value*> constants;
  std::unordered_set<const Value*> seen;
  const auto note = [&](const Value* value) {
    if (value != nullptr && value->is_constant() && seen.insert(value).second) constants.push_back(value);
  };
  for (const Node* node : nodes) std::for_each(node->inputs().begin(), node->inputs().end(), note);
  const std::vector<Value*> all = graph_.constants();
  std::for_each(all.begin(), all.end(), note);
  return constants;
}

void Printer::print_node(const Node& node) {
  std::string line, specs;
  for (const Value* output : node.outputs()) {
    line += (line.empty() ? "" : ", ") + value_text(output->name());
    specs += (specs.empty() ? "" : ", ") + spec(*output);
  }
  line += " = " + op_text(node.op()) + "(";
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    line += (i ? ", " : "") + (node.input(i) == nullptr ? "_" : value_text(node.input(i)->name()));
  }
  line += ")" + attributes_text(node.op());
  if (!node.name().empty()) line += " " + quoted(node.name());
  if (node.body() != nullptr) line += body(*node.body(), node.inputs().size());
  out_ += line + "  # " + specs + requirements(node) + "\n";
}

std::string Printer::body(const Body& body, size_t operands) const {
  const auto number = [](int64_t id) { return id < 0 ? "_" : "$" + std::to_string(id); };
  std::string text = " body {\n";
  auto next = static_cast<int64_t>(operands);
  for (const Tensor& tensor : body.constants) text += "  const " + number(next++) + " = " + contents(tensor) + "\n";
  for (const Body::Step& step : body.steps) {
    std::string results, arguments, types;
    for (const TensorType& t : step.types) {
      results += (results.empty() ? "" : ", ") + number(next++);
      types += (types.empty() ? "" : ", ") + type(t);
    }
    for (const int32_t id : step.operands) arguments += (arguments.empty() ? "" : ", ") + number(id);
    text += "  " + results + " = " + op_text(*step.op) + "(" + arguments + ")" + attributes_text(*step.op) + "  # " +
            types + "\n";
  }
  std::string results;
  for (const int32_t id : body.results) results += (results.empty() ? "" : ", ") + number(id);
  return text + "  return " + results + "\n}";
}

std::string Printer::requirements(const Node& node) const {
  std::string text;
  for (const DimRequirement& requirement : node.requirements()) {
    const char* sign = requirement.kind == DimRequirement::Kind::kEqual ? " == " : " ~ ";
    text += (text.empty() ? "  requires " : ", ") + dim(requirement.a) + sign + dim(requirement.b);
  }
  return text;
}

}  // namespace

std::string print_graph(const Graph& graph, WeightsWriter* weights) { return Printer(graph, weights).run(); }

}  // namespace hone
