// Model -> Graph.
#pragma once

#include "onnx/budget.h"
#include "onnx/graph_builder.h"
#include "onnx/model.h"

namespace hone::onnx {

// Builds the graph of a model, its functions inlined and all operators in their newest form. Errors as import_onnx().
Result<Graph> build_graph(const Model& model, MemoryBudget& budget, const Log& log);

}  // namespace hone::onnx
