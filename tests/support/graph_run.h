// Runs a graph node by node on the reference kernels: what passes may not change.
#pragma once

#include <map>
#include <string>

#include "graph/graph.h"
#include "hone/tensor.h"

namespace hone::test {

// The outputs by name. Every input must be given.
Result<std::map<std::string, Tensor>> run_graph(const Graph& graph, const std::map<std::string, Tensor>& inputs);

}  // namespace hone::test
