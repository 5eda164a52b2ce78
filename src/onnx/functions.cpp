#include "onnx/functions.h"

#include <set>

#include "onnx/importers.h"

namespace hone::onnx {

namespace {

constexpr int64_t kMinIrVersion = 3, kMaxIrVersion = 13;
constexpr int64_t kMaxOpset = 27;
// Nodes listed for each unsupported operator.
constexpr size_t kMaxListed = 10;

}  // namespace

Result<Functions> Functions::index(const Model& model) {
  Functions functions;
  for (const Function& function : model.functions) {
    const Key key{function.domain, function.name, function.overload};
    if (!functions.by_name_.emplace(key, &function).second) {
      return invalid_model("function '" + std::string(function.name) + "' is defined twice");
    }
  }
  return functions;
}

const Function* Functions::find(const OnnxNode& node) const {
  const auto it = by_name_.find(Key{node.domain, node.op_type, node.overload});
  return it == by_name_.end() ? nullptr : it->second;
}

Result<int64_t> opset_of(const OnnxNode& node, const Function* function, const Model& model) {
  if (function != nullptr) {
    const auto it = function->opsets.find(node.domain);
    if (it != function->opsets.end()) return it->second;
  }
  const auto it = model.opsets.find(node.domain);
  if (it != model.opsets.end()) return it->second;
  if (!node.domain.empty()) return 1;
  return invalid_model("opset_import doesn't give a version of the default operator set, which node '" +
                       std::string(node.name) + "' (" + std::string(node.op_type) + ") needs");
}

namespace {

struct Unsupported {
  std::string nodes;
  size_t count = 0;
};

using UnsupportedOps = std::map<std::string, Unsupported>;

std::string_view label_of(const OnnxNode& node) {
  return node.name.empty() && !node.outputs.empty() ? node.outputs.front() : node.name;
}

void note(const OnnxNode& node, const Function* function, int64_t opset, UnsupportedOps& ops) {
  const std::string domain(node.domain.empty() ? "ai.onnx" : node.domain);
  Unsupported& entry = ops[domain + "." + std::string(node.op_type) + " (opset " + std::to_string(opset) + ")"];
  if (++entry.count > kMaxListed) return;
  entry.nodes += (entry.count > 1 ? ", '" : "'") + std::string(label_of(node)) + "'";
  if (function != nullptr) entry.nodes += " of function '" + std::string(function->name) + "'";
}

Status report(const UnsupportedOps& ops) {
  if (ops.empty()) return {};
  std::string text = ops.size() == 1
                         ? "the model uses an operator that Hone doesn't have: "
                         : "the model uses " + std::to_string(ops.size()) + " operators that Hone doesn't have: ";
  bool first = true;
  for (const auto& [op, entry] : ops) {
    text += (first ? "" : "; ") + op + " in " + (entry.count == 1 ? "node " : "nodes ") + entry.nodes;
    if (entry.count > kMaxListed) text += " and " + std::to_string(entry.count - kMaxListed) + " more";
    first = false;
  }
  return unsupported(std::move(text));
}

Status check_opsets(const Opsets& opsets) {
  const auto it = opsets.find("");
  if (it == opsets.end()) return {};
  if (it->second < 1) return invalid_model("opset_import asks for version " + std::to_string(it->second));
  if (it->second <= kMaxOpset) return {};
  return unsupported("the model uses version " + std::to_string(it->second) + " of the ONNX operator set; Hone knows " +
                     std::to_string(kMaxOpset) + " and older");
}

Status check_ir_version(int64_t version) {
  if (version >= kMinIrVersion && version <= kMaxIrVersion) return {};
  if (version == 0) return invalid_model("ir_version is missing: not an ONNX model");
  return unsupported("the file has ONNX IR version " + std::to_string(version) + "; Hone reads versions " +
                     std::to_string(kMinIrVersion) + " to " + std::to_string(kMaxIrVersion));
}

}  // namespace

Status check_supported(const Model& model, const Functions& functions) {
  HONE_TRY(check_ir_version(model.ir_version));
  HONE_TRY(check_opsets(model.opsets));
  UnsupportedOps ops;
  std::set<const Function*> seen = {nullptr};  // null: the graph
  std::vector<const Function*> open = {nullptr};
  while (!open.empty()) {
    const Function* function = open.back();
    open.pop_back();
    if (function != nullptr) HONE_TRY(check_opsets(function->opsets));
    for (const OnnxNode& node : function != nullptr ? function->nodes : model.graph.nodes) {
      if (const Function* callee = functions.find(node); callee != nullptr) {
        if (seen.insert(callee).second) open.push_back(callee);
        continue;
      }
      HONE_ASSIGN(const int64_t opset, opset_of(node, function, model));
      if (!can_import(node.domain, node.op_type)) note(node, function, opset, ops);
    }
  }
  return report(ops);
}

}  // namespace hone::onnx
