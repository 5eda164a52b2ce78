#include "passes/linear.h"
#include "passes/pass.h"

namespace hone {

namespace {

bool has_one_reader(const Value& value) { return value.users().size() == 1 && !value.is_output(); }

// y = affine(linear(x)), seen from the affine node.
Result<bool> fold_after(GraphEditor& editor, Node* node, PassContext& context) {
  if (!may_be_affine(*node)) return false;
  for (Value* operand : std::vector<Value*>(node->inputs())) {
    Node* before = operand != nullptr ? operand->producer() : nullptr;
    if (before == nullptr || !has_one_reader(*operand)) continue;
    std::optional<Linear> linear = Linear::match(*before);
    if (!linear) continue;
    const std::optional<AffineNode> match = match_affine(*node, linear->output_axis(), linear->output_channels());
    if (!match || match->data != operand || !linear->apply_after(match->affine)) continue;
    HONE_ASSIGN(const Node* const made, linear->build(editor, node, before->input(0), context));
    if (made == nullptr) continue;
    HONE_TRY(editor.replace(node->output(), made->output()));
    return true;
  }
  return false;
}

// y = linear(affine(x)), seen from the linear node.
Result<bool> fold_before(GraphEditor& editor, Node* node, PassContext& context) {
  const Node* before = node->input(0) != nullptr ? node->input(0)->producer() : nullptr;
  if (before == nullptr || !has_one_reader(*node->input(0)) || !may_be_affine(*before)) return false;
  std::optional<Linear> linear = Linear::match(*node);
  if (!linear) return false;
  const std::optional<AffineNode> match = match_affine(*before, linear->input_axis(), linear->input_channels());
  if (!match || !linear->apply_before(match->affine)) return false;
  HONE_ASSIGN(const Node* const made, linear->build(editor, node, match->data, context));
  if (made == nullptr) return false;
  HONE_TRY(editor.replace(node->output(), made->output()));
  return true;
}

}  // namespace

Result<bool> fold_batch_norm(Graph& graph, PassContext& context) {
  GraphEditor editor(graph);
  return for_each_node(graph, [&](Node* node) -> Result<bool> {
    HONE_ASSIGN(const bool after, fold_after(editor, node, context));
    if (after || node->is_dead()) return after;
    return fold_before(editor, node, context);
  });
}

}  // namespace hone
