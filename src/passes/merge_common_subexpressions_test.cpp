#include "passes/pass_testing.h"

namespace hone {
namespace {

TEST(MergeCommonSubexpressions, NodesAndConstants) {
  expect_pass(
      merge_common_subexpressions,
      "input %x: float32[2] const %c = float32[](1.0) const %d = float32[](1.0)\n"
      "%a = Add(%x, %c) %b = Add(%x, %d) %r = Relu(%a) %s = Relu(%b) %y = Mul(%r, %s) output %y",
      "input %x: float32[2] const %c = float32[](1.0) %a = Add(%x, %c) %r = Relu(%a) %y = Mul(%r, %r) output %y");
}

TEST(MergeCommonSubexpressions, WhatDiffersStays) {
  expect_unchanged(merge_common_subexpressions,
                   "input %x: float32[2,2] const %a = float32[](0.0) const %b = float32[](-0.0)\n"
                   "const %c = float32[1](0.0) const %d = int32[](0)\n"
                   "%s = Softmax(%x) {axis=0} %t = Softmax(%x) {axis=1} %u = Sub(%s, %t) %v = Sub(%t, %s)\n"
                   "output %u output %v output %a output %b output %c output %d");
}

TEST(MergeCommonSubexpressions, BothMayBeOutputs) {
  expect_pass(merge_common_subexpressions, "input %x: float32[2] %a = Relu(%x) %b = Relu(%x) output %a output %b",
              "input %x: float32[2] %a = Relu(%x) output %a output %a as \"b\"");
}

TEST(MergeCommonSubexpressions, CountedSymbolsMergeToo) {
  expect_pass(merge_common_subexpressions,
              "input %x: float32[7] %a = NonZero(%x) %b = NonZero(%x) %c = Concat(%a, %b) {axis=0} output %c",
              "input %x: float32[7] %a = NonZero(%x) %c = Concat(%a, %a) {axis=0} output %c");
}

TEST(MergeCommonSubexpressions, ShapeArithmeticWithTheSameResult) {
  const std::string head =
      "symbol N = dim 0 of %x input %x: float32[N,4] const %one = int64[1](1)\n"
      "const %axis = int64[1](0) const %begin = int64[1](0) %s = Shape(%x) %n = Gather(%s, %axis)\n";
  expect_pass(merge_common_subexpressions,
              head +
                  "%r = Relu(%x) %t = Shape(%r) %g = Slice(%t, %begin, %one) %m = Mul(%g, %one) %y = Expand(%one, %m)\n"
                  "%z = Expand(%one, %n) output %y output %z",
              "symbol N = dim 0 of %x input %x: float32[N,4] const %one = int64[1](1) const %axis = int64[1](0)\n"
              "%s = Shape(%x) %n = Gather(%s, %axis) %y = Expand(%one, %n) output %y output %y as \"z\"");
}

TEST(MergeCommonSubexpressions, ManySymbolsMerge) {
  std::string before = "input %x: float32[7]\n", operands, after;
  for (int i = 0; i < 300; ++i) {
    const std::string n = std::to_string(i);
    before += "%a" + n + " = NonZero(%x) %b" + n + " = Transpose(%a" + n + ")\n";
    operands += (i ? ", %b" : "%b") + n;
    after += i ? ", %b0" : "%b0";
  }
  expect_pass(
      merge_common_subexpressions, before + "%y = Concat(" + operands + ") {axis=1} output %y",
      "input %x: float32[7] %a0 = NonZero(%x) %b0 = Transpose(%a0) %y = Concat(" + after + ") {axis=1} output %y");
}

TEST(MergeCommonSubexpressions, AttributesAreComparedBitByBit) {
  expect_pass(merge_common_subexpressions,
              "input %x: float32[2] %a = LeakyRelu(%x) {alpha=nan} %b = LeakyRelu(%x) {alpha=nan}\n"
              "%c = LeakyRelu(%x) {alpha=0.0} %d = LeakyRelu(%x) {alpha=-0.0} output %a output %b output %c output %d",
              "input %x: float32[2] %a = LeakyRelu(%x) {alpha=nan} %c = LeakyRelu(%x) {alpha=0.0}\n"
              "%d = LeakyRelu(%x) {alpha=-0.0} output %a output %a as \"b\" output %c output %d");
}

}  // namespace
}  // namespace hone
