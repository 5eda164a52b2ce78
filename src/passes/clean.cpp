#include <algorithm>

#include "ops/cast.h"
#include "ops/elementwise.h"
#include "ops/rearrange.h"
#include "ops/resize.h"
#include "passes/pass.h"
#include "passes/tensors.h"

namespace hone {

namespace {

bool same_type(const Value& a, const Value& b) { return a.type().tensor == b.type().tensor; }

// Operand i, if the output has its type.
Value* same_operand(const Node& node, size_t i) {
  Value* input = node.input(i);
  return input != nullptr && same_type(*input, *node.output()) ? input : nullptr;
}

bool is_absent_or(const Node& node, size_t i, double number) {
  if (node.input(i) == nullptr) return true;
  const Tensor* tensor = constant_operand(node, i);
  return tensor != nullptr && (tensor->count() == 0 || all_equal(*tensor, number));
}

// Each function returns the operand that output 0 always equals, or null.
Value* first(const Node& node) { return node.input(0); }
Value* same_first(const Node& node) { return same_operand(node, 0); }
Value* only(const Node& node) { return node.inputs().size() == 1 ? node.input(0) : nullptr; }

// The mask is a value of its own.
Value* dropout(const Node& node) {
  const bool mask_read = node.outputs().size() > 1 && (node.output(1)->is_output() || !node.output(1)->users().empty());
  return !mask_read && is_absent_or(node, 2, 0) ? node.input(0) : nullptr;
}

// Whether every value of `from` survives a conversion to `to` and back.
bool is_lossless(DataType from, DataType to) {
  if (from == to || from == DataType::kBool) return is_computable(to);
  if (is_floating(from)) return is_floating(to) && bits_of(to) > bits_of(from);
  constexpr DataType kUnsigned[] = {DataType::kUint8, DataType::kUint16, DataType::kUint32, DataType::kUint64};
  const bool from_unsigned = std::find(std::begin(kUnsigned), std::end(kUnsigned), from) != std::end(kUnsigned);
  const bool to_unsigned = std::find(std::begin(kUnsigned), std::end(kUnsigned), to) != std::end(kUnsigned);
  return is_integer(from) && is_integer(to) && bits_of(to) > bits_of(from) && (from_unsigned || !to_unsigned);
}

Value* cast(const Node& node) {
  Value* input = node.input(0);
  if (input->dtype() == node.output()->dtype()) return input;
  // There and back.
  const Node* before = input->producer();
  if (before == nullptr || before->op().name() != Cast::kName) return nullptr;
  Value* origin = before->input(0);
  const bool back = origin->dtype() == node.output()->dtype() && is_lossless(origin->dtype(), input->dtype());
  return back ? origin : nullptr;
}

bool is_reshape(const Node* node) {
  constexpr std::string_view kNames[] = {"Reshape", "Flatten", "Squeeze", "Unsqueeze"};
  return node != nullptr && std::find(std::begin(kNames), std::end(kNames), node->op().name()) != std::end(kNames);
}

// The furthest value in a chain of reshapes that has the shape of the last one's result. A bounded look back keeps a
// pass linear.
Value* reshape(const Node& node) {
  Value* found = nullptr;
  const Node* at = &node;
  for (int steps = 0; is_reshape(at) && steps < 8; ++steps, at = at->input(0)->producer()) {
    if (same_type(*at->input(0), *node.output())) found = at->input(0);
  }
  return found;
}

// Axes of size 1 may go anywhere, the others must keep their order.
Value* transpose(const Node& node) {
  Value* input = same_operand(node, 0);
  if (input == nullptr) return nullptr;
  const Result<Extents> perm = static_cast<const Transpose&>(node.op()).permutation(input->rank());
  if (!perm.ok()) return nullptr;
  int64_t last = -1;
  for (const int64_t axis : *perm) {
    if (input->shape()[static_cast<size_t>(axis)] == Dim(1)) continue;
    if (axis < last) return nullptr;
    last = axis;
  }
  return input;
}

Value* slice(const Node& node) { return is_absent_or(node, 4, 1) ? same_operand(node, 0) : nullptr; }

Value* pad(const Node& node) {
  const Tensor* pads = constant_operand(node, 1);
  return pads != nullptr && (pads->count() == 0 || all_equal(*pads, 0)) ? same_operand(node, 0) : nullptr;
}

// Every way to map coordinates gives the same point when nothing is resized, but for the one that crops.
Value* resize(const Node& node) {
  const auto& op = static_cast<const Resize&>(node.op());
  const bool whole = op.coordinates != ResizeCoordinates::kTfCropAndResize && is_absent_or(node, Resize::kScales, 1);
  return whole ? same_operand(node, Resize::kX) : nullptr;
}

// Operand `i` if the other one is this number.
Value* neutral(const Node& node, size_t i, double number) {
  const Tensor* other = constant_operand(node, 1 - i);
  return other != nullptr && all_equal(*other, number) ? same_operand(node, i) : nullptr;
}

Value* times(const Node& node) {
  Value* left = neutral(node, 0, 1);
  return left != nullptr ? left : neutral(node, 1, 1);
}
Value* plus(const Node& node) {
  Value* left = neutral(node, 0, 0);
  return left != nullptr ? left : neutral(node, 1, 0);
}
Value* minus(const Node& node) { return neutral(node, 0, 0); }
Value* by_one(const Node& node) { return neutral(node, 0, 1); }  // Div, Pow

Value* where(const Node& node) {
  const Tensor* condition = constant_operand(node, 0);
  if (condition == nullptr || condition->dtype() != DataType::kBool) return nullptr;
  if (all_equal(*condition, 1)) return same_operand(node, 1);
  return all_equal(*condition, 0) ? same_operand(node, 2) : nullptr;
}

Value* clip(const Node& node) { return node.input(1) == nullptr && node.input(2) == nullptr ? node.input(0) : nullptr; }

Value* split(const Node& node) { return node.outputs().size() == 1 ? same_operand(node, 0) : nullptr; }

constexpr struct {
  std::string_view op;
  Value* (*unchanged)(const Node&);
} kRules[] = {
    {"Identity", first},
    {"Dropout", dropout},
    {"Cast", cast},
    {"CastLike", same_first},
    {"Reshape", reshape},
    {"Flatten", reshape},
    {"Squeeze", reshape},
    {"Unsqueeze", reshape},
    {"Expand", same_first},
    {"Tile", same_first},
    {"Transpose", transpose},
    {"Slice", slice},
    {"Pad", pad},
    {"Resize", resize},
    {"Concat", only},
    {"Split", split},
    {"Min", only},
    {"Max", only},
    {"Sum", only},
    {"Mean", only},
    {"Add", plus},
    {"Sub", minus},
    {"Mul", times},
    {"Div", by_one},
    {"Pow", by_one},
    {"Where", where},
    {"Clip", clip},
};

Value* unchanged_operand(const Node& node) {
  if (node.body() != nullptr) return nullptr;
  for (const auto& rule : kRules) {
    if (rule.op == node.op().name()) return rule.unchanged(node);
  }
  return nullptr;
}

// Transpose of Transpose: the axes of the second are axes of the first's result.
Result<bool> merge_transposes(GraphEditor& editor, Node* node, PassContext& context) {
  const auto* outer = op_cast<Transpose>(node->op());
  const Node* before = outer != nullptr ? node->input(0)->producer() : nullptr;
  const auto* inner = before != nullptr ? op_cast<Transpose>(before->op()) : nullptr;
  if (inner == nullptr || node->body() != nullptr || before->body() != nullptr) return false;
  HONE_ASSIGN(const Extents second, outer->permutation(node->output()->rank()));
  HONE_ASSIGN(const Extents first_perm, inner->permutation(node->output()->rank()));
  if (!context.rewrite()) return false;
  auto merged = std::make_shared<Transpose>();
  merged->perm.emplace();
  for (const int64_t axis : second) merged->perm->push_back(first_perm[static_cast<size_t>(axis)]);
  if (std::is_sorted(merged->perm->begin(), merged->perm->end())) {
    HONE_TRY(editor.replace(node->output(), before->input(0)));
    return true;
  }
  HONE_ASSIGN(const Node* const made, editor.insert_before(node, node->name(), std::move(merged), {before->input(0)}));
  HONE_TRY(editor.replace(node->output(), made->output()));
  return true;
}

}  // namespace

Result<bool> clean(Graph& graph, PassContext& context) {
  GraphEditor editor(graph);
  return for_each_node(graph, [&](Node* node) -> Result<bool> {
    Value* same = unchanged_operand(*node);
    if (same == nullptr) return merge_transposes(editor, node, context);
    // Dropout's mask keeps the node alive when nobody reads output 0; that is no reason to try again.
    if (node->output()->users().empty() && !node->output()->is_output()) return false;
    if (!context.rewrite()) return false;
    HONE_TRY(editor.replace(node->output(), same));
    return true;
  });
}

}  // namespace hone
