#include <cstring>
#include <optional>
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

// Equal for values whose contents are the same expressions; nothing for values whose contents aren't known.
std::optional<std::string> contents_key_of(const Value& value) {
  if (!value.elements()) return std::nullopt;
  std::string key = std::to_string(static_cast<int>(value.dtype())) + "," + std::to_string(value.rank());
  for (const Dim& element : *value.elements()) {
    if (element.is_invalid()) return std::nullopt;
    key += "," + element.to_string([](SymbolId id) { return "s" + std::to_string(id); });
  }
  return key;
}

class NodeMerger {
 public:
  NodeMerger(GraphEditor& editor, PassContext& context) : editor_(editor), context_(context) {}

  Result<bool> visit(Node* node) {
    const auto it = nodes_.try_emplace(key_of(*node), node).first;
    if (it->second->is_dead()) it->second = node;
    if (it->second == node) return merge_contents(node);
    if (!context_.rewrite()) return false;
    const std::vector<Value*> outputs = node->outputs();
    for (size_t i = 0; i < outputs.size(); ++i) HONE_TRY(editor_.replace(outputs[i], it->second->output(i)));
    return true;
  }

 private:
  // Shape arithmetic comes to the same result by many ways.
  Result<bool> merge_contents(Node* node) {
    bool changed = false;
    const std::vector<Value*> outputs = node->outputs();
    for (Value* output : outputs) {
      const std::optional<std::string> key = contents_key_of(*output);
      if (!key || (output->users().empty() && !output->is_output())) continue;
      const auto it = contents_.try_emplace(*key, output).first;
      if (it->second->producer()->is_dead()) it->second = output;
      if (it->second == output || !context_.rewrite()) continue;
      HONE_TRY(editor_.replace(output, it->second));
      changed = true;
    }
    return changed;
  }

  GraphEditor& editor_;
  PassContext& context_;
  std::unordered_map<std::string, Node*> nodes_;
  std::unordered_map<std::string, Value*> contents_;
};

}  // namespace

Result<bool> merge_common_subexpressions(Graph& graph, PassContext& context) {
  GraphEditor editor(graph);
  HONE_ASSIGN(const bool constants, merge_constants(graph, editor, context));
  NodeMerger merger(editor, context);
  HONE_ASSIGN(const bool nodes, for_each_node(graph, [&](Node* node) { return merger.visit(node); }));
  return constants || nodes;
}

}  // namespace hone
