#include "passes/pass_testing.h"

namespace hone {
namespace {

const std::string kConv =
    "symbol N = dim 0 of %x input %x: float32[N,1,5,5] const %w = float32[1,1,2,2](1.0, 2.0, 3.0, 4.0)\n";
const std::string kPool = "symbol N = dim 0 of %x input %x: float32[N,1,5,5]\n";

TEST(FoldPadding, IntoConv) {
  const std::string pads = "const %p = int64[8](0, 0, 1, 0, 0, 0, 2, 3)\n";
  expect_pass(fold_padding, kConv + pads + "%m = Pad(%x, %p) %y = Conv(%m, %w) {pads=[1,1,1,1]} \"c\" output %y",
              kConv + "%c = Conv(%x, %w) {pads=[2,1,3,4]} \"c\" output %c as \"y\"");
  expect_pass(fold_padding, kConv + pads + "%m = Pad(%x, %p) %y = Conv(%m, %w) {auto_pad=\"VALID\"} \"c\" output %y",
              kConv + "%c = Conv(%x, %w) {pads=[1,0,2,3]} \"c\" output %c as \"y\"");
}

TEST(FoldPadding, WithAxesAndAValue) {
  expect_pass(fold_padding,
              kConv +
                  "const %p = int64[2](1, 2) const %v = float32[](0.0) const %a = int64[1](-1)\n"
                  "%m = Pad(%x, %p, %v, %a) %y = Conv(%m, %w) \"c\" output %y",
              kConv + "%c = Conv(%x, %w) {pads=[0,1,0,2]} \"c\" output %c as \"y\"");
}

TEST(FoldPadding, OtherReadersKeepThePad) {
  const std::string after =
      after_pass(fold_padding, kConv +
                                   "const %p = int64[8](0, 0, 1, 1, 0, 0, 1, 1)\n"
                                   "%m = Pad(%x, %p) %y = Conv(%m, %w) \"c\" output %y output %m");
  EXPECT_NE(after.find("%c = Conv(%x, %w) {pads=[1,1,1,1]}"), std::string::npos) << after;
  EXPECT_NE(after.find("%m = Pad("), std::string::npos) << after;
}

TEST(FoldPadding, StaysWhereItIsNotTheSame) {
  const std::string zeros = "const %p = int64[8](0, 0, 1, 1, 0, 0, 1, 1)\n";
  const std::string cases[] = {
      kConv + zeros + "const %v = float32[](1.0) %m = Pad(%x, %p, %v) %y = Conv(%m, %w)",
      kConv + zeros + "%m = Pad(%x, %p) {mode=\"edge\"} %y = Conv(%m, %w)",
      kConv + zeros + "%m = Pad(%x, %p) %y = Conv(%m, %w) {auto_pad=\"SAME_UPPER\"}",
      kConv + "const %p = int64[8](0, 0, -1, 1, 0, 0, 1, 1) %m = Pad(%x, %p) %y = Conv(%m, %w)",
      kConv + "const %p = int64[8](1, 0, 0, 0, 0, 0, 0, 0) %m = Pad(%x, %p) %y = Conv(%m, %w)",
      kConv + "input %v: float32[] " + zeros + "%m = Pad(%x, %p, %v) %y = Conv(%m, %w)",
      kPool + zeros + "%m = Pad(%x, %p) %y = MaxPool(%m) {kernel_shape=[2,2]}",
      kPool + zeros + "%m = Pad(%x, %p) %y = AveragePool(%m) {kernel_shape=[2,2], pads=[1,1,1,1]}",
      kPool + zeros + "%m = Pad(%x, %p) %y = AveragePool(%m) {kernel_shape=[2,2], ceil_mode=1}",
      kPool + zeros + "%m = Pad(%x, %p) %y = AveragePool(%m) {kernel_shape=[1,1]}",
  };
  for (const std::string& text : cases) expect_unchanged(fold_padding, text + " output %y");
}

TEST(FoldPadding, IntoPools) {
  const std::string zeros = "const %p = int64[8](0, 0, 1, 1, 0, 0, 1, 1)\n";
  expect_pass(
      fold_padding, kPool + zeros + "%m = Pad(%x, %p) %y = AveragePool(%m) {kernel_shape=[3,3]} \"a\" output %y",
      kPool +
          "%a = AveragePool(%x) {kernel_shape=[3,3], pads=[1,1,1,1], count_include_pad=1} \"a\" output %a as \"y\"");
  expect_pass(
      fold_padding,
      kPool + zeros +
          "%m = Pad(%x, %p) %y = AveragePool(%m) {kernel_shape=[3,3], pads=[1,0,1,0], count_include_pad=1} "
          "\"a\" output %y",
      kPool +
          "%a = AveragePool(%x) {kernel_shape=[3,3], pads=[2,1,2,1], count_include_pad=1} \"a\" output %a as \"y\"");
  const std::string lowest = zeros + "const %v = float32[](-inf) %m = Pad(%x, %p, %v)";
  expect_pass(fold_padding, kPool + lowest + "%y = MaxPool(%m) {kernel_shape=[3,3]} \"a\" output %y",
              kPool + "%a = MaxPool(%x) {kernel_shape=[3,3], pads=[1,1,1,1]} \"a\" output %a as \"y\"");
  expect_unchanged(fold_padding, kPool + lowest + "%y, %i = MaxPool(%m) {kernel_shape=[3,3]} output %y output %i");
}

}  // namespace
}  // namespace hone
