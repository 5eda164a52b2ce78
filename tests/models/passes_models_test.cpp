// Real models give the same results before and after the canonical passes, on plain loops.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "backends/reference/backend.h"
#include "graph/text.h"
#include "onnx/import.h"
#include "passes/pipeline.h"
#include "support/graph_run.h"
#include "support/tensors.h"

namespace hone {
namespace {

std::string data_path(const std::string& name) {
  const char* data = std::getenv("HONE_DATA");
  return std::string(data != nullptr ? data : "../shared/data") + "/models/" + name;
}

// Inputs as the model wants them, with 2 for the symbols of open dimensions unless told otherwise.
Result<std::map<std::string, Tensor>> draw_inputs(const Graph& graph, int64_t open_dim) {
  test::Random random(11);
  const std::vector<int64_t> symbols(graph.symbols().size(), open_dim);
  std::map<std::string, Tensor> inputs;
  for (const Value* input : graph.inputs()) {
    Extents dims;
    for (const Dim& dim : input->shape()) dims.push_back(dim.eval(symbols).value_or(1));
    inputs[input->name()] = test::uniform(0, 1)(input->dtype(), dims, random);
  }
  return inputs;
}

struct ModelCase {
  const char* file;
  int64_t open_dim;
  double tolerance;
  size_t nodes_after;  // at most
};

class PassesOnModels : public testing::TestWithParam<ModelCase> {};

TEST_P(PassesOnModels, KeepTheirResults) {
  const std::string path = data_path(GetParam().file);
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << "; HONE_DATA says where the data is";
  Result<Graph> original = import_onnx_file(path);
  Result<Graph> graph = import_onnx_file(path);
  ASSERT_TRUE(original.ok() && graph.ok()) << original.status().message();
  const auto inputs = draw_inputs(*original, GetParam().open_dim);
  const auto expected = test::run_graph(*original, *inputs);
  ASSERT_TRUE(expected.ok()) << expected.status().message();

  PassContext context;
  context.evaluate = reference::evaluate;
  PassReport report;
  const Status status = run_passes(*graph, context, &report);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_LE(graph->node_count(), GetParam().nodes_after) << print_graph(*graph);
  const auto actual = test::run_graph(*graph, *inputs);
  ASSERT_TRUE(actual.ok()) << actual.status().message();
  for (const auto& [name, tensor] : *expected) {
    double largest = 0;
    for (const double value : test::to_doubles(tensor)) largest = std::max(largest, std::fabs(value));
    EXPECT_TRUE(test::tensors_close(actual->at(name), tensor, {0, GetParam().tolerance * largest})) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Data, PassesOnModels,
                         testing::Values(ModelCase{"mnist_cntk.onnx", 1, 1e-5, 8},
                                         ModelCase{"yunet_n_dynamic.onnx", 64, 1e-4, 163},
                                         ModelCase{"squeezenet_fp16.onnx", 1, 2e-2, 65}),
                         [](const auto& info) { return std::string(info.param.file).substr(0, 5); });

}  // namespace
}  // namespace hone
