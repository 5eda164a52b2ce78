#include "base/hash.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace hone {

namespace {

constexpr uint64_t kOdd1 = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
constexpr uint64_t kOdd2 = 0xd6e8feb86659fd93;

uint64_t load_word(const std::byte* data, size_t size) {
  uint64_t word = 0;
  std::memcpy(&word, data, size);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

uint64_t take_in(uint64_t lane, uint64_t word) { return std::rotl(lane + word * kOdd1, 29) * kOdd2; }

uint64_t scramble(uint64_t x) {
  x ^= x >> 32;
  x *= kOdd2;
  x ^= x >> 29;
  x *= kOdd1;
  return x ^ (x >> 32);
}

}  // namespace

uint64_t hash64(std::span<const std::byte> bytes, uint64_t seed) {
  uint64_t lanes[4] = {seed + kOdd1, seed ^ kOdd2, seed - kOdd1, ~seed};
  const std::byte* data = bytes.data();
  const size_t words = bytes.size() / 8, rest = bytes.size() % 8;
  size_t i = 0;
  for (; i + 4 <= words; i += 4) {
    for (size_t lane = 0; lane < 4; ++lane) lanes[lane] = take_in(lanes[lane], load_word(data + (i + lane) * 8, 8));
  }
  for (; i < words; ++i) lanes[i % 4] = take_in(lanes[i % 4], load_word(data + i * 8, 8));
  if (rest != 0) lanes[words % 4] = take_in(lanes[words % 4], load_word(data + words * 8, rest));
  uint64_t hash = static_cast<uint64_t>(bytes.size()) * kOdd1 + seed;
  for (const uint64_t lane : lanes) hash = scramble(hash ^ scramble(lane)) + kOdd1;
  return hash;
}

}  // namespace hone
