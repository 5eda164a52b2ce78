#include "passes/pass_testing.h"

namespace hone {
namespace {

TEST(RemoveDeadCode, KeepsWhatOutputsNeed) {
  expect_pass(remove_dead_code,
              "input %x: float32[2] input %unused: float32[1] const %c = float32[](1.0) const %d = float32[](2.0)\n"
              "%a = Add(%x, %c) %b = Mul(%a, %d) %e = Relu(%b) output %a",
              "input %x: float32[2] input %unused: float32[1] const %c = float32[](1.0) %a = Add(%x, %c) output %a");
}

TEST(RemoveDeadCode, AnOutputOfSeveralKeepsTheNode) {
  expect_unchanged(remove_dead_code, "input %x: float32[2] %y, %m = Dropout(%x) output %m");
}

}  // namespace
}  // namespace hone
