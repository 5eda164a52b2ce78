// What a pass is: a rewrite of the canonical graph that knows no device.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "graph/graph.h"

namespace hone {

// Runs one operator, or the body of a fused node, on host tensors; an undefined tensor is an absent operand.
using Evaluator = std::function<Result<std::vector<Tensor>>(
    const OpPtr& op, std::span<const Tensor> inputs, size_t num_outputs, const std::shared_ptr<const Body>& body)>;

// What passes work with. One thread; lives for one run of the passes.
class PassContext {
 public:
  // Folds constants; without one, nothing is evaluated.
  Evaluator evaluate;
  // The most bytes that the constants made by passes may have together, beyond what the graph had at first.
  int64_t memory_budget_bytes = int64_t{1} << 30;
  // Rewrites stop after so many: to find a wrong one by bisection. Negative: no limit.
  int64_t max_rewrites = -1;
  // Called with the graph's text after the pass of this name each time it ran ("import": before the first; "all").
  std::string dump_after;
  std::function<void(std::string_view pass, const std::string& text)> dump;
  // Remarks, one line each. May be null.
  std::function<void(std::string_view line)> log;
  // Whether the graph is verified before the first pass and after each that changed it.
  bool verify = true;

  // Takes one of the rewrites that are left; false: none is, and nothing may change. Call it just before a rewrite.
  bool rewrite();
  int64_t rewrites() const { return rewrites_; }
  // Asks for room for a new constant; false: it would exceed the budget.
  bool reserve(int64_t bytes);
  // Takes a part of the work that folding may do; false: it would take too long.
  bool spend(double multiplications);
  // Says something once, however many rounds find it.
  void remark(const std::string& line) {
    if (log && said_.insert(line).second) log(line);
  }

  // For the driver: tells what the graph's constants take now.
  void begin_pass(int64_t constant_bytes);

 private:
  int64_t rewrites_ = 0;
  int64_t initial_bytes_ = -1;  // of constants; negative: not known yet
  int64_t used_bytes_ = 0;
  double work_ = 0;
  std::unordered_set<std::string> said_;
};

// Returns whether it changed the graph. An error means that the model is invalid (or a pass is wrong) and names the
// node.
using PassFunction = Result<bool> (*)(Graph&, PassContext&);

struct Pass {
  const char* name;
  PassFunction run;
};

// Calls `visit(node)`, a Result<bool>, for every node in execution order, but for those that a visit removed. Returns
// whether any call returned true. The editor that visits use must live until the end and not finish() before.
template <class F>
Result<bool> for_each_node(const Graph& graph, F visit) {
  bool changed = false;
  for (Node* node : graph.nodes()) {
    if (node->is_dead()) continue;
    HONE_ASSIGN(const bool did, visit(node));
    changed = changed || did;
  }
  return changed;
}

// The canonical passes; pipeline.cpp has their order.

// Nodes whose operands are constant, and values whose elements are, become constants.
Result<bool> fold_constants(Graph& graph, PassContext& context);
// Equal constants become one; so do nodes of one operator with equal attributes and the same operands, and values whose
// known elements are equal.
Result<bool> merge_common_subexpressions(Graph& graph, PassContext& context);
// Drops what no output needs.
Result<bool> remove_dead_code(Graph& graph, PassContext& context);
// Takes out nodes that give their operand unchanged, and merges pairs that do one thing in two steps.
Result<bool> clean(Graph& graph, PassContext& context);
// Pad in front of a convolution or pool becomes the window's own padding.
Result<bool> fold_padding(Graph& graph, PassContext& context);
// Scales and shifts by channel (BatchNormalization, Mul, Add ...) around a convolution or matrix product go into its
// weights and bias.
Result<bool> fold_batch_norm(Graph& graph, PassContext& context);
// x * Sigmoid(x) and the ways of writing HardSwish become fused nodes of that name.
Result<bool> recognise_activations(Graph& graph, PassContext& context);

}  // namespace hone
