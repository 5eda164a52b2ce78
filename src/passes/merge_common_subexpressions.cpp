#include <cstring>
#include <map>
#include <unordered_map>

#include "base/hash.h"
#include "graph/text.h"
#include "passes/pass.h"

namespace hone {

namespace {

bool same_contents(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.dims() != b.dims()) return false;
  return a.data() == b.data() || a.bytes() == 0 || std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

Result<bool> merge_constants(Graph& graph, GraphEditor& editor, PassContext& context) {
  bool changed = false;
  std::unordered_multimap<uint64_t, Value*> seen;
  for (Value* constant : graph.constants()) {
    const Tensor& tensor = constant->constant();
    if (tensor.dtype() == DataType::kString) continue;
    const uint64_t hash = hash64({tensor.data(), tensor.bytes()}, static_cast<uint64_t>(tensor.dtype()));
    const auto [begin, end] = seen.equal_range(hash);
    auto equal = begin;
    while (equal != end && !same_contents(equal->second->constant(), tensor)) ++equal;
    if (equal == end) {
      seen.emplace(hash, constant);
    } else if (context.rewrite()) {
      HONE_TRY(editor.replace(constant, equal->second));
      changed = true;
    }
  }
  return changed;
}

// Equal for nodes that compute the same.
std::string key_of(const Node& node) {
  std::string key(node.op().name());
  key += print_attributes(node.op().describe());
  const auto append = [&](const void* address) {
    key.append(reinterpret_cast<const char*>(&address), sizeof(address));
  };
  for (const Value* input : node.inputs()) append(input);
  append(node.body().get());
  return key + std::to_string(node.outputs().size());
}

Result<bool> merge_nodes(Graph& graph, GraphEditor& editor, PassContext& context) {
  std::unordered_map<std::string, Node*> seen;
  return for_each_node(graph, [&](Node* node) -> Result<bool> {
    const auto it = seen.try_emplace(key_of(*node), node).first;
    if (it->second->is_dead()) it->second = node;
    if (it->second == node || !context.rewrite()) return false;
    const std::vector<Value*> outputs = node->outputs();
    for (size_t i = 0; i < outputs.size(); ++i) HONE_TRY(editor.replace(outputs[i], it->second->output(i)));
    return true;
  });
}

}  // namespace

Result<bool> merge_common_subexpressions(Graph& graph, PassContext& context) {
  GraphEditor editor(graph);
  HONE_ASSIGN(const bool constants, merge_constants(graph, editor, context));
  HONE_ASSIGN(const bool nodes, merge_nodes(graph, editor, context));
  return constants || nodes;
}

}  // namespace hone
