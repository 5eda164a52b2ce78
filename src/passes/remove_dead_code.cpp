#include <algorithm>

#include "passes/pass.h"

namespace hone {

namespace {

bool is_unread(const Value* value) { return value->users().empty() && !value->is_output(); }

bool has_dead_code(const Graph& graph) {
  const std::vector<Node*> nodes = graph.nodes();
  const std::vector<Value*> constants = graph.constants();
  return std::any_of(constants.begin(), constants.end(), is_unread) ||
         std::any_of(nodes.begin(), nodes.end(), [](const Node* node) {
           return std::all_of(node->outputs().begin(), node->outputs().end(), is_unread);
         });
}

}  // namespace

// One rewrite for all of it: what is dead can't make a result wrong.
Result<bool> remove_dead_code(Graph& graph, PassContext& context) {
  return has_dead_code(graph) && context.rewrite() && GraphEditor(graph).finish();
}

}  // namespace hone
