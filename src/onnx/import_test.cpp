#include "onnx/import.h"

#include <gtest/gtest.h>

#include "hone/types.h"
#include "onnx/test_model.h"

namespace hone::onnx {
namespace {

using namespace test;
using testing::Test;

std::string shape_text(const Graph& graph, std::string_view value) {
  const Value* found = graph.find_value(value);
  return found == nullptr ? "none" : graph.to_string(found->type().tensor);
}

TEST(Import, NamesTypesAndMetadata) {
  TestModel model;
  model.graph.nodes = {node("Relu", {"x"}, {"h"}, {}, "first"), node("Add", {"h", "w"}, {"y"})};
  model.graph.inputs = {value("x", {2, 3})};
  model.graph.initializers = {floats("w", {3}, {1, 2, 3})};
  model.graph.outputs = {value("y", {2, 3})};
  const Result<Graph> graph = import_model(model);
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(graph->name(), "test");
  ASSERT_EQ(graph->inputs().size(), 1u);
  EXPECT_EQ(graph->inputs()[0]->name(), "x");
  EXPECT_EQ(shape_text(*graph, "y"), "float32[2,3]");
  EXPECT_EQ(graph->output_names(), (std::vector<std::string>{"y"}));
  ASSERT_EQ(graph->nodes().size(), 2u);
  EXPECT_EQ(graph->nodes()[0]->name(), "first");
  EXPECT_EQ(graph->metadata().at("classes"), "cat");
  EXPECT_EQ(graph->metadata().at("onnx.producer"), "pytest");
  EXPECT_EQ(graph->metadata().at("onnx.opset"), "17");
  const Tensor& weight = graph->find_value("w")->constant();
  EXPECT_EQ(weight.values<float>()[2], 3.0f);
}

TEST(Import, DimensionNamesAreSymbolsAndTheSameNameTheSameSymbol) {
  TestModel model = one_node(17, node("Add", {"a", "b"}, {"y"}), {value("a", {"N", "", 3}), value("b", {"N", -1, 3})});
  const Result<Graph> graph = import_model(model);
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(shape_text(*graph, "a"), "float32[N,a_1,3]");
  EXPECT_EQ(shape_text(*graph, "b"), "float32[N,b_1,3]");
  ASSERT_EQ(graph->symbols().size(), 3u);
  EXPECT_EQ(graph->symbols()[0].value, "a");
  EXPECT_EQ(graph->symbols()[0].index, 0u);
  EXPECT_EQ(graph->symbols()[1].index, 1u);
}

TEST(Import, InputsWithInitializersAreConstants) {
  TestModel model =
      one_node(17, node("Add", {"x", "w"}, {"y"}), {value("x", {2}), value("w", {2})}, {floats("w", {2}, {1, 2})});
  const Result<Graph> graph = import_model(model);
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(graph->inputs().size(), 1u);
  EXPECT_TRUE(graph->find_value("w")->is_constant());
}

TEST(Import, InputsAndConstantsMayBeOutputs) {
  TestModel model = one_node(17, node("Relu", {"x"}, {"y"}), {value("x", {2})}, {floats("w", {2}, {1, 2})});
  model.graph.outputs = {untyped("x"), untyped("w"), untyped("y")};
  const Result<Graph> graph = import_model(model);
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(graph->outputs()[0], graph->inputs()[0]);
  EXPECT_TRUE(graph->outputs()[1]->is_constant());
}

TEST(Import, NodesInAnyOrder) {
  TestModel model;
  model.graph.nodes = {node("Relu", {"b"}, {"c"}), node("Relu", {"x"}, {"a"}), node("Relu", {"a"}, {"b"})};
  model.graph.inputs = {value("x", {2})};
  model.graph.outputs = {untyped("c")};
  std::string log;
  const Result<Graph> graph = import_model(model, {.log = [&](std::string_view line) { log += line; }});
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(graph->nodes()[0]->output()->name(), "a");
  EXPECT_EQ(graph->nodes()[2]->output()->name(), "c");
  EXPECT_NE(log.find("execution order"), std::string::npos);
}

TEST(Import, WeightsStayInTheFileWhateverTheirAlignment) {
  const std::vector<float> values = {1.5f, -2.0f, 3.25f, 8.0f};
  for (size_t offset = 0; offset < 8; ++offset) {
    TestModel model = one_node(17, node("Add", {"x", "w"}, {"y"}), {value("x", {4})}, {floats("w", {4}, values)});
    const Result<Graph> graph = import_bytes(model.bytes(), {}, std::nullopt, offset);
    ASSERT_TRUE(graph.ok()) << error_of(graph);
    const Tensor& weight = graph->find_value("w")->constant();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(weight.data()) % alignof(float), 0u);
    EXPECT_EQ(std::vector<float>(weight.values<float>().begin(), weight.values<float>().end()), values);
  }
}

TEST(Import, DeclaredOutputShapesAreHints) {
  TestModel model = one_node(17, node("Relu", {"x"}, {"y"}), {value("x", {2, 3})});
  model.graph.outputs = {value("y", {2, 4})};
  std::string log;
  const Result<Graph> graph = import_model(model, {.log = [&](std::string_view line) { log += line; }});
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_NE(log.find("declared as [2,4], but is [2,3]"), std::string::npos) << log;
  model.graph.outputs = {value("y", {2, 3}, DataType::kInt32)};
  EXPECT_NE(error_of(import_model(model)).find("declared as int32, but is float32"), std::string::npos);
}

TEST(Import, ErrorsOfTheGraphsOwn) {
  const auto with = [](const std::function<void(TestModel&)>& change) {
    TestModel model = one_node(17, node("Relu", {"x"}, {"y"}, {}, "r"), {value("x", {2})});
    change(model);
    return error_of(import_model(model));
  };
  const Message sequence = Message().text(1, "x").message(2, Message().message(4, Message()));
  const Message no_shape = Message().text(1, "x").message(2, Message().message(1, Message().integer(1, 1)));
  const std::pair<std::function<void(TestModel&)>, const char*> cases[] = {
      {[](TestModel& m) { m.ir = 2; }, "IR version 2; Hone reads versions 3 to 13"},
      {[](TestModel& m) { m.ir = 14; }, "IR version 14"},
      {[](TestModel& m) { m.ir = 0; }, "ir_version is missing"},
      {[](TestModel& m) { m.version = 28; }, "version 28 of the ONNX operator set; Hone knows 27"},
      {[](TestModel& m) { m.version = 0; }, "asks for version 0"},
      {[](TestModel& m) { m.more_opsets = {opset("ai.onnx", 5)}; }, "two versions"},
      {[&](TestModel& m) { m.graph.inputs = {sequence}; }, "input 'x': is a sequence"},
      {[&](TestModel& m) { m.graph.inputs = {no_shape}; }, "input 'x': has no shape"},
      {[](TestModel& m) { m.graph.inputs = {untyped("x")}; }, "input 'x': has no type"},
      {[](TestModel& m) { m.graph.inputs = {value("x", {-2})}; }, "negative dimension -2"},
      {[](TestModel& m) { m.graph.inputs.push_back(value("x", {2})); }, "two graph inputs 'x'"},
      {[](TestModel& m) {
         m.graph.inputs = {value("x", {1 << 30, 1 << 30, 1 << 30})};
       },
       "more than 2^63 - 1 elements"},
      {[](TestModel& m) { m.graph.inputs = {value("x", std::vector<TestDim>(9, 1))}; }, "has rank 9"},
      {[](TestModel& m) { m.graph.inputs = {value("x", {2}, static_cast<DataType>(77))}; }, "element type 77"},
      {[](TestModel& m) { m.graph.outputs = {untyped("z")}; }, "nothing makes the graph's output 'z'"},
      {[](TestModel& m) { m.graph.outputs = {}; }, "no outputs"},
      {[](TestModel& m) { m.graph.outputs.push_back(untyped("y")); }, "two graph outputs 'y'"},
      {[](TestModel& m) {
         m.graph.initializers = {floats("w", {1}, {1}), floats("w", {1}, {1})};
       },
       "two initializers"},
      {[](TestModel& m) { m.graph.initializers = {floats("", {1}, {1})}; }, "has no name"},
      {[](TestModel& m) { m.graph.nodes.push_back(node("Relu", {"x"}, {"y"})); }, "'y', which node 'r' (Relu) makes"},
      {[](TestModel& m) { m.graph.nodes.push_back(node("Relu", {"x"}, {"x"})); }, "is an input or initializer"},
      {[](TestModel& m) { m.graph.nodes.push_back(node("Relu", {"q"}, {"z"})); }, "reads 'q', which nothing makes"},
      {[](TestModel& m) { m.graph.nodes = {node("Relu", {"y"}, {"y"}, {}, "r")}; }, "cycle: node 'r'"},
      {[](TestModel& m) {
         m.graph.nodes = {node("Add", {"x", "b"}, {"y"}, {}, "r"), node("Relu", {"y"}, {"b"})};
       },
       "cycle: node 'r'"},
      {[](TestModel& m) { m.graph.nodes = {node("Relu", {"x"}, {"y"}, {attr("alpha", 1)}, "r")}; },
       "node 'r' (Relu): Relu: attribute 'alpha'"},
      {[](TestModel& m) {
         m.graph.nodes = {node("Relu", {"x"}, {"y"}, {attr("a", 1), attr("a", 1)}, "r")};
       },
       "'a' is given twice"},
      {[](TestModel& m) { m.graph.nodes = {node("Relu", {"x"}, {"y"}, {attribute("a", 2).single(2, 1.0f)}, "r")}; },
       "attribute 'a': says it is of type INT, but has a value of type FLOAT"},
      {[](TestModel& m) { m.graph.nodes = {node("Relu", {"x"}, {"y"}, {attribute("a", 99)}, "r")}; },
       "unknown type 99"},
      {[](TestModel& m) {
         m.graph.nodes = {node("Relu", {"x"}, {"y"}, {attribute("a", 5).message(6, Message())}, "r")};
       },
       "attribute 'a' is of type GRAPH"},
      {[](TestModel& m) { m.graph.nodes = {node("Relu", {"x"}, {"y"}, {reference("a", 2, "b")}, "r")}; },
       "isn't in a function"},
      {[](TestModel& m) {
         m.graph.nodes = {node("Relu", {"x", "x", "x"}, {"y"}, {}, "r")};
       },
       "in node 'r' (Relu)"},
      {[](TestModel& m) { m.graph.nodes = {node("Relu", {}, {"y"}, {}, "r")}; }, "in node 'r' (Relu)"},
      {[](TestModel& m) {
         m.graph.nodes = {node("Relu", {"x"}, {"y", "z"}, {}, "r")};
       },
       "in node 'r' (Relu)"},
  };
  for (const auto& [change, expected] : cases) {
    const std::string error = with(change);
    EXPECT_NE(error.find(expected), std::string::npos) << error << "\nexpected: " << expected;
  }
}

TEST(Import, TensorsInWrongPlaces) {
  const Message external =
      tensor("w", DataType::kFloat32, {1}).message(13, Message().text(1, "location").text(2, "w.bin")).integer(14, 1);
  TestModel constant = one_node(17, node("Constant", {}, {"y"}, {attr("value", external)}, "c"), {});
  EXPECT_NE(error_of(import_model(constant)).find("external data, which only initializers may"), std::string::npos);
  TestModel initializer = one_node(17, node("Relu", {"w"}, {"y"}), {}, {external});
  const Result<Graph> graph = import_model(initializer);
  EXPECT_EQ(graph.status().code(), Code::kInvalidArgument);
  EXPECT_NE(error_of(graph).find("the model was given as bytes"), std::string::npos);
  TestModel sparse =
      one_node(17, node("Constant", {}, {"y"}, {attribute("sparse_value", 11).message(22, Message())}), {});
  EXPECT_EQ(import_model(sparse).status().code(), Code::kUnsupported);
  const std::string with_sparse = Message().message(7, Message().message(15, Message())).integer(1, 8).bytes();
  EXPECT_NE(error_of(import_bytes(with_sparse)).find("sparse initializers"), std::string::npos);
}

// The exact text is what users search for.
TEST(Import, ListsEverythingUnsupportedAtOnce) {
  TestModel model = one_node(17, node("Relu", {"x"}, {"a"}), {value("x", {2})});
  model.graph.nodes = {node("Relu", {"x"}, {"a"}), node("Frobnicate", {"a"}, {"b"}, {}, "f1"),
                       node("If", {"b"}, {"c"}, {attribute("then_branch", 5).message(6, Message())}, "cond"),
                       node("Fused", {"c"}, {"d"}, {}, "", "com.acme"), node("Frobnicate", {"d"}, {"y"}, {}, "f2")};
  model.more_opsets = {opset("com.acme", 3)};
  const Result<Graph> graph = import_model(model);
  EXPECT_EQ(graph.status().code(), Code::kUnsupported);
  EXPECT_EQ(exit_code(graph.status()), 3);
  EXPECT_EQ(error_of(graph),
            "model: the model uses 3 operators that Hone doesn't have: ai.onnx.Frobnicate (opset 17) in nodes 'f1', "
            "'f2'; ai.onnx.If (opset 17) in node 'cond'; com.acme.Fused (opset 3) in node 'd'");
}

TEST(Import, ControlCharactersInMessagesAreEscaped) {
  TestModel model = one_node(17, node("Relu", {"q"}, {"y"}, {}, "\x1b[31mred\nnext"), {});
  const std::string error = error_of(import_model(model));
  EXPECT_EQ(error.find('\x1b'), std::string::npos);
  EXPECT_EQ(error.find('\n'), std::string::npos);
  EXPECT_NE(error.find("\\x1b[31mred"), std::string::npos) << error;
}

TEST(Import, TrainingInformationIsIgnoredWithARemark) {
  std::string bytes = one_node(17, node("Relu", {"x"}, {"y"}), {value("x", {2})}).bytes();
  bytes += Message().message(20, Message().text(99, "whatever")).bytes();
  std::string log;
  ASSERT_TRUE(import_bytes(bytes, {.log = [&](std::string_view line) { log += line; }}).ok());
  EXPECT_NE(log.find("training"), std::string::npos);
}

TEST(Import, ExoticTypesCanBeHeldButNotComputed) {
  const Message eight = tensor("w", DataType::kFloat8E4M3FN, {2}).text(9, "ab");
  TestModel model = one_node(21, node("Relu", {"x"}, {"y"}), {value("x", {2})}, {eight});
  model.graph.outputs.push_back(untyped("w"));
  EXPECT_TRUE(import_model(model).ok());
  model = one_node(21, node("Erf", {"w"}, {"y"}, {}, "e"), {}, {eight});
  const Result<Graph> graph = import_model(model);
  EXPECT_FALSE(graph.ok());
  EXPECT_NE(error_of(graph).find("node 'e'"), std::string::npos) << error_of(graph);
}

}  // namespace
}  // namespace hone::onnx
