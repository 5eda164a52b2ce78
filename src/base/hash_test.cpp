#include "base/hash.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

namespace hone {
namespace {

std::vector<std::byte> random_bytes(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

TEST(Hash, KnownValuesStayAsFilesDependOnThem) {
  EXPECT_EQ(hash64(std::string_view()), 4588442738862128319U);
  EXPECT_EQ(hash64("hone"), 1936193908864875643U);
  EXPECT_EQ(hash64("the quick brown fox jumps over the lazy dog"), 5396912474860349059U);
  EXPECT_EQ(hash64("hone", 7), 5774434570770599090U);
}

TEST(Hash, EverySingleByteChangeIsSeen) {
  for (const size_t size : {1, 7, 8, 9, 31, 32, 33, 100}) {
    std::vector<std::byte> bytes = random_bytes(size, static_cast<uint32_t>(size));
    const uint64_t original = hash64(bytes);
    for (std::byte& byte : bytes) {
      for (int flip = 1; flip < 256; ++flip) {
        byte ^= static_cast<std::byte>(flip);
        ASSERT_NE(hash64(bytes), original);
        byte ^= static_cast<std::byte>(flip);
      }
    }
  }
}

TEST(Hash, LengthAndSeedCount) {
  const std::vector<std::byte> zeros(200);
  std::set<uint64_t> seen;
  for (size_t size = 0; size <= zeros.size(); ++size) {
    for (uint64_t seed = 0; seed < 4; ++seed) seen.insert(hash64(std::span(zeros).first(size), seed));
  }
  EXPECT_EQ(seen.size(), 201U * 4);
}

TEST(Hash, BitsFlipAboutHalfOfTheResult) {
  std::vector<std::byte> bytes = random_bytes(64, 5);
  const uint64_t original = hash64(bytes);
  int64_t changed = 0;
  for (size_t bit = 0; bit < 512; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    changed += __builtin_popcountll(hash64(bytes) ^ original);
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
  EXPECT_NEAR(static_cast<double>(changed) / 512, 32.0, 1.5);
}

}  // namespace
}  // namespace hone
