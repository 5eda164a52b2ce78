#include "passes/pass_testing.h"

namespace hone {
namespace {

// Variance 4 - epsilon: the square root is 2.
const std::string kNorm =
    "const %g = float32[2](2.0, 6.0) const %b = float32[2](1.0, -1.0)\n"
    "const %m = float32[2](0.5, 1.0) const %v = float32[2](3.75, 3.75)\n";
const std::string kWeights = "const %w = float32[2,2,1,1](1.0, 2.0, 3.0, 4.0)\n";
const std::string kConv =
    "symbol N = dim 0 of %x input %x: float32[N,2,3,3]\n" + kWeights + "const %c = float32[2](1.0, 2.0)\n";

void expect_folds(const std::string& before, const std::string& after) { expect_pass(fold_batch_norm, before, after); }

TEST(FoldBatchNorm, IntoConvWithAndWithoutBias) {
  // scale = (1, 3), shift = (0.5, -4)
  const std::string head = "symbol N = dim 0 of %x input %x: float32[N,2,3,3]\n";
  expect_folds(head + kWeights + kNorm +
                   "%t = Conv(%x, %w) {pads=[1,1,1,1]} \"f\"\n"
                   "%y = BatchNormalization(%t, %g, %b, %m, %v) {epsilon=0.25} output %y",
               head +
                   "const %w_0 = float32[2,2,1,1](1.0, 2.0, 9.0, 12.0) const %w_bias = float32[2](0.5, -4.0)\n"
                   "%f = Conv(%x, %w_0, %w_bias) {pads=[1,1,1,1]} \"f\" output %f as \"y\"");
  expect_folds(kConv + kNorm +
                   "%t = Conv(%x, %w, %c) \"f\"\n"
                   "%y = BatchNormalization(%t, %g, %b, %m, %v) {epsilon=0.25} output %y",
               head +
                   "const %w_0 = float32[2,2,1,1](1.0, 2.0, 9.0, 12.0) const %c_1 = float32[2](1.5, 2.0)\n"
                   "%f = Conv(%x, %w_0, %c_1) \"f\" output %f as \"y\"");
}

TEST(FoldBatchNorm, ArithmeticByChannelOrScalar) {
  const std::string head = "symbol N = dim 0 of %x input %x: float32[N,2,3,3]\n";
  const auto folded = [&](const std::string& weights, const std::string& bias) {
    return head + "const %w_0 = float32[2,2,1,1](" + weights + ") const %c_1 = float32[2](" + bias +
           ") %f = Conv(%x, %w_0, %c_1) \"f\" output %f as \"y\"";
  };
  const std::string conv = kConv + "%t = Conv(%x, %w, %c) \"f\"\n";
  expect_folds(conv + "const %k = float32[1,2,1,1](2.0, 0.5) %y = Mul(%k, %t) output %y",
               folded("2.0, 4.0, 1.5, 2.0", "2.0, 1.0"));
  expect_folds(conv + "const %k = float32[2,1,1](2.0, 0.5) %y = Add(%t, %k) output %y",
               folded("1.0, 2.0, 3.0, 4.0", "3.0, 2.5"));
  expect_folds(conv + "const %k = float32[](2.0) %y = Sub(%k, %t) output %y",
               folded("-1.0, -2.0, -3.0, -4.0", "1.0, 0.0"));
  expect_folds(conv + "const %k = float32[1,1,1](4.0) %y = Div(%t, %k) output %y",
               folded("0.25, 0.5, 0.75, 1.0", "0.25, 0.5"));
}

TEST(FoldBatchNorm, StaysWhereItIsNotTheSame) {
  const std::string conv = kConv + "%t = Conv(%x, %w) \"f\"\n";
  const std::string norm = "%y = BatchNormalization(%t, %g, %b, %m, %v) output %y";
  const std::string cases[] = {
      conv + kNorm + norm + " output %t",                                        // another reader
      conv + "const %k = float32[3](1.0, 2.0, 3.0) %y = Mul(%t, %k) output %y",  // by column
      conv + "const %k = float32[1,1,1,1,1](3.0) %y = Mul(%t, %k) output %y",    // another rank
      conv + "const %k = float32[2,1,1](0.0, 1.0) %y = Div(%t, %k) output %y",   // infinite
      conv + "const %k = float32[](nan) %y = Add(%t, %k) output %y",
      conv + "const %k = float32[](2.0) %y = Div(%k, %t) output %y",   // not affine
      conv + "const %k = float32[](3e38) %y = Mul(%t, %k) output %y",  // overflows
      "input %w: float32[2,2,1,1] input %x: float32[1,2,3,3] " + kNorm + "%t = Conv(%x, %w)\n" + norm,
      conv + "%y = Mul(%t, %t) output %y",
  };
  for (const std::string& text : cases) expect_unchanged(fold_batch_norm, text);
}

TEST(FoldBatchNorm, GroupedConvAndConvTranspose) {
  expect_folds(
      "input %x: float32[1,4,2,2] const %w = float32[4,2,1,1](1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)\n"
      "const %k = float32[4,1,1](1.0, 2.0, 3.0, 4.0)\n"
      "%t = Conv(%x, %w) {group=2} \"f\" %y = Mul(%t, %k) output %y",
      "input %x: float32[1,4,2,2] const %w_0 = float32[4,2,1,1](1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0)\n"
      "%f = Conv(%x, %w_0) {group=2} \"f\" output %f as \"y\"");
  // Weights are [inputs, outputs / groups]: inputs 0 and 1 make outputs 0 and 1, inputs 2 and 3 make outputs 2 and 3.
  expect_folds(
      "input %x: float32[1,4,2,2] const %w = float32[4,2,1,1](1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)\n"
      "const %k = float32[4,1,1](1.0, 2.0, 3.0, 4.0)\n"
      "%t = ConvTranspose(%x, %w) {group=2} \"f\" %y = Mul(%t, %k) output %y",
      "input %x: float32[1,4,2,2] const %w_0 = float32[4,2,1,1](1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0)\n"
      "%f = ConvTranspose(%x, %w_0) {group=2} \"f\" output %f as \"y\"");
  expect_folds(
      "input %x: float32[1,4,2,2] const %w = float32[4,2,1,1](1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)\n"
      "const %k = float32[4,1,1](1.0, 2.0, 3.0, 4.0)\n"
      "%t = Mul(%x, %k) %y = Conv(%t, %w) {group=2, pads=[1,1,1,1]} \"f\" output %y",
      "input %x: float32[1,4,2,2] const %w_0 = float32[4,2,1,1](1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0)\n"
      "%f = Conv(%x, %w_0) {group=2, pads=[1,1,1,1]} \"f\" output %f as \"y\"");
}

TEST(FoldBatchNorm, AShiftInFrontOfConvNeedsABorderWithoutZeros) {
  const std::string shift = "const %k = float32[1,2,1,1](1.0, 10.0) %t = Add(%x, %k)\n";
  expect_folds(kConv + shift + "%y = Conv(%t, %w, %c) \"f\" output %y",
               "symbol N = dim 0 of %x input %x: float32[N,2,3,3] const %w_0 = float32[2,2,1,1](1.0, 2.0, 3.0, 4.0)\n"
               "const %c_1 = float32[2](22.0, 45.0) %f = Conv(%x, %w_0, %c_1) \"f\" output %f as \"y\"");
  expect_unchanged(fold_batch_norm, kConv + shift + "%y = Conv(%t, %w, %c) {pads=[1,1,1,1]} output %y");
  expect_unchanged(fold_batch_norm, kConv + shift + "%y = Conv(%t, %w, %c) {auto_pad=\"SAME_UPPER\"} output %y");
  expect_unchanged(fold_batch_norm, kConv + shift + "%y = ConvTranspose(%t, %w, %c) output %y");
}

TEST(FoldBatchNorm, GemmWithAlphaBetaAndTransposedWeights) {
  const std::string head = "symbol N = dim 0 of %x input %x: float32[N,3]\n";
  const std::string text = head +
                           "const %w = float32[2,3](1.0, 2.0, 3.0, 4.0, 5.0, 6.0) const %c = float32[1,2](1.0, 2.0)\n"
                           "const %k = float32[2](2.0, 10.0)\n"
                           "%t = Gemm(%x, %w, %c) {alpha=0.5, beta=3.0, transB=1} \"f\"\n";
  expect_folds(text + "%y = Mul(%t, %k) output %y",
               head +
                   "const %w_0 = float32[2,3](2.0, 4.0, 6.0, 40.0, 50.0, 60.0) const %c_1 = float32[2](6.0, 60.0)\n"
                   "%f = Gemm(%x, %w_0, %c_1) {alpha=0.5, transB=1} \"f\" output %f as \"y\"");
  expect_folds(head +
                   "const %w = float32[3,1](1.0, 2.0, 3.0) const %s = float32[1,3](1.0, 10.0, 100.0)\n"
                   "%t = Add(%x, %s) %y = Gemm(%t, %w) {alpha=2.0} \"f\" output %y",
               head +
                   "const %w_0 = float32[3,1](1.0, 2.0, 3.0) const %w_bias = float32[1](642.0)\n"
                   "%f = Gemm(%x, %w_0, %w_bias) {alpha=2.0} \"f\" output %f as \"y\"");
  expect_unchanged(fold_batch_norm,
                   head +
                       "const %w = float32[3,2](1.0, 2.0, 3.0, 4.0, 5.0, 6.0) input %c: float32[2]\n"
                       "const %k = float32[2](2.0, 10.0) %t = Gemm(%x, %w, %c) %y = Mul(%t, %k) output %y");
}

TEST(FoldBatchNorm, MatMulBecomesGemmWhereItHasTwoAxes) {
  const std::string weights =
      "const %w = float32[3,2](1.0, 2.0, 3.0, 4.0, 5.0, 6.0) const %k = float32[2](2.0, 10.0)\n";
  const std::string matrix = "symbol N = dim 0 of %x input %x: float32[N,3]\n";
  expect_folds(matrix + weights + "%t = MatMul(%x, %w) \"f\" %y = Add(%t, %k) output %y",
               matrix +
                   "const %w_0 = float32[3,2](1.0, 2.0, 3.0, 4.0, 5.0, 6.0) const %w_bias = float32[2](2.0, 10.0)\n"
                   "%f = Gemm(%x, %w_0, %w_bias) \"f\" output %f as \"y\"");
  const std::string batch = "symbol N = dim 0 of %x input %x: float32[N,7,3]\n";
  expect_unchanged(fold_batch_norm, batch + weights + "%t = MatMul(%x, %w) %y = Add(%t, %k) output %y");
  expect_folds(batch + weights + "%t = MatMul(%x, %w) \"f\" %y = Mul(%t, %k) output %y",
               batch +
                   "const %w_0 = float32[3,2](2.0, 20.0, 6.0, 40.0, 10.0, 60.0)\n"
                   "%f = MatMul(%x, %w_0) \"f\" output %f as \"y\"");
}

TEST(FoldBatchNorm, HalvesAreRoundedOnce) {
  // 1.0009765625 * 1.0009765625 = 1.00195407...: 1 + 2^-9 + 2^-20. Half a step above 1 + 2^-9 would round to even; the
  // exact product times 1 rounds down.
  expect_folds(
      "input %x: float16[1,1,1,1] const %w = float16[1,1,1,1](1.0009765625) const %k = float16[](1.0009765625)\n"
      "%t = Conv(%x, %w) \"f\" %y = Mul(%t, %k) output %y",
      "input %x: float16[1,1,1,1] const %w_0 = float16[1,1,1,1](1.001953125)\n"
      "%f = Conv(%x, %w_0) \"f\" output %f as \"y\"");
  expect_unchanged(fold_batch_norm,
                   "input %x: float16[1,1,1,1] const %w = float16[1,1,1,1](300.0)\n"
                   "const %k = float16[](300.0) %t = Conv(%x, %w) %y = Mul(%t, %k) output %y");
}

TEST(FoldBatchNorm, TheBudgetHoldsForWeightsToo) {
  PassContext context;
  context.memory_budget_bytes = 8;
  expect_unchanged(fold_batch_norm, kConv + "const %k = float32[](2.0) %t = Conv(%x, %w) %y = Mul(%t, %k) output %y",
                   std::move(context));
}

}  // namespace
}  // namespace hone
