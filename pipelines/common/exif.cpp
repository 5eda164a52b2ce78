#include "pipelines/common/exif.h"

#include <cstdint>

namespace hone {
namespace {

constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kTypeShort = 3, kTypeLong = 4;
constexpr size_t kEntryBytes = 12;

// Reads numbers of either byte order; past the end they are 0.
class TiffReader {
 public:
  TiffReader(std::span<const std::byte> bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  uint32_t u16(size_t at) const { return number(at, 2); }
  uint32_t u32(size_t at) const { return number(at, 4); }

 private:
  uint32_t number(size_t at, size_t size) const {
    if (at > bytes_.size() || bytes_.size() - at < size) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      value = value << 8 | std::to_integer<uint32_t>(bytes_[at + (big_endian_ ? i : size - 1 - i)]);
    }
    return value;
  }

  std::span<const std::byte> bytes_;
  bool big_endian_;
};

}  // namespace

int exif_orientation(std::span<const std::byte> tiff) {
  if (tiff.size() < 8) return kUpright;
  const bool big_endian = tiff[0] == std::byte{'M'};
  const TiffReader reader(tiff, big_endian);
  const uint32_t byte_order = big_endian ? 0x4D4D : 0x4949;
  if (reader.u16(0) != byte_order || reader.u16(2) != 42) return kUpright;
  const size_t directory = reader.u32(4);
  const uint32_t entries = reader.u16(directory);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + i * kEntryBytes;
    if (reader.u16(entry) != kOrientationTag) continue;
    const uint32_t type = reader.u16(entry + 2);
    if (type != kTypeShort && type != kTypeLong) return kUpright;
    const uint32_t value = type == kTypeShort ? reader.u16(entry + 8) : reader.u32(entry + 8);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : kUpright;
  }
  return kUpright;
}

}  // namespace hone
