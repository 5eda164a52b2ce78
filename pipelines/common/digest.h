// BLAKE2b (RFC 7693) with 32 bytes of result: a name for contents that nobody can forge.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hone {

class Digest {
 public:
  Digest();
  void update(std::span<const std::byte> bytes);
  // With the length first, so that ("ab", "c") and ("a", "bc") differ.
  void update(std::string_view text);
  // 64 hexadecimal digits. Once, at the end.
  std::string finish();

 private:
  void compress(bool last);

  std::array<uint64_t, 8> state_;
  std::array<std::byte, 128> block_{};
  size_t filled_ = 0;
  uint64_t total_bytes_ = 0;
};

}  // namespace hone
