#include <gtest/gtest.h>

#include "graph/graph.h"
#include "graph/text.h"
#include "graph/verifier.h"
#include "ops/activation.h"
#include "ops/op_list.h"

namespace hone {
namespace {

Graph graph_of(const std::string& text) {
  Result<Graph> graph = parse_graph("graph \"\"\n" + text, {}, nullptr, make_op);
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  return graph.ok() ? *std::move(graph) : Graph();
}

void expect_graph(const Graph& graph, const std::string& text) {
  EXPECT_TRUE(verify(graph).ok()) << verify(graph).message();
  EXPECT_EQ(print_graph(graph), print_graph(graph_of(text)));
}

Node* node_of(const Graph& graph, std::string_view output) { return graph.find_value(output)->producer(); }

TEST(Graph, FailedNodesLeaveNothingBehind) {
  Graph graph = graph_of("input %x: float32[2] %y = Relu(%x) output %y");
  Value* x = graph.find_value("x");
  const OpPtr relu = *make_op("Relu", {});
  EXPECT_FALSE(graph.add_node("bad", relu, {x, x}, {"z"}).ok());      // inference refuses
  EXPECT_FALSE(graph.add_node("twice", relu, {x}, {"z", "y"}).ok());  // a name is taken
  EXPECT_EQ(graph.find_value("z"), nullptr);
  expect_graph(graph, "input %x: float32[2] %y = Relu(%x) output %y");
  ASSERT_TRUE(graph.add_node("good", relu, {x}, {"z"}).ok());
}

TEST(Graph, MadeUpNamesDiffer) {
  Graph graph = graph_of("input %x: float32[2] %Dropout = Relu(%x) output %Dropout");
  const Result<Node*> node = graph.add_node("", *make_op("Dropout", {}), {graph.find_value("x")}, {"", ""});
  ASSERT_TRUE(node.ok()) << node.status().message();
  EXPECT_NE((*node)->output(0)->name(), (*node)->output(1)->name());
  EXPECT_TRUE(verify(graph).ok());
}

TEST(GraphEditor, ReplaceMovesReadersAndOutputsAndDropsWhatDied) {
  Graph graph = graph_of(
      "input %x: float32[2] const %c = float32[](1.0) %a = Add(%x, %c) %b = Relu(%a)\n"
      "%y = Mul(%b, %b) output %b output %y output %b as \"again\"");
  GraphEditor editor(graph);
  Node* dead = node_of(graph, "b");
  ASSERT_TRUE(editor.replace(graph.find_value("b"), graph.find_value("x")).ok());
  EXPECT_TRUE(dead->is_dead());
  EXPECT_EQ(graph.find_value("c"), nullptr);
  expect_graph(graph, "input %x: float32[2] %y = Mul(%x, %x) output %x as \"b\" output %y output %x as \"again\"");
}

TEST(GraphEditor, ReplaceRefusesOtherTypes) {
  Graph graph = graph_of(
      "symbol N = dim 0 of %x input %x: float32[N,2] input %h: float16[N,2] input %r: float32[N]\n"
      "input %s: float32[N + 1,2] %y = Relu(%x) output %y");
  GraphEditor editor(graph);
  const std::string before = print_graph(graph);
  for (const char* by : {"h", "r", "s"}) {
    const Status status = editor.replace(graph.find_value("y"), graph.find_value(by));
    EXPECT_NE(status.message().find("replacing 'y' by '" + std::string(by) + "' would change its"), std::string::npos);
  }
  EXPECT_EQ(print_graph(graph), before);
}

TEST(GraphEditor, UnprovenEqualitiesBecomeRequirements) {
  Graph graph = graph_of(
      "symbol N = dim 0 of %x symbol M = dim 0 of %z input %x: float32[N] input %z: float32[M]\n"
      "%a = Relu(%x) %y = Neg(%a) output %y");
  GraphEditor editor(graph);
  ASSERT_TRUE(editor.replace(graph.find_value("a"), graph.find_value("z")).ok());
  EXPECT_NE(print_graph(graph).find("%y = Neg(%z)  # float32[N]  requires N == M"), std::string::npos);
  EXPECT_TRUE(verify(graph).ok());
}

TEST(GraphEditor, SymbolsOfWhatIsReplacedTakeTheNewDimensions) {
  Graph graph = graph_of(
      "input %x: float32[2,3] %n = NonZero(%x) %t = Transpose(%n) const %c = int64[2,1](0, 1)\n"
      "%y = Concat(%t, %t) {axis=0} output %y");
  EXPECT_NE(print_graph(graph).find("symbol"), std::string::npos);
  GraphEditor editor(graph);
  ASSERT_TRUE(editor.replace(graph.find_value("n"), graph.find_value("c")).ok());
  expect_graph(graph,
               "const %c = int64[2,1](0, 1) input %x: float32[2,3] %t = Transpose(%c)\n"
               "%y = Concat(%t, %t) {axis=0} output %y");
  editor.drop_unused_symbols();
  EXPECT_TRUE(graph.symbols().empty());
}

TEST(GraphEditor, HostValuesPassTheirElementsOn) {
  Graph graph = graph_of("input %x: float32[6] input %k: int64[2] %s = Abs(%k) %y = Reshape(%x, %s) output %y");
  const std::string before = print_graph(graph);
  GraphEditor editor(graph);
  const Result<Node*> copy =
      editor.insert_before(node_of(graph, "y"), "copy", *make_op("Neg", {}), {graph.find_value("k")});
  ASSERT_TRUE(copy.ok()) << copy.status().message();
  ASSERT_TRUE(editor.replace(graph.find_value("s"), (*copy)->output()).ok());
  EXPECT_TRUE((*copy)->output()->is_host_value() || (*copy)->output()->elements());
  EXPECT_TRUE(verify(graph).ok()) << verify(graph).message() << print_graph(graph);
}

constexpr const char* kFusible =
    "symbol N = dim 0 of %x symbol M = dim 0 of %z input %x: float32[N] input %z: float32[M]\n"
    "const %c = float32[](2.0) const %d = float32[2](1.0, 2.0)\n"
    "%a = Mul(%c, %x) %b = Add(%a, %z) %y = Mul(%b, %d) \"last\" output %y";

TEST(GraphEditor, FuseAndInlineAreInverse) {
  Graph graph = graph_of(kFusible);
  GraphEditor editor(graph);
  const std::vector<Node*> nodes = graph.nodes();
  const Result<Node*> fused = editor.fuse(std::make_shared<SiLU>(), nodes, "fused");
  ASSERT_TRUE(fused.ok()) << fused.status().message();
  EXPECT_TRUE(verify(graph).ok()) << verify(graph).message();
  const std::string text = print_graph(graph);
  EXPECT_NE(text.find("%fused = SiLU(%x, %z, %d) \"fused\" body {\n  const $3 = float32[](2.0)\n  $4 = Mul($3, $0)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("requires N ~ M"), std::string::npos) << "requirements of the members stay\n" << text;
  EXPECT_EQ(graph.find_value("c"), nullptr);
  ASSERT_TRUE(editor.inline_body(*fused).ok());
  EXPECT_TRUE(verify(graph).ok()) << verify(graph).message();
  EXPECT_EQ(graph.node_count(), 3u);
  EXPECT_EQ(graph.outputs()[0]->producer()->name(), "fused/Mul");
}

TEST(GraphEditor, FuseRefusesWhatIsReadOutside) {
  Graph graph = graph_of(std::string(kFusible) + " output %b");
  const std::string before = print_graph(graph);
  GraphEditor editor(graph);
  const Status status = editor.fuse(std::make_shared<SiLU>(), graph.nodes(), "fused").status();
  EXPECT_EQ(status.message(), "'b' is read outside of the fusion");
  EXPECT_FALSE(editor.fuse(std::make_shared<SiLU>(), {}, "fused").ok());
  EXPECT_EQ(print_graph(graph), before);
}

TEST(GraphEditor, FinishRemovesWhatNobodyReads) {
  Graph graph = graph_of("input %x: float32[2] const %c = float32[](1.0) %a = Add(%x, %c) %b = Add(%a, %a) output %x");
  GraphEditor editor(graph);
  EXPECT_TRUE(editor.finish());
  expect_graph(graph, "input %x: float32[2] output %x");
  EXPECT_FALSE(editor.finish());
}

TEST(GraphEditor, RefineLearnsFromConstants) {
  Graph graph = graph_of(
      "input %x: float32[6] input %k: float32[1] const %c = float32[1](2.0)\n"
      "%u = Resize(%x, _, %k) %y = Relu(%u) output %y");
  GraphEditor editor(graph);
  Node* resize = node_of(graph, "u");
  Result<bool> learned = editor.refine(resize);
  ASSERT_TRUE(learned.ok());
  EXPECT_FALSE(*learned);
  const Result<Node*> better = editor.insert_before(resize, "v", *make_op("Resize", resize->op().describe()),
                                                    {graph.find_value("x"), nullptr, graph.find_value("c")});
  ASSERT_TRUE(better.ok());
  ASSERT_TRUE(editor.replace(graph.find_value("u"), (*better)->output()).ok());
  EXPECT_EQ(graph.to_string(graph.find_value("y")->shape()), "[12]");
  EXPECT_TRUE(verify(graph).ok());
}

}  // namespace
}  // namespace hone
