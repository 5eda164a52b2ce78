#include "graph/text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "graph/verifier.h"
#include "ops/op_list.h"

namespace hone {
namespace {

Result<Graph> parse(std::string_view text, std::span<const std::byte> weights = {}) {
  return parse_graph(text, weights, nullptr, make_op);
}

std::string error_of(std::string_view text, std::span<const std::byte> weights = {}) {
  const Result<Graph> graph = parse(text, weights);
  EXPECT_FALSE(graph.ok()) << text;
  return graph.ok() ? "" : graph.status().message();
}

// The text again, with all of the graph.
std::string reprinted(std::string_view text) {
  const Result<Graph> graph = parse(text);
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  if (!graph.ok()) return {};
  EXPECT_TRUE(verify(*graph).ok()) << verify(*graph).message();
  return print_graph(*graph);
}

constexpr std::string_view kText = R"(graph "two \"layers\""
metadata "classes" = "person\ncar"
symbol N = dim 0 of %images
symbol "count 1" = counted 0 of %picked
bound "count 1" <= 5*N - N*N - 3
input %images: float32[N,3,8,8]
const %w = float32[2,3,1,1](0.5, -1.0, 1e+20, nan, -inf, 3.4028235e+38)
const %"axis?" = int64[1](-9223372036854775808)
%c = Conv(%images, %w, _) {strides=[2,2]} "conv 1"  # float32[N,2,4,4]
%y = Relu(%c)  # float32[N,2,4,4]
output %y as "result"
output %y
output %images
)";

TEST(GraphText, PrintsWhatItRead) {
  std::string text(kText);
  // A symbol that nothing mentions isn't printed.
  const size_t symbol = text.find("symbol \"count"), bound_end = text.find("input");
  EXPECT_EQ(reprinted(text), text.erase(symbol, bound_end - symbol));
}

TEST(GraphText, InfersTheTypesThatAreMissing) {
  EXPECT_EQ(reprinted("graph \"g\" symbol N = dim 0 of %x input %x: float32[N,4] // comment\n"
                      "%a = Relu(%x) %b=Add(%a,%x) output %b"),
            R"(graph "g"
symbol N = dim 0 of %x
input %x: float32[N,4]
%a = Relu(%x)  # float32[N,4]
%b = Add(%a, %x)  # float32[N,4]
output %b
)");
}

TEST(GraphText, KeepsFlagsElementsRequirementsAndBodies) {
  const std::string text = R"(graph ""
symbol N = dim 0 of %x
symbol M = dim 0 of %z
symbol k#0 = element 0 of %k
input %x: float32[N]
input %z: float32[M]
input %k: int64[2] host = (k#0,3)
%s = SiLU(%x) "act" body {
  const $1 = float32[](1.0)
  $2 = Sigmoid($0)  # float32[N]
  $3 = Mul($2, $1)  # float32[N]
  $4 = Mul($0, $3)  # float32[N]
  return $4
}  # float32[N]
%t = Add(%s, %z)  # float32[broadcast(N, M)]  requires N ~ M, -N + max(3, M) == floordiv(N + 1, 2)
output %t
output %k
)";
  EXPECT_EQ(reprinted(text), text);
}

TEST(GraphText, DimensionsReadBackInNormalForm) {
  const Result<Graph> graph = parse(R"(graph "" symbol N = dim 0 of %x symbol "N M" = dim 1 of %x
      input %x: float32[N,"N M",2*N - "N M" + 3*4,ceildiv(N, 2)*N,mod(N, 2),min(N, "N M")])");
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  const Dim n = Dim::symbol(0, true), m = Dim::symbol(1, true);
  const Shape shape = {n, m, n * 2 - m + 12, ceil_div(n, 2) * n, mod(n, 2), min(n, m)};
  EXPECT_EQ(graph->inputs()[0]->shape(), shape);
}

TEST(GraphText, AnyNameSurvives) {
  std::string every_byte;
  for (int c = 0; c < 256; ++c) every_byte += static_cast<char>(c);
  Graph graph;
  graph.set_name(every_byte);
  graph.metadata()[every_byte] = every_byte;
  const SymbolId id = graph.add_symbol({.name = every_byte, .value = every_byte, .bound = 0});
  const TensorType type = {DataType::kFloat32, {Dim::symbol(id, true)}};
  Result<Value*> input = graph.add_input(every_byte, {ValueType::Kind::kTensor, type});
  ASSERT_TRUE(input.ok());
  ASSERT_TRUE(graph.add_node(every_byte, *make_op("Relu", {}), {*input}, {every_byte + "y"}).ok());
  graph.add_output(every_byte + "z", graph.find_value(every_byte + "y"));
  const std::string text = print_graph(graph);
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << int{c};
  const Result<Graph> again = parse(text);
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(again->name(), every_byte);
  EXPECT_EQ(again->inputs()[0]->name(), every_byte);
  EXPECT_EQ(again->output_names()[0], every_byte + "z");
  EXPECT_EQ(print_graph(*again), text);
}

template <class T>
void expect_bits_survive(std::vector<T> values) {
  Graph graph;
  const int64_t count = static_cast<int64_t>(values.size());
  ASSERT_TRUE(graph.add_constant("c", Tensor::of<T>(values, std::span(&count, 1))).ok());
  const Result<Graph> again = parse(print_graph(graph));
  ASSERT_TRUE(again.ok()) << again.status().message();
  const Tensor& read = again->find_value("c")->constant();
  ASSERT_EQ(read.bytes(), values.size() * sizeof(T));
  EXPECT_EQ(std::memcmp(read.data(), values.data(), read.bytes()), 0) << print_graph(graph);
}

TEST(GraphText, FloatsSurviveBitForBit) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 500; ++round) {
    std::vector<float> floats;
    std::vector<double> doubles;
    std::vector<Half> halves;
    std::vector<BFloat16> bfloats;
    for (int i = 0; i < 16; ++i) {
      const uint64_t bits = random();
      floats.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
      doubles.push_back(std::bit_cast<double>(bits));
      halves.push_back(Half::from_bits(static_cast<uint16_t>(bits)));
      bfloats.push_back(BFloat16::from_bits(static_cast<uint16_t>(bits)));
    }
    expect_bits_survive(floats);
    expect_bits_survive(doubles);
    expect_bits_survive(halves);
    expect_bits_survive(bfloats);
  }
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  expect_bits_survive<float>({nan, -nan, infinity, -infinity, 0.f, -0.f, 1e-45f});
}

TEST(GraphText, IntegersSurviveAtTheirLimits) {
  expect_bits_survive<int64_t>({INT64_MIN, INT64_MAX, -1});
  expect_bits_survive<uint64_t>({0, UINT64_MAX});
  expect_bits_survive<int8_t>({-128, 127});
  expect_bits_survive<uint8_t>({0, 255});
}

TEST(GraphText, OddElementTypesAndStringsSurvive) {
  Graph graph;
  const std::byte packed[] = {std::byte{0x21}, std::byte{0x03}};
  ASSERT_TRUE(graph.add_constant("i4", Tensor::share(DataType::kInt4, {3}, packed, nullptr)).ok());
  ASSERT_TRUE(graph.add_constant("f8", Tensor::share(DataType::kFloat8E4M3FN, {2}, packed, nullptr)).ok());
  ASSERT_TRUE(graph.add_constant("text", Tensor::of_strings({2}, {"a\"", std::string("\0b", 2)})).ok());
  ASSERT_TRUE(graph.add_constant("empty", *Tensor::make(DataType::kFloat16, Extents{0, 5})).ok());
  const std::string text = print_graph(graph);
  EXPECT_NE(text.find("const %i4 = int4[3](x\"2103\")"), std::string::npos) << text;
  const Result<Graph> again = parse(text);
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(again->find_value("text")->constant().strings()[1], std::string("\0b", 2));
  EXPECT_EQ(print_graph(*again), text);
}

TEST(GraphText, LargeConstantsGoToTheWeightsOnce) {
  std::vector<float> values(100);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) * 0.37f;
  Graph graph;
  const Extents dims = {10, 10};
  ASSERT_TRUE(graph.add_constant("a", Tensor::of<float>(values, dims)).ok());
  ASSERT_TRUE(graph.add_constant("b", Tensor::of<float>(values, dims)).ok());
  values[99] = -1;
  ASSERT_TRUE(graph.add_constant("c", Tensor::of<float>(values, dims)).ok());
  WeightsWriter writer;
  const std::string text = print_graph(graph, &writer);
  EXPECT_EQ(writer.blocks().size(), 2u);
  EXPECT_NE(text.find("const %b = float32[10,10]@0:400"), std::string::npos) << text;
  EXPECT_NE(text.find("const %c = float32[10,10]@448:400"), std::string::npos) << text;
  const std::vector<std::byte> bytes = writer.bytes();
  EXPECT_EQ(bytes.size(), 896u);
  const Result<Graph> again = parse(text, bytes);
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(again->find_value("c")->constant().values<float>()[99], -1.f);
  EXPECT_EQ(again->find_value("c")->constant().data(), bytes.data() + 448);
  EXPECT_NE(print_graph(graph).find("const %a = float32[10,10](...)"), std::string::npos);
  EXPECT_NE(error_of(print_graph(graph)).find("for reading only"), std::string::npos);
}

TEST(GraphText, ErrorsNameTheLine) {
  EXPECT_EQ(error_of("graph \"g\"\n\ninput %x float32[1]"),
            "line 3 of the graph's text: expected ':', found \"float32\"");
  EXPECT_EQ(error_of("graph \"g\"\ninput %x: float32[1]\n%y = Nonsense(%x)\n"),
            "line 3 of the graph's text: there is no operator \"Nonsense\"");
  EXPECT_EQ(error_of("graph \"g\"\n%y = Relu(%x)\n"), "line 2 of the graph's text: the value \"x\" isn't defined yet");
}

TEST(GraphText, MalformedTextIsRefused) {
  const std::string head = "graph \"\" symbol N = dim 0 of %x input %x: float32[N,2]\n";
  const std::string_view tails[] = {"input %x: float32[1]",
                                    "input %y: float33[1]",
                                    "input %y: float32[-1]",
                                    "input %y: float32[M]",
                                    "input %y: float32[N",
                                    "input %y: float32[1,1,1,1,1,1,1,1,1]",
                                    "input %y: float32[floordiv(N, 0)]",
                                    "input %y: float32[9223372036854775807 + 1]",
                                    "input %y: float32[invalid]",
                                    "input %: float32[1]",
                                    "input %\"\": float32[1]",
                                    "symbol N = dim 0 of %x",
                                    "symbol M = size 0 of %x",
                                    "symbol M = dim -1 of %x",
                                    "symbol M = dim 4294967296 of %x",
                                    "bound M <= 3",
                                    "const %c = float32[2](1.0)",
                                    "const %c = float32[2](1.0, 2.0, 3.0)",
                                    "const %c = float32[-1]()",
                                    "const %c = float32[4611686018427387904,4]()",
                                    "const %c = int8[1](128)",
                                    "const %c = uint8[1](-1)",
                                    "const %c = bool[1](2)",
                                    "const %c = int64[1](9223372036854775808)",
                                    "const %c = float32[1](nan(0x00000001))",
                                    "const %c = float32[1](1e999)",
                                    "const %c = float32[1](1.2.3)",
                                    "const %c = string[2](\"a\")",
                                    "const %c = string[1]@0:0",
                                    "const %c = float32[1]@0:4",
                                    "const %c = int4[1](x\"1\")",
                                    "const %c = int4[1](x\"zz\")",
                                    "const %c = float32[1",
                                    "const %c = undefined[1](1)",
                                    "%y = Relu(%x",
                                    "%y = Relu(%x) {alpha=1.0}",
                                    "%y = Conv(%x) {group=\"a\"}",
                                    "%y = LeakyRelu(%x) {alpha=1.0, alpha=1.0}",
                                    "%y = Relu(%y)",
                                    "%x = Relu(%x)",
                                    "%y, %z = Relu(%x) # float32[N,2]",
                                    "%y = Relu(%x) # float32[N,2], float32[N,2]",
                                    "%y = Relu(%x) # float32[N,2] = (1,",
                                    "%y = Relu(%x) # float32[N,2] requires N",
                                    "%y = Relu(%x) # float32[N,2] requires N < 3",
                                    "%y = SiLU(%x) body { $1 = Sigmoid($1) return $1 }",
                                    "%y = SiLU(%x) body { $2 = Sigmoid($0) return $2 }",
                                    "%y = SiLU(%x) body { $1 = Sigmoid($0) return $2 }",
                                    "%y = SiLU(%x) body { $1 = Sigmoid($0) return _ }",
                                    "%y = SiLU(%x) body { $1 = Sigmoid($0)",
                                    "%y = SiLU(%x) body { $1, $2 = Sigmoid($0) # float32[N,2] return $1 }",
                                    "%y = SiLU(%x) body { $99999999999 = Sigmoid($0) return $0 }",
                                    "output %y",
                                    "output %x as",
                                    "\"",
                                    "\"\\",
                                    "%",
                                    "$",
                                    "!",
                                    "metadata \"a\" = \"b\" metadata \"a\" = \"c\"",
                                    "metadata \"\\x1\" = \"\"",
                                    "metadata \"\\q\" = \"\"",
                                    "as",
                                    "- 3"};
  for (const std::string_view tail : tails) {
    EXPECT_NE(error_of(head + std::string(tail)).find("line 2"), std::string::npos)
        << tail << "\n"
        << error_of(head + std::string(tail));
  }
}

TEST(GraphText, ReferencesStayInsideTheWeights) {
  alignas(64) const std::byte weights[16] = {};
  for (const char* place : {"@0:4", "@12:4"}) {
    EXPECT_TRUE(parse(std::string("graph \"\" const %c = float32[1]") + place, weights).ok());
  }
  for (const char* place :
       {"@0:8", "@16:4", "@13:4", "@2:4", "@-4:4", "@0:-4", "@9223372036854775807:4", "@0:9223372036854775807"}) {
    EXPECT_NE(error_of(std::string("graph \"\" const %c = float32[1]") + place, weights), "") << place;
  }
}

TEST(GraphText, NestingIsLimited) {
  std::string calls;
  for (int i = 0; i < 100000; ++i) calls += "max(";
  EXPECT_NE(error_of("graph \"\" input %x: float32[" + calls).find("nested too deeply"), std::string::npos);
  std::string sum = "1";
  for (int i = 0; i < 100000; ++i) sum += "+1";
  EXPECT_NE(error_of("graph \"\" input %x: float32[" + sum + "]"), "");
}

// Cuts, flips and swaps bytes: whatever comes out must be an error or a graph that prints and reads back.
TEST(GraphText, DamagedTextNeverCrashes) {
  std::mt19937 random(3);
  const std::string text(kText);
  int parsed = 0;
  for (int round = 0; round < 8000; ++round) {
    std::string damaged = text;
    for (auto changes = random() % 3 + 1; changes > 0; --changes) {
      const size_t at = random() % damaged.size();
      switch (random() % 4) {
        case 0: damaged[at] = static_cast<char>(random()); break;
        case 1: damaged.erase(at, random() % 8); break;
        case 2: damaged.insert(at, damaged.substr(random() % damaged.size(), random() % 16)); break;
        default: damaged[at] = "(){}[]<>=,#%$\"\\0129NM-+*._"[random() % 27]; break;
      }
    }
    const Result<Graph> graph = parse(damaged);
    if (!graph.ok()) continue;
    ++parsed;
    (void)verify(*graph);
    const std::string once = print_graph(*graph);
    const Result<Graph> again = parse(once);
    ASSERT_TRUE(again.ok()) << again.status().message() << "\n" << once;
    ASSERT_EQ(print_graph(*again), once) << damaged;
  }
  EXPECT_GT(parsed, 40);
  EXPECT_LT(parsed, 7960);
}

}  // namespace
}  // namespace hone
