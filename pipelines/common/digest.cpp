#include "pipelines/common/digest.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace hone {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr size_t kDigestBytes = 32;
constexpr int kRounds = 12;
constexpr std::array<uint64_t, 8> kStart = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};
constexpr uint8_t kOrder[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

using Words = std::array<uint64_t, 16>;

void mix(Words& v, size_t a, size_t b, size_t c, size_t d, uint64_t x, uint64_t y) {
  v[a] += v[b] + x;
  v[d] = std::rotr(v[d] ^ v[a], 32);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 24);
  v[a] += v[b] + y;
  v[d] = std::rotr(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 63);
}

}  // namespace

Digest::Digest() : state_(kStart) { state_[0] ^= 0x01010000 ^ kDigestBytes; }

void Digest::compress(bool last) {
  Words message, v;
  std::memcpy(message.data(), block_.data(), sizeof message);
  std::copy(state_.begin(), state_.end(), v.begin());
  std::copy(kStart.begin(), kStart.end(), v.begin() + 8);
  v[12] ^= total_bytes_;
  if (last) v[14] = ~v[14];
  for (int round = 0; round < kRounds; ++round) {
    const uint8_t* s = kOrder[round % 10];
    for (size_t i = 0; i < 4; ++i) mix(v, i, i + 4, i + 8, i + 12, message[s[2 * i]], message[s[2 * i + 1]]);
    for (size_t i = 0; i < 4; ++i) {
      mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, message[s[8 + 2 * i]], message[s[9 + 2 * i]]);
    }
  }
  for (size_t i = 0; i < 8; ++i) state_[i] ^= v[i] ^ v[i + 8];
}

void Digest::update(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    // The last block is compressed in another way, so a full one waits until more comes.
    if (filled_ == block_.size()) {
      compress(false);
      filled_ = 0;
    }
    const size_t count = std::min(bytes.size(), block_.size() - filled_);
    std::memcpy(block_.data() + filled_, bytes.data(), count);
    filled_ += count;
    total_bytes_ += count;
    bytes = bytes.subspan(count);
  }
}

void Digest::update(std::string_view text) {
  const uint64_t length = text.size();
  update(std::as_bytes(std::span(&length, 1)));
  update(std::as_bytes(std::span(text)));
}

std::string Digest::finish() {
  std::fill(block_.begin() + static_cast<ptrdiff_t>(filled_), block_.end(), std::byte{0});
  compress(true);
  std::string text;
  for (size_t i = 0; i < kDigestBytes; ++i) {
    const auto byte = static_cast<uint8_t>(state_[i / 8] >> (8 * (i % 8)));
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace hone
