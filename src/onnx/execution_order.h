// The order in which nodes can run.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "onnx/model.h"

namespace hone::onnx {

// Indices of `nodes` such that each value is made before it is read: the file's own order where that works, as ONNX
// asks, else the nearest to it. `given` are the names that exist beforehand. Errors name the node: a value made
// twice, one that nobody makes, a cycle. Takes time n log n.
Result<std::vector<uint32_t>> execution_order(const std::vector<OnnxNode>& nodes,
                                              const std::set<std::string_view>& given);

}  // namespace hone::onnx
