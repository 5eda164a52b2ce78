#include "onnx/functions.h"

#include <gtest/gtest.h>

#include "onnx/test_model.h"

namespace hone::onnx {
namespace {

using namespace test;

struct TestFunction {
  std::string name;
  std::vector<std::string> inputs, outputs;
  std::vector<Message> nodes;
  std::vector<std::string> attributes = {};
  std::vector<Message> defaults = {};
  int64_t version = 17;
  std::string overload = "";

  Message message() const {
    Message message;
    message.text(1, name);
    for (const auto& input : inputs) message.text(4, input);
    for (const auto& output : outputs) message.text(5, output);
    for (const auto& attribute : attributes) message.text(6, attribute);
    for (const auto& made : nodes) message.message(7, made);
    message.message(9, opset("", version)).message(9, opset("own", 1)).text(10, "own");
    for (const auto& attribute : defaults) message.message(11, attribute);
    return message.text(13, overload);
  }
};

TestModel calling(const std::vector<TestFunction>& functions, const std::vector<Message>& nodes,
                  const std::vector<std::string>& outputs = {"y"}) {
  TestModel model;
  model.graph.nodes = nodes;
  model.graph.inputs = {value("x", {2, 3})};
  for (const std::string& output : outputs) model.graph.outputs.push_back(untyped(output));
  for (const TestFunction& function : functions) model.functions.push_back(function.message());
  model.more_opsets = {opset("own", 1)};
  return model;
}

std::string ops_of(const Graph& graph) {
  std::string text;
  for (const Node* made : graph.nodes()) text += std::string(made->op().name()) + " ";
  return text;
}

float alpha_of(const Node& made) {
  for (const auto& [name, value] : made.op().describe()) {
    if (name == "alpha") return std::get<float>(value);
  }
  return -1;
}

TEST(Functions, AreInlinedUnderNamesOfTheirOwn) {
  const TestFunction twice{.name = "Twice",
                           .inputs = {"a"},
                           .outputs = {"b"},
                           .nodes = {node("Relu", {"a"}, {"t"}, {}, "first"), node("Neg", {"t"}, {"b"}, {}, "second")}};
  const Result<Graph> graph = import_model(
      calling({twice}, {node("Twice", {"x"}, {"t"}, {}, "one", "own"), node("Twice", {"t"}, {"y"}, {}, "two", "own")}));
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(ops_of(*graph), "Relu Neg Relu Neg ");
  EXPECT_EQ(graph->nodes()[0]->name(), "one/first");
  EXPECT_EQ(graph->nodes()[0]->output()->name(), "one/t");
  EXPECT_EQ(graph->nodes()[1]->output()->name(), "t");
  EXPECT_EQ(graph->nodes()[3]->output()->name(), "y");
  EXPECT_EQ(graph->nodes()[2]->input(0), graph->find_value("t"));
}

TEST(Functions, AttributesAreGivenDefaultedOrLeftOut) {
  const TestFunction leaky{.name = "Leaky",
                           .inputs = {"a"},
                           .outputs = {"b"},
                           .nodes = {node("LeakyRelu", {"a"}, {"m"}, {reference("alpha", 1, "slope")}),
                                     node("LeakyRelu", {"m"}, {"b"}, {reference("alpha", 1, "other")})},
                           .attributes = {"other"},
                           .defaults = {attr("slope", 0.25f)}};
  const TestFunction outer{.name = "Outer",
                           .inputs = {"a"},
                           .outputs = {"b"},
                           .nodes = {node("Leaky", {"a"}, {"b"}, {reference("slope", 1, "s")}, "", "own")},
                           .attributes = {"s"}};
  const Result<Graph> graph =
      import_model(calling({leaky, outer}, {node("Leaky", {"x"}, {"h"}, {attr("other", 0.75f)}, "l", "own"),
                                            node("Outer", {"h"}, {"y"}, {attr("s", 0.5f)}, "o", "own")}));
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  const auto nodes = graph->nodes();
  ASSERT_EQ(nodes.size(), 4u);
  EXPECT_EQ(alpha_of(*nodes[0]), 0.25f);  // default
  EXPECT_EQ(alpha_of(*nodes[1]), 0.75f);  // given
  EXPECT_EQ(alpha_of(*nodes[2]), 0.5f);   // handed through two calls
  EXPECT_EQ(alpha_of(*nodes[3]), 0.01f);  // left out: the operator's own default
}

TEST(Functions, OperandsMayBeLeftOutAndResultsUnused) {
  const TestFunction clip{.name = "C",
                          .inputs = {"a", "low", "high"},
                          .outputs = {"b", "unused"},
                          .nodes = {node("Clip", {"a", "low", "high"}, {"b"}), node("Neg", {"a"}, {"unused"})}};
  const Result<Graph> graph = import_model(calling({clip}, {node("C", {"x"}, {"y"}, {}, "c", "own")}));
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(graph->nodes()[0]->input(1), nullptr);
  EXPECT_EQ(graph->nodes()[0]->input(2), nullptr);
}

TEST(Functions, ResultsMayBeOperandsAndBodiesUnsorted) {
  const TestFunction swap{.name = "Swap",
                          .inputs = {"a", "b"},
                          .outputs = {"b", "c"},
                          .nodes = {node("Neg", {"t"}, {"c"}), node("Relu", {"a"}, {"t"})}};
  const Result<Graph> graph = import_model(
      calling({swap}, {node("Neg", {"x"}, {"n"}), node("Swap", {"x", "n"}, {"p", "q"}, {}, "s", "own")}, {"p", "q"}));
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(graph->outputs()[0], graph->find_value("n"));
  EXPECT_EQ(graph->output_names()[0], "p");
  EXPECT_EQ(ops_of(*graph), "Neg Relu Neg ");
}

// In version 6 Clip has attributes; the model itself is at 17, where it has operands.
TEST(Functions, HaveOperatorSetsOfTheirOwn) {
  const TestFunction old{.name = "Old",
                         .inputs = {"a"},
                         .outputs = {"b"},
                         .nodes = {node("Clip", {"a"}, {"b"}, {attr("min", 0.0f), attr("max", 6.0f)})},
                         .version = 6};
  const Result<Graph> graph = import_model(calling({old}, {node("Old", {"x"}, {"y"}, {}, "o", "own")}));
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(graph->nodes()[0]->input(2)->constant().values<float>()[0], 6.0f);
}

TEST(Functions, OverloadsAreTakenApart) {
  TestFunction plus{.name = "F", .inputs = {"a"}, .outputs = {"b"}, .nodes = {node("Relu", {"a"}, {"b"})}};
  TestFunction minus{.name = "F", .inputs = {"a"}, .outputs = {"b"}, .nodes = {node("Neg", {"a"}, {"b"})}};
  minus.overload = "minus";
  Message call = node("F", {"x"}, {"y"}, {}, "call", "own");
  call.text(8, "minus");
  const Result<Graph> graph = import_model(calling({plus, minus}, {call}));
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(ops_of(*graph), "Neg ");
}

TEST(Functions, Errors) {
  const TestFunction f{.name = "F", .inputs = {"a"}, .outputs = {"b"}, .nodes = {node("Relu", {"a"}, {"b"}, {}, "r")}};
  const auto changed = [&](const std::function<void(TestFunction&)>& change) {
    TestFunction copy = f;
    change(copy);
    return copy;
  };
  const Message call = node("F", {"x"}, {"y"}, {}, "call", "own");
  const std::tuple<std::vector<TestFunction>, Message, const char*> cases[] = {
      {{f, f}, call, "function 'F' is defined twice"},
      {{f}, node("F", {"x", "x"}, {"y"}, {}, "call", "own"), "passes 2 inputs"},
      {{f}, node("F", {"x"}, {"y", "z"}, {}, "call", "own"), "takes 2 outputs"},
      {{f}, node("F", {"x"}, {"y"}, {attr("k", 1)}, "call", "own"), "attribute 'k' is unknown to the function"},
      {{f}, node("F", {}, {"y"}, {}, "call", "own"), "in node 'call/r' (Relu)"},
      {{changed([](auto& g) { g.nodes = {}; })}, call, "function 'F' doesn't make its output 'b'"},
      {{changed([](auto& g) { g.nodes = {node("Relu", {"x"}, {"b"}, {}, "r")}; })}, call, "reads 'x', which nothing"},
      {{changed([](auto& g) { g.nodes = {node("Relu", {"a"}, {"a"}, {}, "r")}; })}, call, "an input or initializer"},
      {{changed([](auto& g) { g.nodes = {node("Gone", {"a"}, {"b"}, {}, "r")}; })}, call, "'r' of function 'F'"},
      {{changed([](auto& g) { g.version = 99; })}, call, "version 99"},
  };
  for (const auto& [functions, node, expected] : cases) {
    const std::string error = error_of(import_model(calling(functions, {node})));
    EXPECT_NE(error.find(expected), std::string::npos) << error << "\nexpected: " << expected;
  }
}

}  // namespace
}  // namespace hone::onnx
