#include "passes/pass.h"

namespace hone {

// One rewrite: what is dead can't make a result wrong.
Result<bool> remove_dead_code(Graph& graph, PassContext& context) {
  if (!context.rewrite()) return false;
  return GraphEditor(graph).finish();
}

}  // namespace hone
