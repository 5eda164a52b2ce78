#include <algorithm>
#include <cmath>

#include "ops/activation.h"
#include "passes/pass.h"
#include "passes/tensors.h"

namespace hone {

namespace {

// A part of a pattern: the value it computes, and the nodes that do so, in execution order but for the node that
// reads it.
struct Match {
  Value* input = nullptr;  // x
  std::vector<Node*> nodes;
};

Node* producer(const Value* value, std::string_view op) {
  Node* node = value != nullptr ? value->producer() : nullptr;
  return node != nullptr && node->body() == nullptr && node->op().name() == op ? node : nullptr;
}

// Half of a step of the type around 1: constants of models are rounded to it.
double rounding_of(DataType type) {
  switch (type) {
    case DataType::kFloat16: return 0x1p-11;
    case DataType::kBFloat16: return 0x1p-8;
    default: return 0x1p-23;
  }
}

bool is_constant(const Value* value, double number) {
  if (value == nullptr || !value->is_constant() || value->constant().count() != 1) return false;
  const std::optional<std::vector<double>> values = to_doubles(value->constant());
  return values && std::fabs((*values)[0] - number) <= number * rounding_of(value->dtype());
}

// The operand of a commutative node beside the constant `number`.
Value* beside_constant(const Node* node, double number) {
  if (is_constant(node->input(1), number)) return node->input(0);
  return is_constant(node->input(0), number) ? node->input(1) : nullptr;
}

constexpr double kSixth = 1.0 / 6.0;

// min(max(x + 3, 0), 6)
std::optional<Match> match_relu6_of_shifted(Value* value) {
  Node* clip = producer(value, "Clip");
  if (clip == nullptr || !is_constant(clip->input(1), 0) || !is_constant(clip->input(2), 6)) return std::nullopt;
  Node* add = producer(clip->input(0), "Add");
  Value* x = add != nullptr ? beside_constant(add, 3) : nullptr;
  if (x == nullptr) return std::nullopt;
  return Match{x, {add, clip}};
}

// What divides by six, and by what: value / 6 or value * (1 / 6).
Node* sixth_of(Value* value, Value** whole) {
  if (Node* div = producer(value, "Div"); div != nullptr && is_constant(div->input(1), 6)) {
    *whole = div->input(0);
    return div;
  }
  Node* mul = producer(value, "Mul");
  *whole = mul != nullptr ? beside_constant(mul, kSixth) : nullptr;
  return *whole != nullptr ? mul : nullptr;
}

// HardSigmoid(x) with slope 1/6, or relu6(x + 3) / 6.
std::optional<Match> match_gate(Value* value) {
  if (Node* node = producer(value, "HardSigmoid")) {
    const auto& op = static_cast<const HardSigmoid&>(node->op());
    if (std::fabs(op.alpha - kSixth) > kSixth * 0x1p-23 || op.beta != 0.5f) return std::nullopt;
    return Match{node->input(0), {node}};
  }
  Value* whole = nullptr;
  Node* sixth = sixth_of(value, &whole);
  std::optional<Match> match = sixth != nullptr ? match_relu6_of_shifted(whole) : std::nullopt;
  if (match) match->nodes.push_back(sixth);
  return match;
}

std::optional<Match> match_sigmoid(Value* value) {
  Node* node = producer(value, "Sigmoid");
  return node == nullptr ? std::nullopt : std::optional(Match{node->input(0), {node}});
}

// x * gate(x), in either order.
template <class F>
std::optional<Match> match_product(Node* node, F match_gate_of) {
  if (node->body() != nullptr || node->op().name() != std::string_view("Mul")) return std::nullopt;
  for (const size_t side : {0, 1}) {
    std::optional<Match> match = match_gate_of(node->input(side));
    if (!match || match->input != node->input(1 - side)) continue;
    match->nodes.push_back(node);
    return match;
  }
  return std::nullopt;
}

// (x * relu6(x + 3)) / 6
std::optional<Match> match_late_sixth(Node* node) {
  Value* whole = nullptr;
  if (node->body() != nullptr || sixth_of(node->output(), &whole) != node) return std::nullopt;
  Node* product = producer(whole, "Mul");
  std::optional<Match> match = product != nullptr ? match_product(product, match_relu6_of_shifted) : std::nullopt;
  if (match) match->nodes.push_back(node);
  return match;
}

// Nobody else may read what is inside, or it would be computed twice.
bool is_closed(const std::vector<Node*>& nodes) {
  return std::all_of(nodes.begin(), nodes.end() - 1, [](const Node* node) {
    return node->output()->users().size() == 1 && !node->output()->is_output();
  });
}

// The shape is that of x: no constant of the pattern broadcasts it.
bool keeps_shape(const Match& match) {
  return match.input->type().tensor == match.nodes.back()->output()->type().tensor;
}

}  // namespace

Result<bool> recognise_activations(Graph& graph, PassContext& context) {
  GraphEditor editor(graph);
  return for_each_node(graph, [&](Node* node) -> Result<bool> {
    std::optional<Match> match = match_product(node, match_sigmoid);
    OpPtr op = std::make_shared<SiLU>();
    if (!match) {
      op = std::make_shared<HardSwish>();
      match = match_product(node, match_gate);
    }
    if (!match) match = match_late_sixth(node);
    if (!match || !is_closed(match->nodes) || !keeps_shape(*match) || !context.rewrite()) return false;
    HONE_TRY(editor.fuse(std::move(op), match->nodes, node->name()).status());
    return true;
  });
}

}  // namespace hone
