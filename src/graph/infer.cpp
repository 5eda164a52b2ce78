#include "graph/infer.h"

#include "ops/operand.h"

namespace hone {

// Makes the symbols of one node's inference.
class GraphSymbols : public SymbolSource {
 public:
  GraphSymbols(Graph& graph, std::span<Value* const> inputs, std::string output)
      : graph_(graph), inputs_(inputs), output_(std::move(output)) {}

  std::optional<std::vector<Dim>> elements(size_t input) override {
    Value* value = inputs_[input];
    need_contents(input);
    if (value->elements_) return value->elements_;
    if (value->rank() > 1 || !is_integer(value->dtype())) return std::nullopt;
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
    for (const Dim& dim : type.shape) {
      if (dim.is_invalid()) {
        return invalid_model("a dimension of output " + std::to_string(i) + " can't be computed: it overflows 64 bits, "
                             "divides by zero or depends on contents that aren't known");
      }
      if (dim.is_const() && dim.value() < 0) {
        return invalid_model("output " + std::to_string(i) + " would have the negative dimension " +
                             std::to_string(dim.value()) + " in " + graph.to_string(type.shape));
      }
    }
    if (element_count(type.shape).is_invalid()) {
      return invalid_model("output " + std::to_string(i) + " would have more than 2^63 - 1 elements: " +
                           graph.to_string(type.shape));
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

Result<NodeInference> infer_node(Graph& graph, const Op& op, const Body* body, std::span<Value* const> inputs,
                                 std::span<const std::string> output_names) {
  std::vector<InferOperand> operands;
  for (const Value* value : inputs) operands.push_back(infer_operand(value));
  NodeInference inference;
  if (body != nullptr) {
    std::vector<TensorType> types;
    for (const InferOperand& operand : operands) types.push_back(operand.type);
    HONE_ASSIGN(const std::vector<TensorType> results, body_result_types(*body, types));
    for (const TensorType& type : results) inference.outputs.push_back({.type = type, .elements = {}});
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

Result<std::unique_ptr<Node>> Graph::make_node(std::string name, OpPtr op, std::vector<Value*> inputs,
                                               std::vector<std::string> outputs, std::shared_ptr<const Body> body) {
  for (std::string& output : outputs) {
    if (output.empty()) output = unique_name(name.empty() ? op->name() : name);
  }
  const std::string where = "in node '" + (name.empty() ? outputs.empty() ? "" : outputs[0] : name) + "' (" +
                            std::string(op->name()) + ")";
  HONE_ASSIGN(NodeInference inference,
              infer_node(*this, *op, body.get(), inputs, outputs).with_context(where));
  if (inference.outputs.size() != outputs.size()) return invalid_model(where + ": wrong number of outputs");
  auto node = std::make_unique<Node>();
  node->name_ = std::move(name);
  node->op_ = std::move(op);
  node->body_ = std::move(body);
  node->requirements_ = std::move(inference.requirements);
  for (size_t i = 0; i < outputs.size(); ++i) {
    InferResult& result = inference.outputs[i];
    HONE_ASSIGN(Value* const value, add_value(outputs[i], {ValueType::Kind::kTensor, std::move(result.type)}));
    value->producer_ = node.get();
    value->producer_index_ = i;
    if (result.elements && static_cast<int64_t>(result.elements->size()) <= kMaxFollowedElements) {
      value->elements_ = std::move(result.elements);
    }
    node->outputs_.push_back(value);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] != nullptr) inputs[i]->users_.push_back({node.get(), i});
  }
  node->inputs_ = std::move(inputs);
  return node;
}

}  // namespace hone
