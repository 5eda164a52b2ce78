#include "passes/pass_testing.h"

namespace hone {
namespace {

const std::string kHead = "symbol N = dim 0 of %x input %x: float32[N,8]\n";

TEST(RecogniseActivations, SiLU) {
  for (const char* operands : {"%x, %s", "%s, %x"}) {
    const std::string order = operands == std::string("%x, %s") ? "$0, $1" : "$1, $0";
    expect_pass(recognise_activations, kHead + "%s = Sigmoid(%x) %y = Mul(" + operands + ") \"act\" output %y",
                kHead + "%act = SiLU(%x) \"act\" body { $1 = Sigmoid($0) $2 = Mul(" + order +
                    ") return $2 }\n"
                    "output %act as \"y\"");
  }
}

TEST(RecogniseActivations, TheGateMayHaveNoOtherReader) {
  expect_unchanged(recognise_activations, kHead + "%s = Sigmoid(%x) %y = Mul(%x, %s) output %y output %s");
  expect_unchanged(recognise_activations, kHead + "%s = Sigmoid(%x) %y = Mul(%x, %s) %z = Add(%y, %s) output %z");
  expect_unchanged(recognise_activations, kHead + "%r = Relu(%x) %s = Sigmoid(%r) %y = Mul(%x, %s) output %y");
}

TEST(RecogniseActivations, HardSwishByHardSigmoid) {
  expect_pass(recognise_activations,
              kHead + "%s = HardSigmoid(%x) {alpha=0.16666667, beta=0.5} %y = Mul(%x, %s) output %y",
              kHead +
                  "%HardSwish = HardSwish(%x) body { $1 = HardSigmoid($0) {alpha=0.16666667, beta=0.5}\n"
                  "$2 = Mul($0, $1) return $2 } output %HardSwish as \"y\"");
  expect_unchanged(recognise_activations, kHead + "%s = HardSigmoid(%x) %y = Mul(%x, %s) output %y");  // slope 0.2
}

TEST(RecogniseActivations, HardSwishByClipInAnyOrder) {
  const std::string constants =
      "const %three = float32[](3.0) const %zero = float32[](0.0) const %six = float32[](6.0)\n"
      "const %sixth = float32[](0.16666667)\n";
  for (const char* pattern : {
           "%a = Add(%x, %three) %c = Clip(%a, %zero, %six) %m = Mul(%x, %c) %y = Div(%m, %six)",
           "%a = Add(%three, %x) %c = Clip(%a, %zero, %six) %m = Mul(%c, %x) %y = Mul(%sixth, %m)",
           "%a = Add(%x, %three) %c = Clip(%a, %zero, %six) %m = Div(%c, %six) %y = Mul(%x, %m)",
           "%a = Add(%x, %three) %c = Clip(%a, %zero, %six) %m = Mul(%c, %sixth) %y = Mul(%m, %x)",
       }) {
    const std::string after = after_pass(recognise_activations, kHead + constants + pattern + "output %y");
    EXPECT_NE(after.find("%HardSwish = HardSwish(%x) body {"), std::string::npos) << after;
    EXPECT_EQ(after.find("%a"), std::string::npos) << after;
    EXPECT_EQ(after.find("const %three"), std::string::npos) << "constants go into the body\n" << after;
  }
  for (const char* pattern : {
           "%a = Add(%x, %six) %c = Clip(%a, %zero, %six) %m = Mul(%x, %c) %y = Div(%m, %six)",
           "%a = Add(%x, %three) %c = Clip(%a, %three, %six) %m = Mul(%x, %c) %y = Div(%m, %six)",
           "%a = Add(%x, %three) %c = Clip(%a, %zero, %six) %m = Mul(%x, %c) %y = Div(%six, %m)",
           "%a = Add(%x, %three) %c = Clip(%a, %zero) %m = Mul(%x, %c) %y = Div(%m, %six)",
       }) {
    const std::string after = after_pass(recognise_activations, kHead + constants + pattern + "output %y");
    EXPECT_EQ(after.find("HardSwish"), std::string::npos) << after;
  }
}

TEST(RecogniseActivations, AConstantThatBroadcastsIsNoPattern) {
  const std::string text = kHead +
                           "const %three = float32[1,1,1](3.0) const %zero = float32[](0.0)\n"
                           "const %six = float32[](6.0) %a = Add(%x, %three) %c = Clip(%a, %zero, %six)\n"
                           "%m = Mul(%x, %c) %y = Div(%m, %six) output %y";
  EXPECT_EQ(after_pass(recognise_activations, text).find("HardSwish"), std::string::npos);
}

TEST(RecogniseActivations, StopsAtTheLimit) {
  PassContext context;
  context.max_rewrites = 1;
  const std::string after = after_pass(
      recognise_activations, kHead + "%s = Sigmoid(%x) %y = Mul(%x, %s) %t = Sigmoid(%y) %z = Mul(%y, %t) output %z",
      std::move(context));
  EXPECT_NE(after.find("SiLU(%x)"), std::string::npos);
  EXPECT_EQ(after.find("SiLU(%y"), std::string::npos);
  EXPECT_NE(after.find("%z = Mul("), std::string::npos);
}

}  // namespace
}  // namespace hone
