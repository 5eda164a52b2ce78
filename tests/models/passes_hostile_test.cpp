// Passes on graphs that ask for too much or make no sense: they may refuse, but not crash, hang or fill the memory.
#include <gtest/gtest.h>

#include <sys/resource.h>

#include "backends/reference/backend.h"
#include "graph/text.h"
#include "graph/verifier.h"
#include "ops/op_list.h"
#include "passes/pipeline.h"
#include "support/tensors.h"

namespace hone {
namespace {

Result<Graph> parse(const std::string& text) { return parse_graph("graph \"\"\n" + text, {}, nullptr, make_op); }

PassContext context_with_reference(int64_t budget_bytes) {
  PassContext context;
  context.evaluate = reference::evaluate;
  context.memory_budget_bytes = budget_bytes;
  return context;
}

int64_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

constexpr int64_t kMiB = int64_t{1} << 20;

TEST(HostilePasses, MemoryBombsAreNotFolded) {
  const std::string x = "const %x = float32[1,1,2,2](1.0, 2.0, 3.0, 4.0)\n";
  const std::string bombs[] = {
      "const %n = int64[1](1000000000000) %y = ConstantOfShape(%n)",
      "const %n = int64[2](4611686018427387904, 1) %y = ConstantOfShape(%n)",
      x + "const %n = int64[4](1000000, 1000000, 2, 2) %y = Expand(%x, %n)",
      x + "const %n = int64[4](1000000, 1000000, 1, 1) %y = Tile(%x, %n)",
      x + "const %n = float32[4](1.0, 1.0, 1000000.0, 1000000.0) %y = Resize(%x, _, %n)",
      x + "const %n = int64[4](1, 1, 1000000, 1000000) %y = Resize(%x, _, _, %n)",
      x + "const %n = int64[8](0, 0, 1000000, 0, 0, 0, 0, 1000000) %y = Pad(%x, %n)",
      "const %a = int64[](0) const %b = int64[](1000000000000) const %c = int64[](1) %y = Range(%a, %b, %c)",
      "const %i = int64[4](0, 1, 2, 3) const %d = int64[](1000000000000) const %v = float32[2](0.0, 1.0)\n"
      "%y = OneHot(%i, %d, %v)",
      "const %n = int64[1](1000000000000) const %z = int64[1](0) %y = ConstantOfShape(%n) {value=int64[1](3)}\n"
      "%w = Gather(%y, %z)",
      x + "const %w = float32[1,1,1,1](1.0) %y = Conv(%x, %w) {pads=[1000000,1000000,1000000,1000000]}",
      x + "%y = MaxPool(%x) {kernel_shape=[1,1], strides=[1,1], dilations=[1,1]}\n"
          "const %n = int64[4](1, 1, 1000000, 1000000) %z = Expand(%x, %n) %w = Transpose(%z)",
  };
  int accepted = 0;
  const int64_t before = peak_bytes();
  for (const std::string& bomb : bombs) {
    const std::string last =
        bomb.find("%w =") != std::string::npos && bomb.find("Conv") == std::string::npos ? "w" : "y";
    Result<Graph> graph = parse(bomb + " output %" + last);
    if (!graph.ok()) continue;  // refused even earlier
    ++accepted;
    PassContext context = context_with_reference(256 * kMiB);
    const Status status = run_passes(*graph, context);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_GT(graph->node_count(), 0u) << bomb;
  }
  EXPECT_GE(accepted, 10);
  EXPECT_LT(peak_bytes() - before, 256 * kMiB);
}

TEST(HostilePasses, GrowthBySmallStepsStopsAtTheBudget) {
  std::string text = "const %n = int64[1](1000000) const %two = int64[1](2) %a0 = ConstantOfShape(%n)\n";
  for (int i = 0; i < 40; ++i) {
    text += "%a" + std::to_string(i + 1) + " = Tile(%a" + std::to_string(i) + ", %two)\n";
  }
  Result<Graph> graph = parse(text + "output %a40");
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  const int64_t before = peak_bytes();
  PassContext context = context_with_reference(100 * kMiB);
  const Status status = run_passes(*graph, context);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_GT(graph->node_count(), 30u);
  EXPECT_LT(peak_bytes() - before, 400 * kMiB);
}

TEST(HostilePasses, LongComputationsStay) {
  std::string text = "const %n = int64[2](2000, 2000) %a0 = ConstantOfShape(%n) {value=float32[1](0.001)}\n";
  for (int i = 0; i < 20; ++i) {
    text += "%a" + std::to_string(i + 1) + " = MatMul(%a" + std::to_string(i) + ", %a0)\n";
  }
  Result<Graph> graph = parse(text + "output %a20");
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  PassContext context = context_with_reference(1024 * kMiB);
  const Status status = run_passes(*graph, context);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(graph->node_count(), 20u);
}

// Something for every pass, with symbols and shape arithmetic.
const std::string kSeed = R"(symbol N = dim 0 of %x
input %x: float32[N,2,4,4]
const %w = float32[2,2,1,1](1.0, 2.0, 3.0, 4.0)
const %p = int64[8](0, 0, 1, 1, 0, 0, 1, 1)
const %g = float32[2](2.0, 6.0)
const %i = int64[1](0)
const %s = int64[3](2, -1, 4)
const %six = float32[](6.0)
const %three = float32[](3.0)
const %zero = float32[](0.0)
const %k = float32[2,1,1](0.5, 2.0)
%m = Pad(%x, %p)
%v = Identity(%w)
%c = Conv(%m, %v)
%n = BatchNormalization(%c, %g, %g, %g, %g)
%q = Sigmoid(%n)
%r = Mul(%n, %q)
%t = Transpose(%r) {perm=[0,2,3,1]}
%u = Transpose(%t) {perm=[0,3,1,2]}
%d = Shape(%u)
%e = Gather(%d, %i)
%f = Concat(%e, %s) {axis=0}
%h = Reshape(%u, %f)
%o = Reshape(%h, %d)
%a = Add(%o, %three)
%b = Clip(%a, %zero, %six)
%j = Mul(%o, %b)
%l = Div(%j, %six)
%z = Mul(%l, %k)
%y = MaxPool(%z) {kernel_shape=[2,2], pads=[1,1,1,1]}
%nz = NonZero(%y)
%nz2 = NonZero(%y)
%cc = Concat(%nz, %nz2) {axis=1}
output %y
output %cc
output %h
)";

TEST(HostilePasses, DamagedGraphsNeverCrash) {
  ASSERT_TRUE(parse(kSeed).ok()) << parse(kSeed).status().message();
  test::Random random(17);
  int sound = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = kSeed;
    for (int64_t changes = random.integer(1, 3); changes > 0; --changes) {
      // A digit, a letter or an operator's operand becomes another: most results still parse.
      const auto at = static_cast<size_t>(random.integer(0, static_cast<int64_t>(text.size()) - 1));
      const auto from = static_cast<size_t>(random.integer(0, static_cast<int64_t>(text.size()) - 1));
      const auto alike = [](char a, char b) {
        return (isdigit(a) && isdigit(b)) || (islower(a) && islower(b)) || (ispunct(a) && ispunct(b));
      };
      if (alike(text[at], text[from])) text[at] = text[from];
      if (random.integer(0, 5) == 0) text.insert(at, text.substr(from, static_cast<size_t>(random.integer(1, 30))));
    }
    Result<Graph> graph = parse(text);
    if (!graph.ok() || !verify(*graph).ok()) continue;
    ++sound;
    PassContext context = context_with_reference(16 * kMiB);
    const Status status = run_passes(*graph, context);
    // A pass may find that the model is invalid, but never make it so.
    if (!status.ok()) {
      EXPECT_EQ(status.message().find("after the pass"), std::string::npos) << status.message() << "\n" << text;
      continue;
    }
    EXPECT_TRUE(verify(*graph).ok()) << verify(*graph).message() << "\n" << text;
  }
  EXPECT_GT(sound, 100);
}

}  // namespace
}  // namespace hone
