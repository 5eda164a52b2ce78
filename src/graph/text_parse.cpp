#include <algorithm>

#include "base/escape.h"
#include "graph/infer.h"
#include "graph/text.h"
#include "graph/text_access.h"
#include "graph/text_dims.h"
#include "graph/text_values.h"
#include "ops/operand.h"

namespace hone {

Result<Node*> GraphText::add_node(Graph& graph, GivenNode given) {
  auto node = std::make_unique<Node>();
  node->name_ = std::move(given.name);
  node->op_ = std::move(given.op);
  node->body_ = std::move(given.body);
  node->inputs_ = std::move(given.inputs);
  HONE_TRY(graph.add_results(*node, std::move(given.outputs)));
  for (size_t i = 0; i < given.types.size(); ++i) node->outputs_[i]->type_ = std::move(given.types[i]);
  for (size_t i = 0; i < node->inputs_.size(); ++i) {
    if (node->inputs_[i] != nullptr) node->inputs_[i]->add_user(node.get(), i);
  }
  graph.nodes_.push_back(std::move(node));
  graph.nodes_.back()->position_ = std::prev(graph.nodes_.end());
  return graph.nodes_.back().get();
}

namespace {

class Parser {
 public:
  Parser(std::string_view text, TextWeights weights, OpMaker make_op)
      : reader_(text), dims_(reader_), weights_(std::move(weights)), make_op_(make_op) {}

  Result<Graph> run() {
    reader_.expect("graph");
    graph_.set_name(reader_.take_string());
    while (reader_.ok() && reader_.kind() != TextReader::Kind::kEnd) read_statement();
    if (!reader_.ok()) return reader_.status();
    return std::move(graph_);
  }

 private:
  void read_statement();
  void read_symbol();
  void read_bound();
  void read_input();
  void read_constant();
  void read_output();
  void read_node();
  void add_given_node(GraphText::GivenNode given);
  OpPtr read_op(std::string name);
  std::vector<Value*> read_operands();
  std::shared_ptr<const Body> read_body(const std::vector<Value*>& inputs);
  Body::Step read_step(std::vector<InferOperand>& values);
  int32_t read_step_operand(size_t known);
  std::vector<TensorType> step_types(const Op& op, std::span<const InferOperand> operands, size_t num_outputs);

  Value* find(const std::string& name) {
    Value* value = graph_.find_value(name);
    if (value == nullptr) reader_.fail("the value " + quoted(name) + " isn't defined yet");
    return value;
  }

  // Calls `read_item` for each of a list of at least one.
  template <class F>
  void read_items(F read_item) {
    do {
      read_item();
    } while (reader_.accept(","));
  }

  TextReader reader_;
  DimReader dims_;
  TextWeights weights_;
  OpMaker make_op_;
  Graph graph_;
};

void Parser::read_statement() {
  if (reader_.kind() == TextReader::Kind::kValue) return read_node();
  const std::string word(reader_.take_word("a statement"));
  if (word == "metadata") {
    std::string key = reader_.take_string();
    reader_.expect("=");
    if (!graph_.metadata().emplace(std::move(key), reader_.take_string()).second) reader_.fail("a key is given twice");
  } else if (word == "symbol") {
    read_symbol();
  } else if (word == "bound") {
    read_bound();
  } else if (word == "input") {
    read_input();
  } else if (word == "const") {
    read_constant();
  } else if (word == "output") {
    read_output();
  } else if (reader_.ok()) {
    reader_.fail("'" + word + "' doesn't start a statement");
  }
}

void Parser::read_symbol() {
  constexpr std::string_view kKinds[] = {"dim", "element", "resolved", "counted"};
  Symbol symbol;
  symbol.name = reader_.take_name();
  reader_.expect("=");
  const std::string_view word = reader_.take_word("a kind of symbol");
  const auto kind = std::find(std::begin(kKinds), std::end(kKinds), word);
  if (kind == std::end(kKinds)) reader_.fail("'" + std::string(word) + "' isn't a kind of symbol");
  symbol.kind = static_cast<Symbol::Kind>(kind - std::begin(kKinds));
  const int64_t index = reader_.take_integer();
  if (!std::in_range<uint32_t>(index)) reader_.fail("a symbol's index is out of range");
  symbol.index = static_cast<uint32_t>(index);
  reader_.expect("of");
  symbol.value = reader_.take_value();
  if (symbol.name.empty()) reader_.fail("a symbol's name is empty");
  if (!reader_.ok()) return;
  const bool nonnegative = symbol.kind != Symbol::Kind::kHostValue;
  dims_.declare(symbol.name, Dim::symbol(static_cast<SymbolId>(graph_.symbols().size()), nonnegative));
  if (reader_.ok()) graph_.add_symbol(std::move(symbol));
}

void Parser::read_bound() {
  const Dim symbol = dims_.find(reader_.take_name());
  reader_.expect("<=");
  Dim bound = dims_.read();
  if (reader_.ok()) GraphText::set_bound(graph_, symbol.expr()->symbol, std::move(bound));
}

void Parser::read_input() {
  std::string name = reader_.take_value();
  reader_.expect(":");
  ValueSpec spec = dims_.read_spec();
  if (!reader_.ok()) return;
  Result<Value*> value = graph_.add_input(std::move(name), std::move(spec.type));
  reader_.check(value.status());
  if (value.ok()) GraphText::set_facts(**value, spec.host, std::move(spec.elements));
}

void Parser::read_constant() {
  std::string name = reader_.take_value();
  reader_.expect("=");
  Tensor tensor = read_tensor(reader_, weights_);
  if (reader_.ok()) reader_.check(graph_.add_constant(std::move(name), std::move(tensor)).status());
}

void Parser::read_output() {
  Value* value = find(reader_.take_value());
  std::string name = reader_.accept("as") ? reader_.take_string() : value != nullptr ? value->name() : "";
  if (reader_.ok()) graph_.add_output(std::move(name), value);
}

OpPtr Parser::read_op(std::string name) {
  std::unique_ptr<Op> op = reader_.ok() ? make_op_(name) : nullptr;
  if (op == nullptr) reader_.fail("there is no operator " + quoted(name));
  const AttrMap attributes = read_attributes(reader_, weights_);
  if (reader_.ok()) reader_.check(op->read(attributes).with_context(name));
  return OpPtr(std::move(op));
}

std::vector<Value*> Parser::read_operands() {
  std::vector<Value*> operands;
  reader_.expect("(");
  if (reader_.accept(")")) return operands;
  read_items([&] { operands.push_back(reader_.accept("_") ? nullptr : find(reader_.take_value())); });
  reader_.expect(")");
  return operands;
}

void Parser::read_node() {
  GraphText::GivenNode node;
  read_items([&] { node.outputs.push_back(reader_.take_value()); });
  reader_.expect("=");
  std::string op_name = reader_.take_name();
  node.inputs = read_operands();
  node.op = read_op(std::move(op_name));
  if (reader_.kind() == TextReader::Kind::kString) node.name = reader_.take_string();
  if (reader_.accept("body")) node.body = read_body(node.inputs);
  if (!reader_.ok()) return;
  if (reader_.accept("#")) return add_given_node(std::move(node));
  reader_.check(graph_
                    .add_node(std::move(node.name), std::move(node.op), std::move(node.inputs), std::move(node.outputs),
                              std::move(node.body))
                    .status());
}

void Parser::add_given_node(GraphText::GivenNode given) {
  std::vector<ValueSpec> specs;
  read_items([&] { specs.push_back(dims_.read_spec()); });
  if (specs.size() != given.outputs.size()) reader_.fail("a node has another number of types than of outputs");
  std::vector<DimRequirement> requirements;
  if (reader_.accept("requires")) read_items([&] { requirements.push_back(dims_.read_requirement()); });
  if (!reader_.ok()) return;
  for (ValueSpec& spec : specs) given.types.push_back(std::move(spec.type));
  Result<Node*> node = GraphText::add_node(graph_, std::move(given));
  reader_.check(node.status());
  if (!node.ok()) return;
  for (size_t i = 0; i < specs.size(); ++i) {
    GraphText::set_facts(*(*node)->output(i), specs[i].host, std::move(specs[i].elements));
  }
  GraphText::set_requirements(**node, std::move(requirements));
}

std::shared_ptr<const Body> Parser::read_body(const std::vector<Value*>& inputs) {
  Body body;
  body.num_inputs = static_cast<uint32_t>(inputs.size());
  std::vector<InferOperand> values;
  for (const Value* input : inputs) {
    values.push_back({.present = input != nullptr,
                      .type = input != nullptr ? input->type().tensor : TensorType(),
                      .constant = nullptr,
                      .elements = {}});
  }
  const auto expect_next = [&] {
    if (reader_.take_step_number() != static_cast<int32_t>(values.size()))
      reader_.fail("a body's numbers must count up");
  };
  reader_.expect("{");
  while (reader_.accept("const")) {
    expect_next();
    reader_.expect("=");
    body.constants.push_back(read_tensor(reader_, weights_));
    values.push_back({.present = true,
                      .type = {body.constants.back().dtype(),
                               Shape(body.constants.back().dims().begin(), body.constants.back().dims().end())},
                      .constant = nullptr,
                      .elements = followed_elements(body.constants.back())});
  }
  while (reader_.ok() && !reader_.at("return")) body.steps.push_back(read_step(values));
  reader_.expect("return");
  read_items([&] { body.results.push_back(read_step_operand(values.size())); });
  if (std::find(body.results.begin(), body.results.end(), -1) != body.results.end()) reader_.fail("a result is absent");
  reader_.expect("}");
  return std::make_shared<const Body>(std::move(body));
}

int32_t Parser::read_step_operand(size_t known) {
  if (reader_.accept("_")) return -1;
  const int32_t number = reader_.take_step_number();
  if (static_cast<size_t>(number) >= known) reader_.fail("a body reads a value before it is made");
  return number;
}

Body::Step Parser::read_step(std::vector<InferOperand>& values) {
  Body::Step step;
  size_t num_outputs = 0;
  read_items([&] {
    if (reader_.take_step_number() != static_cast<int64_t>(values.size() + num_outputs++)) {
      reader_.fail("a body's numbers must count up");
    }
  });
  reader_.expect("=");
  std::string op_name = reader_.take_name();
  reader_.expect("(");
  std::vector<InferOperand> operands;
  if (!reader_.accept(")")) {
    read_items([&] {
      step.operands.push_back(read_step_operand(values.size()));
      const bool present = reader_.ok() && step.operands.back() >= 0;
      operands.push_back(present ? values[static_cast<size_t>(step.operands.back())] : InferOperand());
    });
    reader_.expect(")");
  }
  step.op = read_op(std::move(op_name));
  if (reader_.accept("#")) {
    read_items([&] { step.types.push_back(dims_.read_type()); });
    if (step.types.size() != num_outputs) reader_.fail("a step has another number of types than of outputs");
  } else if (reader_.ok()) {
    step.types = step_types(*step.op, operands, num_outputs);
  }
  for (const TensorType& type : step.types) {
    values.push_back({.present = true, .type = type, .constant = nullptr, .elements = {}});
  }
  return step;
}

std::vector<TensorType> Parser::step_types(const Op& op, std::span<const InferOperand> operands, size_t num_outputs) {
  InferContext ctx(operands, num_outputs, nullptr);
  reader_.check(op.infer(ctx));
  std::vector<TensorType> types;
  for (InferResult& result : ctx.outputs()) types.push_back(std::move(result.type));
  return types;
}

}  // namespace

Result<Graph> parse_graph(std::string_view text, std::span<const std::byte> weights, std::shared_ptr<const void> owner,
                          OpMaker make_op) {
  return Parser(text, {weights, std::move(owner)}, make_op).run();
}

}  // namespace hone
