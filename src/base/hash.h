// A 64-bit hash for finding damage and for keys. No cryptographic claim: an attacker can make collisions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hone {

// Four independent lanes take in 8-byte little-endian words by lane = rotl(lane + word * kOdd1, 29) * kOdd2; the last,
// partial word is padded with zeros, and the length is mixed in at the end. Each step is a bijection of the lane and
// of the word, and so is the final mixing of each lane: two inputs of equal length that differ in one word only never
// collide. docs/engine-file.md has the same in words; files depend on it.
uint64_t hash64(std::span<const std::byte> bytes, uint64_t seed = 0);
inline uint64_t hash64(std::string_view text, uint64_t seed = 0) {
  return hash64(std::as_bytes(std::span(text)), seed);
}

}  // namespace hone
