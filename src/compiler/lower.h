// Graph -> Plan for one target: fused nodes that no kernel takes are taken apart, reshapes become views, every step
// gets a kernel, every value a storage.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "hone/kernel.h"
#include "plan/plan.h"

namespace hone {

struct LowerOptions {
  // In the order of preference; the first that has a kernel for a step serves it.
  std::span<const Backend* const> backends;
  DeviceInfo device;
  // Number of the weight block that holds a constant.
  std::function<uint32_t(const Tensor&)> weight_block;
  // Kernels whose run allocates are refused.
  bool allocation_free = false;
};

// Changes `graph` where bodies are inlined. The plan's steps carry their first candidates.
Result<Plan> lower(Graph& graph, const LowerOptions& options);

// A step's problem as the plan states it, with symbolic dimensions.
Problem plan_problem(const Plan& plan, const Step& step, int threads);

}  // namespace hone
