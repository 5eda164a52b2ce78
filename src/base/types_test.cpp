#include "hone/types.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace hone {
namespace {

// What the bits mean, by the standard's definition: sign, exponent, fraction.
double meaning(uint32_t bits, int exponent_bits, int fraction_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1, top = (1 << exponent_bits) - 1;
  const int exponent = static_cast<int>(bits >> fraction_bits) & top;
  const double fraction = std::ldexp(bits & ((1u << fraction_bits) - 1), -fraction_bits);
  const double sign = (bits >> (exponent_bits + fraction_bits) & 1) != 0 ? -1 : 1;
  if (exponent == top) return fraction == 0 ? sign * INFINITY : NAN;
  return sign * (exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias));
}

double half_meaning(uint32_t bits) { return meaning(bits, 5, 10); }
double bfloat16_meaning(uint32_t bits) { return meaning(bits, 8, 7); }

bool same(double a, double b) { return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b); }

template <class T>
void check_every_value(double (*meaning_of)(uint32_t)) {
  for (uint32_t bits = 0; bits < 1u << 16; ++bits) {
    const float value = static_cast<float>(T::from_bits(static_cast<uint16_t>(bits)));
    ASSERT_TRUE(same(value, meaning_of(bits))) << bits;
    if (!std::isnan(value)) {
      ASSERT_EQ(T(value).bits, bits);
    }
  }
}

// Between neighbours of the narrow type: just below, at and just above the middle, where the even one wins.
TEST(Half, RoundsToNearestEven) {
  constexpr uint32_t kInfinity = 0x7c00;
  for (uint32_t bits = 0; bits < kInfinity; ++bits) {
    const double low = half_meaning(bits);
    // Beyond the largest number rounding acts as if the next exponent existed.
    const double high = bits + 1 < kInfinity ? half_meaning(bits + 1) : 2 * low - half_meaning(bits - 1);
    const float middle = static_cast<float>((low + high) / 2);
    const uint32_t even = bits % 2 == 0 ? bits : bits + 1;
    ASSERT_EQ(Half(middle).bits, even);
    ASSERT_EQ(Half(std::nextafter(middle, 0.f)).bits, bits);
    ASSERT_EQ(Half(std::nextafter(middle, std::numeric_limits<float>::infinity())).bits, bits + 1);
    ASSERT_EQ(Half(-middle).bits, 0x8000u | even);
  }
  ASSERT_EQ(Half(std::numeric_limits<float>::max()).bits, kInfinity);
  ASSERT_EQ(Half(std::numeric_limits<float>::denorm_min()).bits, 0u);
  ASSERT_TRUE(std::isnan(static_cast<float>(Half(std::bit_cast<float>(0x7f800001u)))));
}

TEST(Half, MeansWhatTheStandardSays) { check_every_value<Half>(half_meaning); }
TEST(BFloat16, MeansWhatTheStandardSays) { check_every_value<BFloat16>(bfloat16_meaning); }

TEST(BFloat16, RoundsToNearestEven) {
  for (uint32_t bits = 0; bits < 0x7f80; ++bits) {
    const auto at = [&](uint32_t low) { return BFloat16(std::bit_cast<float>(bits << 16 | low)).bits; };
    ASSERT_EQ(at(0x7fff), bits);
    ASSERT_EQ(at(0x8000), bits % 2 == 0 ? bits : bits + 1);
    ASSERT_EQ(at(0x8001), bits + 1);
  }
  ASSERT_TRUE(std::isnan(static_cast<float>(BFloat16(std::bit_cast<float>(0x7f800001u)))));
}

}  // namespace
}  // namespace hone
