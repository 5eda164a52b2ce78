#include "onnx/execution_order.h"

#include <functional>
#include <map>
#include <numeric>
#include <queue>

namespace hone::onnx {

namespace {

using Producers = std::map<std::string_view, uint32_t>;

std::string describe(const OnnxNode& node) {
  return "node '" + std::string(node.name) + "' (" + std::string(node.op_type) + ")";
}

Result<Producers> find_producers(const std::vector<OnnxNode>& nodes, const std::set<std::string_view>& given) {
  Producers producers;
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    for (const std::string_view output : nodes[i].outputs) {
      if (output.empty()) continue;
      if (given.contains(output)) {
        return invalid_model(describe(nodes[i]) + " makes '" + std::string(output) +
                             "', which is an input or initializer already");
      }
      if (!producers.emplace(output, i).second) {
        return invalid_model(describe(nodes[i]) + " makes '" + std::string(output) + "', which " +
                             describe(nodes[producers[output]]) + " makes already");
      }
    }
  }
  return producers;
}

// Takes the lowest-numbered node whose operands are there, until none is left.
Result<std::vector<uint32_t>> sort(const std::vector<OnnxNode>& nodes, const Producers& producers) {
  std::vector<uint32_t> waiting_for(nodes.size(), 0);
  std::vector<std::vector<uint32_t>> readers(nodes.size());
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    for (const std::string_view input : nodes[i].inputs) {
      const auto it = producers.find(input);
      if (input.empty() || it == producers.end()) continue;
      readers[it->second].push_back(i);
      ++waiting_for[i];
    }
  }
  std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> ready;
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    if (waiting_for[i] == 0) ready.push(i);
  }
  std::vector<uint32_t> order;
  while (!ready.empty()) {
    const uint32_t node = ready.top();
    ready.pop();
    order.push_back(node);
    for (const uint32_t reader : readers[node]) {
      if (--waiting_for[reader] == 0) ready.push(reader);
    }
  }
  if (order.size() == nodes.size()) return order;
  uint32_t stuck = 0;
  while (waiting_for[stuck] == 0) ++stuck;
  return invalid_model("the graph has a cycle: " + describe(nodes[stuck]) +
                       " waits for its own result, or for others "
                       "that do");
}

}  // namespace

Result<std::vector<uint32_t>> execution_order(const std::vector<OnnxNode>& nodes,
                                              const std::set<std::string_view>& given) {
  HONE_ASSIGN(const Producers producers, find_producers(nodes, given));
  bool sorted = true;
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    for (const std::string_view input : nodes[i].inputs) {
      if (input.empty() || given.contains(input)) continue;
      const auto it = producers.find(input);
      if (it == producers.end()) {
        return invalid_model(describe(nodes[i]) + " reads '" + std::string(input) + "', which nothing makes");
      }
      sorted = sorted && it->second < i;
    }
  }
  if (!sorted) return sort(nodes, producers);
  std::vector<uint32_t> order(nodes.size());
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

}  // namespace hone::onnx
