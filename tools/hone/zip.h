// ZIP archives in memory, as far as NumPy's .npz needs them: stored and deflated entries, zip64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hone/status.h"

namespace hone::cli {

struct ZipEntry {
  std::string name;
  uint64_t bytes = 0;  // once unpacked
  uint64_t packed_bytes = 0, offset = 0;
  uint32_t crc = 0;
  uint16_t method = 0;
};

// The archive's table of contents. Errors (kInvalidArgument): not an archive, damaged, encrypted, more than one disk.
Result<std::vector<ZipEntry>> list_zip(std::span<const std::byte> archive);

// One entry's contents, checked against its CRC. An entry that claims to unpack to more than deflate can make of its
// bytes is refused before memory is taken.
Result<std::vector<std::byte>> read_zip_entry(std::span<const std::byte> archive, const ZipEntry& entry);

struct ZipFile {
  std::string name;
  std::vector<std::byte> bytes;
};
// Times are left at zero, so that equal contents give equal archives.
Result<std::vector<std::byte>> write_zip(std::span<const ZipFile> files, bool deflated);

}  // namespace hone::cli
