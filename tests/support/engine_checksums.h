// Makes a changed engine file pass its checksums, as an attacker would.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/hash.h"

namespace hone::test {

// Recomputes every checksum of a file in format version 1 whose sections still lie inside it. Leaves others alone.
inline void repair_checksums(std::vector<std::byte>& file) {
  constexpr size_t kHeader = 64, kEntry = 32;
  if (file.size() < kHeader) return;
  const auto put = [&](size_t offset, uint64_t value) { std::memcpy(file.data() + offset, &value, sizeof(value)); };
  const auto get = [&](size_t offset) {
    uint64_t value = 0;
    std::memcpy(&value, file.data() + offset, sizeof(value));
    return value;
  };
  const std::span<const std::byte> bytes(file);
  const size_t sections = get(8) >> 32;
  if (sections <= (file.size() - kHeader) / kEntry) {
    for (size_t i = 0; i < sections; ++i) {
      const size_t entry = kHeader + i * kEntry;
      const uint64_t offset = get(entry + 8), size = get(entry + 16);
      if (offset <= file.size() && size <= file.size() - offset) put(entry + 24, hash64(bytes.subspan(offset, size)));
    }
    put(24, hash64(bytes.subspan(kHeader, sections * kEntry)));
  }
  put(56, hash64(bytes.first(56)));
}

}  // namespace hone::test
