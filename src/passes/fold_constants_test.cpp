#include <algorithm>

#include "passes/pass_testing.h"

namespace hone {
namespace {

// Adds and multiplies float32 tensors of one shape, and fills; fails on everything else.
Result<std::vector<Tensor>> evaluate(const OpPtr& op, std::span<const Tensor> inputs, size_t num_outputs,
                                     const std::shared_ptr<const Body>&) {
  const std::string name(op->name());
  if (name == "ConstantOfShape") {
    const auto dims = inputs[0].values<int64_t>();
    HONE_ASSIGN(Tensor filled, Tensor::make(DataType::kFloat32, dims));
    return std::vector<Tensor>{filled};
  }
  if (num_outputs != 1 || inputs.size() != 2 || (name != "Add" && name != "Mul")) return runtime_error("out of range");
  HONE_ASSIGN(Tensor result, Tensor::make(DataType::kFloat32, inputs[0].dims()));
  const auto a = inputs[0].values<float>(), b = inputs[1].values<float>();
  auto* out = reinterpret_cast<float*>(result.mutable_data());
  for (size_t i = 0; i < a.size(); ++i) out[i] = name == "Add" ? a[i] + b[i] : a[i] * b[i];
  return std::vector<Tensor>{result};
}

PassContext context_with_evaluator() {
  PassContext context;
  context.evaluate = evaluate;
  return context;
}

const std::string kConstants = "input %x: float32[2] const %a = float32[2](1.0, 2.0) const %b = float32[2](3.0, 5.0)\n";

TEST(FoldConstants, ChainsInOneRun) {
  expect_pass(fold_constants, kConstants + "%c = Add(%a, %b) %d = Mul(%c, %a) %y = Mul(%x, %d) output %y",
              "input %x: float32[2] const %d_1 = float32[2](4.0, 14.0) %y = Mul(%x, %d_1) output %y",
              context_with_evaluator());
}

TEST(FoldConstants, OutputsMayBecomeConstant) {
  expect_pass(fold_constants, kConstants + "%c = Add(%a, %b) output %c",
              "input %x: float32[2] const %c_0 = float32[2](4.0, 7.0) output %c_0 as \"c\"", context_with_evaluator());
}

TEST(FoldConstants, WithoutAnEvaluatorOnlyKnownElementsFold) {
  expect_unchanged(fold_constants, kConstants + "%c = Add(%a, %b) output %c");
  expect_pass(fold_constants, "input %x: float32[2,3] %s = Shape(%x) output %s",
              "input %x: float32[2,3] const %s_0 = int64[2](2, 3) output %s_0 as \"s\"");
}

TEST(FoldConstants, ShapesOfPartlyOpenTensorsFoldWhereTheyCan) {
  expect_pass(fold_constants,
              "symbol N = dim 0 of %x input %x: float32[N,6] const %i = int64[](1) %s = Shape(%x) %g = Gather(%s, %i)\n"
              "output %s output %g",
              "symbol N = dim 0 of %x input %x: float32[N,6] const %g_0 = int64[](6) %s = Shape(%x)\n"
              "output %s output %g_0 as \"g\"");
}

TEST(FoldConstants, WhatFailsToEvaluateStays) {
  PassContext context = context_with_evaluator();
  std::vector<std::string> remarks;
  context.log = [&](std::string_view line) { remarks.emplace_back(line); };
  expect_unchanged(fold_constants, kConstants + "%c = Sub(%a, %b) \"bad\" output %c", std::move(context));
  ASSERT_EQ(remarks.size(), 1u);
  EXPECT_EQ(remarks[0], "node 'bad' (Sub) isn't folded: out of range");
}

TEST(FoldConstants, DimensionsBecomeKnownWithTheirOperand) {
  // The Add isn't followed as an expression: its operands are floats. Without its value the shape is open.
  const std::string text =
      "input %x: float32[12] const %r = float32[1](0.5) const %q = float32[1](1.5)\n"
      "%f = Add(%r, %q) %u = Resize(%x, _, %f) output %u";
  const std::string open = print_graph(graph_of(text));
  EXPECT_NE(open.find("resolved"), std::string::npos) << open;
  const std::string after = after_pass(fold_constants, text, context_with_evaluator());
  EXPECT_EQ(after, print_graph(graph_of("input %x: float32[12] const %f_0 = float32[1](2.0)\n"
                                        "%u = Resize(%x, _, %f_0) output %u")));
  EXPECT_NE(after.find("float32[24]"), std::string::npos) << after;
}

TEST(FoldConstants, LargeResultsOfSmallOperandsStay) {
  const std::string small = "const %n = int64[1](1000) %z = ConstantOfShape(%n) %y = Relu(%z) output %y";
  EXPECT_EQ(after_pass(fold_constants, small, context_with_evaluator()).find("ConstantOfShape"), std::string::npos);
  for (const char* size : {"5000000", "4611686018427387903"}) {
    const std::string large = "const %n = int64[1](" + std::string(size) + ") %z = ConstantOfShape(%n) output %z";
    EXPECT_NE(after_pass(fold_constants, large, context_with_evaluator()).find("ConstantOfShape"), std::string::npos);
  }
}

TEST(FoldConstants, TheBudgetHoldsForAllTogether) {
  PassContext context = context_with_evaluator();
  context.memory_budget_bytes = 9999;
  std::vector<std::string> remarks;
  context.log = [&](std::string_view line) { remarks.emplace_back(line); };
  const std::string text =
      "const %n = int64[1](1000) const %m = int64[1](1499)\n"
      "%z = ConstantOfShape(%n) %y = ConstantOfShape(%m) output %z output %y";
  const std::string after = after_pass(fold_constants, text, std::move(context));
  EXPECT_EQ(after.find("ConstantOfShape(%n)"), std::string::npos) << after;
  EXPECT_EQ(after.find("ConstantOfShape(%m)"), std::string::npos) << after;  // 4,000 + 5,996 bytes
  PassContext tight = context_with_evaluator();
  tight.memory_budget_bytes = 9000;
  tight.log = [&](std::string_view line) { remarks.emplace_back(line); };
  EXPECT_NE(after_pass(fold_constants, text, std::move(tight)).find("ConstantOfShape(%m)"), std::string::npos);
  ASSERT_EQ(remarks.size(), 1u);
  EXPECT_NE(remarks[0].find("5996 bytes"), std::string::npos) << remarks[0];
}

TEST(FoldConstants, StopsAtTheLimit) {
  PassContext context = context_with_evaluator();
  context.max_rewrites = 1;
  const std::string after =
      after_pass(fold_constants, kConstants + "%c = Add(%a, %b) %d = Mul(%c, %a) output %d", std::move(context));
  EXPECT_EQ(after.find("Add"), std::string::npos) << after;
  EXPECT_NE(after.find("Mul"), std::string::npos) << after;
}

}  // namespace
}  // namespace hone
