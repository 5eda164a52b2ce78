#include "onnx/importers.h"

#include <gtest/gtest.h>

#include <set>

#include "ops/op_list.h"

namespace hone::onnx {
namespace {

TEST(Importers, EveryOperatorOfTheEngineCanBeImported) {
  // Made by rewrites, not by files.
  const std::set<std::string_view> internal = {"SiLU"};
  for (const OpFactory& factory : builtin_ops()) {
    if (internal.contains(factory.name)) continue;
    EXPECT_NE(find_importer("", factory.name), nullptr) << factory.name;
  }
}

TEST(Importers, KnowsTheOperatorsThatDetectorsNeed) {
  for (const char* name : {"Identity",
                           "Add",
                           "Conv",
                           "Mul",
                           "Constant",
                           "Reshape",
                           "Transpose",
                           "Concat",
                           "Slice",
                           "Shape",
                           "Gather",
                           "Div",
                           "Sub",
                           "MatMul",
                           "Softmax",
                           "Sigmoid",
                           "Cast",
                           "Unsqueeze",
                           "MaxPool",
                           "Resize",
                           "Gemm",
                           "Pow",
                           "Flatten",
                           "ConstantOfShape",
                           "Expand",
                           "Split",
                           "Relu",
                           "Where",
                           "ReduceMean",
                           "Sqrt",
                           "LayerNormalization",
                           "Erf",
                           "Equal",
                           "GlobalAveragePool",
                           "Range",
                           "ReduceMax",
                           "Squeeze",
                           "Pad",
                           "ReduceSum",
                           "Mod",
                           "Exp",
                           "ScatterND",
                           "LeakyRelu",
                           "ConvTranspose",
                           "Tile",
                           "Cos",
                           "Sin",
                           "Not",
                           "TopK",
                           "ArgMax",
                           "Clip",
                           "BatchNormalization",
                           "AveragePool",
                           "Less",
                           "GatherElements",
                           "Reciprocal",
                           "Tanh",
                           "HardSwish",
                           "HardSigmoid",
                           "Log",
                           "And",
                           "Einsum",
                           "Greater",
                           "Floor",
                           "Atan",
                           "Dropout",
                           "GridSample",
                           "NonMaxSuppression",
                           "EfficientNMS_TRT",
                           "BatchedNMS_TRT"}) {
    EXPECT_TRUE(can_import("", name)) << name;
  }
  EXPECT_TRUE(can_import("TRT", "EfficientNMS_TRT"));
  EXPECT_FALSE(can_import("TRT", "Add"));
  EXPECT_FALSE(can_import("com.acme", "Add"));
}

}  // namespace
}  // namespace hone::onnx
