// Adds to a Graph under names that never clash with names of the file, within the memory budget.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "onnx/budget.h"

namespace hone::onnx {

using Log = std::function<void(std::string_view)>;

class GraphBuilder {
 public:
  // `log` may be empty. Names in `reserved` (the file's own) are given only to what the file calls so.
  GraphBuilder(Graph& graph, MemoryBudget& budget, const Log& log) : graph_(graph), budget_(budget), log_(log) {}

  void reserve(std::string_view name) { reserved_.insert(name); }
  // `wish`, or something like it that nobody has; not given out again.
  std::string fresh_name(std::string_view wish);

  Result<Value*> add_constant(std::string name, Tensor tensor);
  // Every output has a name. Errors: what inference finds, the budget.
  Result<Node*> add_node(std::string name, OpPtr op, std::vector<Value*> inputs, std::vector<std::string> outputs);

  Graph& graph() { return graph_; }
  MemoryBudget& budget() { return budget_; }
  void remark(std::string_view line) const {
    if (log_) log_(line);
  }

 private:
  Graph& graph_;
  MemoryBudget& budget_;
  const Log& log_;
  std::set<std::string_view> reserved_;
  std::set<std::string> made_up_;
  uint64_t next_number_ = 1;
};

}  // namespace hone::onnx
