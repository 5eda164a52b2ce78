#include "passes/pipeline.h"

#include <algorithm>

#include "passes/pass_testing.h"

namespace hone {
namespace {

std::string run(const std::string& text, PassContext& context, PassReport* report = nullptr) {
  Graph graph = graph_of(text);
  const Status status = run_passes(graph, context, report);
  EXPECT_TRUE(status.ok()) << status.message();
  return print_graph(graph);
}

// A block as exporters write it: padding and normalisation apart, weights behind Identity, SiLU in two nodes.
const std::string kBlock =
    "symbol N = dim 0 of %x input %x: float32[N,1,4,4] const %w = float32[1,1,1,1](3.0) const %p = int64[8](0, 0, 1, "
    "1, 0, 0, 1, 1)\n"
    "const %one = float32[1](2.0) const %zero = float32[1](1.0) const %var = float32[1](0.75)\n"
    "%v = Identity(%w) %m = Pad(%x, %p) %c = Conv(%m, %v) \"conv\"\n"
    "%n = BatchNormalization(%c, %one, %zero, %zero, %var) {epsilon=0.25} \"bn\"\n"
    "%s = Sigmoid(%n) \"sigmoid\" %y = Mul(%n, %s) \"act\" %unused = Relu(%c) output %y";

TEST(Pipeline, AllPassesTogether) {
  PassContext context;
  PassReport report;
  EXPECT_EQ(run(kBlock, context, &report), R"(graph ""
symbol N = dim 0 of %x
input %x: float32[N,1,4,4]
const %w_0 = float32[1,1,1,1](6.0)
const %w_bias = float32[1](-1.0)
%conv_1 = Conv(%x, %w_0, %w_bias) {pads=[1,1,1,1]} "conv"  # float32[N,1,6,6]
%act = SiLU(%conv_1) "act" body {
  $1 = Sigmoid($0)  # float32[N,1,6,6]
  $2 = Mul($0, $1)  # float32[N,1,6,6]
  return $2
}  # float32[N,1,6,6]
output %act as "y"
)");
  EXPECT_EQ(report.nodes_before, 7);
  EXPECT_EQ(report.nodes_after, 2);
  EXPECT_EQ(report.rewrites["clean"], 1);
  EXPECT_EQ(report.rewrites["fold-padding"], 1);
  EXPECT_EQ(report.rewrites["fold-batch-norm"], 1);
  EXPECT_EQ(report.rewrites["recognise-activations"], 1);
  EXPECT_GE(report.rounds, 2);
}

TEST(Pipeline, ASecondRunFindsNothing) {
  PassContext first, second;
  const std::string once = run(kBlock, first);
  EXPECT_EQ(run(once.substr(once.find('\n')), second), once);
}

TEST(Pipeline, AnInputThatNoLongerDecidesShapesIsAnOrdinaryOne) {
  PassContext context;
  EXPECT_EQ(run("input %x: float32[2,3] input %k: int64[2] %t = Reshape(%x, %k) %s = Shape(%x) %u = Reshape(%t, %s)\n"
                "%y = Relu(%u) output %y output %k",
                context),
            print_graph(graph_of("input %x: float32[2,3] input %k: int64[2] %y = Relu(%x) output %y output %k")));
}

TEST(Pipeline, StopsAfterAnyNumberOfRewrites) {
  PassContext unlimited;
  const std::string all = run(kBlock, unlimited);
  std::string last;
  for (int64_t limit = 0; limit <= unlimited.rewrites(); ++limit) {
    PassContext context;
    context.max_rewrites = limit;
    const std::string text = run(kBlock, context);
    EXPECT_LE(context.rewrites(), limit);
    if (limit == 0) {
      EXPECT_EQ(text, print_graph(graph_of(kBlock)));
    }
    last = text;
  }
  EXPECT_EQ(last, all);
}

TEST(Pipeline, DumpsAfterTheNamedPass) {
  for (const char* name : {"import", "clean", "all", "nonsense"}) {
    PassContext context;
    std::vector<std::string> dumped;
    context.dump_after = name;
    context.dump = [&](std::string_view pass, const std::string& text) {
      EXPECT_EQ(text.substr(0, 5), "graph");
      dumped.emplace_back(pass);
    };
    PassReport report;
    run(kBlock, context, &report);
    const auto rounds = static_cast<size_t>(report.rounds);
    const size_t expected = name == std::string("all")      ? 1 + rounds * canonical_passes().size()
                            : name == std::string("import") ? 1
                            : name == std::string("clean")  ? rounds
                                                            : 0;
    EXPECT_EQ(dumped.size(), expected) << name;
  }
}

TEST(Pipeline, AWrongPassIsFound) {
  Graph graph = graph_of(kBlock);
  const Pass passes[] = {{"break-it", [](Graph& g, PassContext& context) -> Result<bool> {
                            (void)context.rewrite();
                            GraphEditor editor(g);
                            Value* early = g.find_value("m");
                            HONE_TRY(editor.replace(early, g.find_value("y")));  // read before it is made
                            return true;
                          }}};
  PassContext context;
  const Status status = run_passes(graph, passes, context);
  EXPECT_NE(status.message().find("after the pass break-it, rewrite 1: in node 'conv'"), std::string::npos)
      << status.message();
}

TEST(Pipeline, PassesHaveDistinctNames) {
  std::vector<std::string> names;
  for (const Pass& pass : canonical_passes()) names.emplace_back(pass.name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

// Deep chains and one value with very many readers: nothing may recurse or be quadratic.
TEST(Pipeline, LongGraphsPass) {
  Graph graph;
  Value* x = *graph.add_input("x", {ValueType::Kind::kTensor, {DataType::kFloat32, {Dim(2)}}});
  Value* one = *graph.add_constant("one", Tensor::scalar(1.0f));
  Value* two = *graph.add_constant("two", Tensor::scalar(2.0f));
  const OpPtr mul = *make_op("Mul", {}), sigmoid = *make_op("Sigmoid", {}), identity = *make_op("Identity", {});
  constexpr int kBlocks = 8000;
  for (int i = 0; i < kBlocks; ++i) {
    x = (*graph.add_node("", mul, {x, i % 2 ? one : two}, {""}))->output();
    x = (*graph.add_node("", identity, {x}, {""}))->output();
    Value* gate = (*graph.add_node("", sigmoid, {x}, {""}))->output();
    x = (*graph.add_node("", mul, {x, gate}, {""}))->output();
  }
  graph.add_output("y", x);
  PassContext context;
  const Status status = run_passes(graph, context);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(graph.node_count(), size_t{kBlocks + kBlocks / 2});
}

}  // namespace
}  // namespace hone
