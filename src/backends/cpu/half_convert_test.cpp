#include "backends/cpu/half_convert.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

namespace hone::cpu {
namespace {

bool same(float a, float b) {
  return std::isnan(a) ? std::isnan(b) : std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

template <class T>
void check_widen() {
  std::vector<T> x(1 << 16);
  for (uint32_t i = 0; i < x.size(); ++i) x[i] = T::from_bits(static_cast<uint16_t>(i));
  std::vector<float> y(x.size());
  widen(x.data(), y.data(), static_cast<int64_t>(x.size()));
  for (size_t i = 0; i < x.size(); ++i) ASSERT_TRUE(same(y[i], static_cast<float>(x[i]))) << i;
}

template <class T>
void check_narrow() {
  // A stride that meets ties: their lower bits are a one and zeros, which a multiple of 2^12 has.
  std::vector<float> x;
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 4096) {
    for (const uint32_t near : {0u, 1u, 0xfffu}) x.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits) + near));
  }
  std::vector<T> y(x.size());
  narrow(x.data(), y.data(), static_cast<int64_t>(x.size()));
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_TRUE(same(static_cast<float>(y[i]), static_cast<float>(T(x[i]))))
        << std::bit_cast<uint32_t>(x[i]) << " gives " << y[i].bits << ", not " << T(x[i]).bits;
  }
}

TEST(HalfConvert, WidensHalf) { check_widen<Half>(); }
TEST(HalfConvert, WidensBFloat16) { check_widen<BFloat16>(); }
TEST(HalfConvert, NarrowsHalf) { check_narrow<Half>(); }
TEST(HalfConvert, NarrowsBFloat16) { check_narrow<BFloat16>(); }

}  // namespace
}  // namespace hone::cpu
