#include "passes/pass_testing.h"

namespace hone {
namespace {

constexpr const char* kHead = "symbol N = dim 0 of %x input %x: float32[N,4,1]\n";

// What comes between the input and a Relu disappears.
void expect_gone(const std::string& middle, const std::string& input = kHead) {
  SCOPED_TRACE(middle);
  const std::string after = after_pass(clean, input + middle + "%y = Relu(%m) output %y");
  Graph expected = graph_of(input + "%y = Relu(%x) output %y");
  EXPECT_EQ(after, print_graph(expected));
}

void expect_kept(const std::string& middle, const std::string& input = kHead) {
  expect_unchanged(clean, input + middle + "%y = Relu(%m) output %y");
}

TEST(Clean, NodesThatDoNothingGo) {
  expect_gone("%m = Identity(%x)");
  expect_gone("%m = Dropout(%x)");
  expect_gone("const %r = float32[](0.5) const %t = bool[](0) %m, %mask = Dropout(%x, %r, %t)");
  expect_gone("%m = Cast(%x) {to=1}");
  expect_gone("%m = CastLike(%x, %x)");
  expect_gone("%m = Transpose(%x) {perm=[0,1,2]}");
  expect_gone("%m = Concat(%x) {axis=1}");
  expect_gone("%m = Sum(%x)");
  expect_gone("%m = Clip(%x)");
  expect_gone("const %one = float32[1,4,1](1.0, 1.0, 1.0, 1.0) %m = Mul(%one, %x)");
  expect_gone("const %one = float32[](1.0) %m = Div(%x, %one)");
  expect_gone("const %zero = float32[](0.0) %m = Sub(%x, %zero)");
  expect_gone("const %s = int64[3](1, 1, 1) %m = Expand(%x, %s)");
  expect_gone("const %s = int64[3](1, 1, 1) %m = Tile(%x, %s)");
  expect_gone("const %s = int64[3](0, 4, 1) %m = Reshape(%x, %s)");
  expect_gone("const %s = int64[6](0, 0, 0, 0, 0, 0) %m = Pad(%x, %s)");
  expect_gone("const %b = int64[1](0) const %e = int64[1](9223372036854775807) %m = Slice(%x, %b, %e)");
  expect_gone("const %c = bool[](1) const %z = float32[](3.0) %m = Where(%c, %x, %z)");
  expect_gone("const %s = float32[3](1.0, 1.0, 1.0) %m = Resize(%x, _, %s)");
}

TEST(Clean, NodesThatDoSomethingStay) {
  expect_kept("%m = Transpose(%x) {perm=[0,2,1]}");
  expect_kept("const %zero = float32[](0.0) %m = Sub(%zero, %x)");
  expect_kept("const %one = float32[](1.0) %m = Div(%one, %x)");
  expect_kept("const %one = float32[1,1,1,1](1.0) %m = Mul(%one, %x)");  // another rank
  expect_kept("const %one = float32[1,1,3](1.0, 1.0, 1.0) %m = Mul(%one, %x)");
  expect_kept("const %s = int64[3](0, 2, 2) %m = Reshape(%x, %s)");
  expect_kept("const %s = int64[6](0, 1, 0, 0, -1, 0) %m = Pad(%x, %s)");  // shifts
  expect_kept(
      "const %b = int64[1](-1) const %e = int64[1](-9223372036854775807) const %a = int64[1](1) "
      "const %s = int64[1](-1) %m = Slice(%x, %b, %e, %a, %s)");               // reverses
  expect_kept("const %s = float32[3](1.0, 1.1, 1.0) %m = Resize(%x, _, %s)");  // 4.4, rounded down to 4
}

TEST(Clean, ThereAndBackIsNothing) {
  expect_gone("%t = Transpose(%x) {perm=[1,2,0]} %m = Transpose(%t) {perm=[2,0,1]}", kHead);
  expect_gone("%t = Cast(%x) {to=11} %m = Cast(%t) {to=1}");
  expect_kept("%t = Cast(%x) {to=10} %m = Cast(%t) {to=1}");
  expect_kept("%t = Cast(%x) {to=16} %m = Cast(%t) {to=1}");
  expect_kept("%t = Cast(%x) {to=7} %m = Cast(%t) {to=1}");
  expect_gone("const %a = int64[1](0) %t = Unsqueeze(%x, %a) %m = Squeeze(%t, %a)");
  expect_gone("const %a = int64[1](-1) %t = Reshape(%x, %a) const %b = int64[3](-1, 4, 1) %m = Reshape(%t, %b)");
}

TEST(Clean, TransposesMerge) {
  expect_pass(clean, "input %x: float32[2,3,5] %a = Transpose(%x) {perm=[1,2,0]} %b = Transpose(%a) output %b",
              "input %x: float32[2,3,5] %Transpose = Transpose(%x) {perm=[0,2,1]} output %Transpose as \"b\"");
}

TEST(Clean, OnesMayMoveAmongTheAxes) {
  expect_gone("%m = Transpose(%x) {perm=[1,0,2]}", "input %x: float32[1,1,7]");
  expect_kept("%m = Transpose(%x) {perm=[1,0,2]}", "input %x: float32[2,2,7]");
}

TEST(Clean, AnOutputMayBecomeAnInput) {
  expect_pass(clean, "input %x: float32[2] %y = Identity(%x) output %y", "input %x: float32[2] output %x as \"y\"");
}

TEST(Clean, AMaskThatIsReadKeepsDropout) {
  expect_pass(clean, "input %x: float32[2] %y, %m = Dropout(%x) output %y output %m",
              "input %x: float32[2] %y, %m = Dropout(%x) output %y output %m");
}

TEST(Clean, SharedWeightsBehindIdentityAreConstantsAgain) {
  expect_pass(clean,
              "input %x: float32[1,1,2,2] const %w = float32[1,1,1,1](2.0) %v = Identity(%w)\n"
              "%y = Conv(%x, %v) output %y",
              "input %x: float32[1,1,2,2] const %w = float32[1,1,1,1](2.0) %y = Conv(%x, %w) output %y");
}

}  // namespace
}  // namespace hone
