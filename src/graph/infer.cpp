#include "graph/infer.h"

#include "ops/operand.h"

namespace hone {

namespace {

// Contents of larger ranks and other types are never expressions.
bool follows_elements(const Value& value) {
  return value.rank() <= 1 && (value.dtype() == DataType::kInt32 || value.dtype() == DataType::kInt64);
}

}  // namespace

// Makes the symbols of one node's inference.
class GraphSymbols : public SymbolSource {
 public:
  GraphSymbols(Graph& graph, std::span<Value* const> inputs, std::string output)
      : graph_(graph), inputs_(inputs), output_(std::move(output)) {}

  std::optional<std::vector<Dim>> elements(size_t input) override {
    Value* value = inputs_[input];
    need_contents(input);
    if (value->elements_) return value->elements_;
    if (!follows_elements(*value)) return std::nullopt;
    const std::optional<int64_t> count = element_count(value->shape()).as_const();
    if (!count || *count < 0 || *count > kMaxFollowedElements) return std::nullopt;
    std::vector<Dim> elements;
    for (int64_t i = 0; i < *count; ++i) {
      const SymbolId id = graph_.add_symbol({.name = value->name() + "#" + std::to_string(i),
                                             .kind = Symbol::Kind::kHostValue,
                                             .value = value->name(),
                                             .index = static_cast<uint32_t>(i)});
      elements.push_back(Dim::symbol(id, /*nonnegative=*/false));
    }
    value->elements_ = elements;
    return elements;
  }

  void need_contents(size_t input) override {
    if (!inputs_[input]->is_constant()) inputs_[input]->host_value_ = true;
  }

  Dim resolved_later(std::string_view hint) override {
    return Dim::symbol(graph_.add_symbol({.name = name(hint), .kind = Symbol::Kind::kResolved, .value = output_}),
                       /*nonnegative=*/true);
  }

  Dim counted(const Dim& bound, std::string_view hint) override {
    return Dim::symbol(
        graph_.add_symbol({.name = name(hint), .kind = Symbol::Kind::kCounted, .value = output_, .bound = bound}),
        /*nonnegative=*/true);
  }

 private:
  std::string name(std::string_view hint) const { return output_ + "." + std::string(hint); }

  Graph& graph_;
  std::span<Value* const> inputs_;
  std::string output_;
};

namespace {

Status check_types(const Graph& graph, std::vector<InferResult>& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const TensorType& type = outputs[i].type;
    if (type.dtype == DataType::kUndefined) return unsupported("output " + std::to_string(i) + " has no type");
    if (type.shape.size() > kMaxRank) {
      return unsupported("output " + std::to_string(i) + " has rank " + std::to_string(type.shape.size()) +
                         "; the limit is " + std::to_string(kMaxRank));
    }
    for (const Dim& dim : type.shape) {
      if (dim.is_invalid()) {
        return invalid_model("a dimension of output " + std::to_string(i) +
                             " can't be computed: it overflows 64 bits, "
                             "divides by zero or depends on contents that aren't known");
      }
      if (dim.is_const() && dim.value() < 0) {
        return invalid_model("output " + std::to_string(i) + " would have the negative dimension " +
                             std::to_string(dim.value()) + " in " + graph.to_string(type.shape));
      }
    }
    if (element_count(type.shape).is_invalid()) {
      return invalid_model("output " + std::to_string(i) +
                           " would have more than 2^63 - 1 elements: " + graph.to_string(type.shape));
    }
  }
  return {};
}

}  // namespace

InferOperand infer_operand(const Value* value) {
  if (value == nullptr) return {};
  if (value->is_constant()) return known_operand(value->constant());
  return {.present = true, .type = value->type().tensor, .constant = nullptr, .elements = value->elements()};
}

std::string describe(const Node& node) {
  const std::string& name = node.name().empty() && !node.outputs().empty() ? node.output()->name() : node.name();
  return "node '" + name + "' (" + std::string(node.op().name()) + ")";
}

namespace {

std::vector<InferOperand> infer_operands(std::span<Value* const> inputs) {
  std::vector<InferOperand> operands;
  for (const Value* value : inputs) operands.push_back(infer_operand(value));
  return operands;
}

Result<std::vector<InferResult>> infer_body(const Body& body, std::span<const InferOperand> operands) {
  std::vector<TensorType> types;
  for (const InferOperand& operand : operands) types.push_back(operand.type);
  HONE_ASSIGN(std::vector<TensorType> results, body_result_types(body, types));
  std::vector<InferResult> outputs;
  for (TensorType& type : results) outputs.push_back({.type = std::move(type), .elements = {}});
  return outputs;
}

// Stands in for GraphSymbols where the graph must not change: its symbols are numbers past the graph's.
class ScratchSymbols final : public SymbolSource {
 public:
  ScratchSymbols(std::span<Value* const> inputs, size_t next) : inputs_(inputs), next_(static_cast<SymbolId>(next)) {}

  std::optional<std::vector<Dim>> elements(size_t input) override {
    need_contents(input);
    const Value* value = inputs_[input];
    if (value->elements()) return value->elements();
    const std::optional<int64_t> count = element_count(value->shape()).as_const();
    if (!follows_elements(*value) || !count || *count < 0 || *count > kMaxFollowedElements) return std::nullopt;
    std::vector<Dim> elements;
    for (int64_t i = 0; i < *count; ++i) elements.push_back(Dim::symbol(next_++, /*nonnegative=*/false));
    return elements;
  }
  void need_contents(size_t input) override {
    if (!inputs_[input]->is_constant()) needed.push_back(input);
  }
  Dim resolved_later(std::string_view) override { return Dim::symbol(next_++, /*nonnegative=*/true); }
  Dim counted(const Dim&, std::string_view) override { return Dim::symbol(next_++, /*nonnegative=*/true); }

  std::vector<size_t> needed;

 private:
  std::span<Value* const> inputs_;
  SymbolId next_;
};

}  // namespace

Result<NodeInference> infer_node(Graph& graph, const Op& op, const Body* body, std::span<Value* const> inputs,
                                 std::span<const std::string> output_names) {
  const std::vector<InferOperand> operands = infer_operands(inputs);
  NodeInference inference;
  if (body != nullptr) {
    HONE_ASSIGN(inference.outputs, infer_body(*body, operands));
    HONE_TRY(check_types(graph, inference.outputs));
    return inference;
  }
  GraphSymbols symbols(graph, inputs, output_names.empty() ? "" : output_names[0]);
  InferContext ctx(operands, output_names.size(), &symbols);
  HONE_TRY(op.infer(ctx));
  HONE_TRY(check_types(graph, ctx.outputs()));
  inference.outputs = std::move(ctx.outputs());
  inference.requirements = ctx.requirements();
  return inference;
}

Result<NodeInference> infer_again(const Graph& graph, const Node& node) {
  const std::vector<InferOperand> operands = infer_operands(node.inputs());
  NodeInference inference;
  if (node.body() != nullptr) {
    HONE_ASSIGN(inference.outputs, infer_body(*node.body(), operands).with_context("in " + describe(node)));
    return inference;
  }
  ScratchSymbols symbols(node.inputs(), graph.symbols().size());
  InferContext ctx(operands, node.outputs().size(), &symbols);
  HONE_TRY(node.op().infer(ctx).with_context("in " + describe(node)));
  HONE_TRY(check_types(graph, ctx.outputs()).with_context("in " + describe(node)));
  inference.outputs = std::move(ctx.outputs());
  inference.requirements = ctx.requirements();
  inference.needs_contents = std::move(symbols.needed);
  return inference;
}

Status Graph::add_results(Node& node, std::vector<std::string> names) {
  const std::string hint = node.name_.empty() ? std::string(node.op_->name()) : node.name_;
  for (std::string& name : names) {
    HONE_ASSIGN(Value* const value, add_value(name.empty() ? unique_name(hint) : std::move(name), {}));
    value->producer_ = &node;
    value->producer_index_ = node.outputs_.size();
    node.outputs_.push_back(value);
  }
  return {};
}

Status Graph::infer_results(Node& node) {
  std::vector<std::string> names;
  for (const Value* value : node.outputs_) names.push_back(value->name_);
  HONE_ASSIGN(NodeInference inference, infer_node(*this, *node.op_, node.body_.get(), node.inputs_, names));
  if (inference.outputs.size() != names.size()) {
    return invalid_model("has " + std::to_string(names.size()) + " outputs, its body makes " +
                         std::to_string(inference.outputs.size()));
  }
  for (size_t i = 0; i < names.size(); ++i) {
    InferResult& result = inference.outputs[i];
    node.outputs_[i]->type_.tensor = std::move(result.type);
    if (result.elements && static_cast<int64_t>(result.elements->size()) <= kMaxFollowedElements) {
      node.outputs_[i]->elements_ = std::move(result.elements);
    }
  }
  node.requirements_ = std::move(inference.requirements);
  return {};
}

Result<std::unique_ptr<Node>> Graph::make_node(std::string name, OpPtr op, std::vector<Value*> inputs,
                                               std::vector<std::string> outputs, std::shared_ptr<const Body> body) {
  auto node = std::make_unique<Node>();
  node->name_ = std::move(name);
  node->op_ = std::move(op);
  node->body_ = std::move(body);
  node->inputs_ = std::move(inputs);
  Status status = add_results(*node, std::move(outputs));
  if (status.ok()) status = infer_results(*node);
  if (!status.ok()) {
    const std::string where = "in " + describe(*node);
    for (const Value* value : node->outputs_) values_.erase(values_.find(value->name_));
    return std::move(status).with_context(where);
  }
  for (size_t i = 0; i < node->inputs_.size(); ++i) {
    if (node->inputs_[i] != nullptr) node->inputs_[i]->add_user(node.get(), i);
  }
  return node;
}

}  // namespace hone
