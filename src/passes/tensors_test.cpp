#include "passes/tensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace hone {
namespace {

float rounded_to_half(double value) {
  const Result<Tensor> tensor = from_doubles(DataType::kFloat16, {1}, std::span(&value, 1));
  return tensor->values<Half>()[0];
}

// The nearest of the two halves around a value, found without rounding through float.
TEST(FromDoubles, HalvesAreTheNearest) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 20000; ++i) {
    const auto bits = static_cast<uint16_t>(random() % 0x7bff);
    const double low = static_cast<float>(Half::from_bits(bits)), high = static_cast<float>(Half::from_bits(bits + 1));
    const double middle = (low + high) / 2, step = (high - low) * 1e-10;
    EXPECT_EQ(rounded_to_half(middle + step), high);
    EXPECT_EQ(rounded_to_half(middle - step), low);
    EXPECT_EQ(rounded_to_half(-middle - step), -high);
    EXPECT_EQ(rounded_to_half(middle), bits % 2 == 0 ? low : high);
  }
  EXPECT_TRUE(std::isinf(rounded_to_half(65520)));
  EXPECT_TRUE(std::isnan(rounded_to_half(std::nan(""))));
}

TEST(AllFinite, CountsTheRounding) {
  const double large[] = {65504, -70000};
  EXPECT_FALSE(all_finite(DataType::kFloat16, large));
  EXPECT_TRUE(all_finite(DataType::kFloat32, large));
  const double infinite[] = {HUGE_VAL};
  EXPECT_FALSE(all_finite(DataType::kFloat64, infinite));
}

}  // namespace
}  // namespace hone
