#include "tools/hone/zip.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace hone::cli {

namespace {

constexpr uint32_t kLocalMagic = 0x04034b50, kCentralMagic = 0x02014b50, kEndMagic = 0x06054b50;
constexpr uint32_t kEnd64Magic = 0x06064b50, kLocator64Magic = 0x07064b50;
constexpr uint16_t kStored = 0, kDeflated = 8, kZip64Extra = 1, kZip64Version = 45;
constexpr uint64_t kFull32 = 0xffffffff, kFull16 = 0xffff;
constexpr size_t kEndBytes = 22, kLocatorBytes = 20, kEnd64Bytes = 56, kCentralBytes = 46, kLocalBytes = 30;
constexpr uint64_t kMaxDeflateRatio = 1032;

Status damaged(std::string_view what) { return invalid_argument("the archive is damaged: " + std::string(what)); }

template <class T>
T load(std::span<const std::byte> bytes, size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

template <class T>
void append(std::vector<std::byte>& out, T value) {
  const auto raw = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), raw.begin(), raw.end());
}

struct Directory {
  uint64_t entries = 0, bytes = 0, offset = 0;
};

Result<Directory> find_directory(std::span<const std::byte> archive) {
  if (archive.size() < kEndBytes) return damaged("it is too short");
  // The end record may be followed by a comment of up to 65,535 bytes.
  const size_t last = archive.size() - kEndBytes, first = last > kFull16 ? last - kFull16 : 0;
  size_t end = last;
  while (load<uint32_t>(archive, end) != kEndMagic) {
    if (end == first) return invalid_argument("this isn't a ZIP archive (.npz)");
    --end;
  }
  Directory directory{load<uint16_t>(archive, end + 10), load<uint32_t>(archive, end + 12),
                      load<uint32_t>(archive, end + 16)};
  const bool zip64 = directory.entries == kFull16 || directory.bytes == kFull32 || directory.offset == kFull32;
  if (zip64 && end >= kLocatorBytes && load<uint32_t>(archive, end - kLocatorBytes) == kLocator64Magic) {
    const uint64_t record = load<uint64_t>(archive, end - kLocatorBytes + 8);
    if (archive.size() < kEnd64Bytes || record > archive.size() - kEnd64Bytes ||
        load<uint32_t>(archive, record) != kEnd64Magic) {
      return damaged("its zip64 record isn't where it should be");
    }
    directory = {load<uint64_t>(archive, record + 32), load<uint64_t>(archive, record + 40),
                 load<uint64_t>(archive, record + 48)};
  }
  if (directory.offset > archive.size() || directory.bytes > archive.size() - directory.offset ||
      directory.entries > directory.bytes / kCentralBytes) {
    return damaged("its table of contents lies outside the file");
  }
  return directory;
}

// Sizes of 4 GiB and more are in an extra field, in this order, only those that don't fit.
Status read_zip64_extra(std::span<const std::byte> extra, ZipEntry& entry) {
  while (extra.size() >= 4) {
    const size_t size = load<uint16_t>(extra, 2);
    if (size > extra.size() - 4) return damaged("an extra field is too long");
    if (load<uint16_t>(extra, 0) == kZip64Extra) {
      std::span<const std::byte> fields = extra.subspan(4, size);
      for (uint64_t* value : {&entry.bytes, &entry.packed_bytes, &entry.offset}) {
        if (*value != kFull32) continue;
        if (fields.size() < 8) return damaged("a zip64 field is missing");
        *value = load<uint64_t>(fields, 0);
        fields = fields.subspan(8);
      }
    }
    extra = extra.subspan(4 + size);
  }
  return {};
}

// Steps `stream` from `in` to `out` until it ends or fails; zlib counts in 32 bits, so in chunks. `step(last)` is
// inflate or deflate, told whether all of the input is in sight. Returns zlib's code; `out_left`: room that is left.
template <class Step>
int pump(z_stream& stream, std::span<const std::byte> in, std::span<std::byte> out, uint64_t& out_left, Step step) {
  constexpr uint64_t kChunk = std::numeric_limits<uInt>::max() / 2;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  uint64_t in_left = in.size();
  out_left = out.size();
  int result = Z_OK;
  while (result == Z_OK) {
    const auto in_now = static_cast<uInt>(std::min(in_left, kChunk));
    const auto out_now = static_cast<uInt>(std::min(out_left, kChunk));
    stream.avail_in = in_now;
    stream.avail_out = out_now;
    result = step(in_now == in_left);
    in_left -= in_now - stream.avail_in;
    out_left -= out_now - stream.avail_out;
  }
  return result;
}

Status inflate_into(std::span<const std::byte> packed, std::vector<std::byte>& out) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return resource_error("out of memory");
  uint64_t out_left = 0;
  const int result = pump(stream, packed, out, out_left, [&](bool) { return inflate(&stream, Z_NO_FLUSH); });
  inflateEnd(&stream);
  return result == Z_STREAM_END && out_left == 0 ? Status() : damaged("an entry doesn't unpack");
}

uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

Result<std::vector<std::byte>> deflate_bytes(std::span<const std::byte> bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return resource_error("out of memory");
  }
  std::vector<std::byte> out(bytes.size() + bytes.size() / 1000 + 1024);
  uint64_t out_left = 0;
  const int result =
      pump(stream, bytes, out, out_left, [&](bool last) { return deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH); });
  deflateEnd(&stream);
  if (result != Z_STREAM_END) return runtime_error("zlib can't pack an entry");
  out.resize(out.size() - out_left);
  return out;
}

// What a local header and a directory entry share, from "version needed" to the name's length.
void append_common(std::vector<std::byte>& out, const ZipEntry& entry, uint16_t extra_bytes) {
  const bool large = std::max(entry.bytes, entry.packed_bytes) >= kFull32;
  append(out, kZip64Version);
  append(out, uint16_t{0x0800});  // names are UTF-8
  append(out, entry.method);
  append(out, uint32_t{0x00210000});  // 1980-01-01 00:00
  append(out, entry.crc);
  append(out, static_cast<uint32_t>(large ? kFull32 : entry.packed_bytes));
  append(out, static_cast<uint32_t>(large ? kFull32 : entry.bytes));
  append(out, static_cast<uint16_t>(entry.name.size()));
  append(out, extra_bytes);
}

std::vector<std::byte> zip64_extra(const ZipEntry& entry, bool with_offset) {
  const bool large = std::max(entry.bytes, entry.packed_bytes) >= kFull32;
  std::vector<std::byte> fields;
  if (large) append(fields, entry.bytes);
  if (large) append(fields, entry.packed_bytes);
  if (with_offset && entry.offset >= kFull32) append(fields, entry.offset);
  if (fields.empty()) return fields;
  std::vector<std::byte> extra;
  append(extra, kZip64Extra);
  append(extra, static_cast<uint16_t>(fields.size()));
  extra.insert(extra.end(), fields.begin(), fields.end());
  return extra;
}

void append_text(std::vector<std::byte>& out, std::string_view text) {
  const auto raw = std::as_bytes(std::span(text));
  out.insert(out.end(), raw.begin(), raw.end());
}

void append_directory(std::vector<std::byte>& out, std::span<const ZipEntry> entries) {
  const uint64_t offset = out.size();
  for (const ZipEntry& entry : entries) {
    const std::vector<std::byte> extra = zip64_extra(entry, true);
    append(out, kCentralMagic);
    append(out, kZip64Version);
    append_common(out, entry, static_cast<uint16_t>(extra.size()));
    append(out, uint16_t{0});  // comment
    append(out, uint16_t{0});  // disk
    append(out, uint16_t{0});  // internal attributes
    append(out, uint32_t{0});  // external attributes
    append(out, static_cast<uint32_t>(std::min(entry.offset, kFull32)));
    append_text(out, entry.name);
    out.insert(out.end(), extra.begin(), extra.end());
  }
  const uint64_t bytes = out.size() - offset, count = entries.size();
  if (count >= kFull16 || bytes >= kFull32 || offset >= kFull32) {
    const uint64_t record = out.size();
    append(out, kEnd64Magic);
    append(out, uint64_t{kEnd64Bytes - 12});
    append(out, kZip64Version);
    append(out, kZip64Version);
    append(out, uint64_t{0});  // disks
    for (const uint64_t value : {count, count, bytes, offset}) append(out, value);
    append(out, kLocator64Magic);
    append(out, uint32_t{0});
    append(out, record);
    append(out, uint32_t{1});
  }
  append(out, kEndMagic);
  append(out, uint32_t{0});  // disks
  append(out, static_cast<uint16_t>(std::min(count, kFull16)));
  append(out, static_cast<uint16_t>(std::min(count, kFull16)));
  append(out, static_cast<uint32_t>(std::min(bytes, kFull32)));
  append(out, static_cast<uint32_t>(std::min(offset, kFull32)));
  append(out, uint16_t{0});  // comment
}

}  // namespace

Result<std::vector<ZipEntry>> list_zip(std::span<const std::byte> archive) {
  HONE_ASSIGN(const Directory directory, find_directory(archive));
  std::span<const std::byte> left = archive.subspan(directory.offset, directory.bytes);
  std::vector<ZipEntry> entries;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    if (left.size() < kCentralBytes || load<uint32_t>(left, 0) != kCentralMagic) {
      return damaged("an entry of its table of contents is missing");
    }
    const size_t name = load<uint16_t>(left, 28), extra = load<uint16_t>(left, 30), comment = load<uint16_t>(left, 32);
    if (left.size() - kCentralBytes < name + extra + comment) return damaged("an entry's name is too long");
    if ((load<uint16_t>(left, 8) & 1) != 0) return unsupported("the archive is encrypted");
    ZipEntry entry{.name = std::string(reinterpret_cast<const char*>(left.data()) + kCentralBytes, name),
                   .bytes = load<uint32_t>(left, 24),
                   .packed_bytes = load<uint32_t>(left, 20),
                   .offset = load<uint32_t>(left, 42),
                   .crc = load<uint32_t>(left, 16),
                   .method = load<uint16_t>(left, 10)};
    HONE_TRY(read_zip64_extra(left.subspan(kCentralBytes + name, extra), entry));
    entries.push_back(std::move(entry));
    left = left.subspan(kCentralBytes + name + extra + comment);
  }
  return entries;
}

Result<std::vector<std::byte>> read_zip_entry(std::span<const std::byte> archive, const ZipEntry& entry) {
  if (archive.size() < kLocalBytes || entry.offset > archive.size() - kLocalBytes ||
      load<uint32_t>(archive, entry.offset) != kLocalMagic) {
    return damaged("entry '" + entry.name + "' isn't where it should be");
  }
  // The local header's name and extra field may differ in length from the directory's.
  const uint64_t start = entry.offset + kLocalBytes + load<uint16_t>(archive, entry.offset + 26) +
                         load<uint16_t>(archive, entry.offset + 28);
  if (start > archive.size() || entry.packed_bytes > archive.size() - start) {
    return damaged("entry '" + entry.name + "' lies outside the file");
  }
  const std::span<const std::byte> packed = archive.subspan(start, entry.packed_bytes);
  std::vector<std::byte> bytes;
  if (entry.method == kStored) {
    if (entry.bytes != entry.packed_bytes) return damaged("entry '" + entry.name + "' has two sizes");
    bytes.assign(packed.begin(), packed.end());
  } else if (entry.method == kDeflated) {
    if (entry.bytes / kMaxDeflateRatio > entry.packed_bytes) {
      return damaged("entry '" + entry.name + "' claims to be larger than its bytes can hold");
    }
    bytes.reserve(entry.bytes + 1);  // zlib wants a place even for nothing
    bytes.resize(entry.bytes);
    HONE_TRY(inflate_into(packed, bytes).with_context("entry '" + entry.name + "'"));
  } else {
    return unsupported("entry '" + entry.name + "' is packed by method " + std::to_string(entry.method) +
                       "; NumPy writes 0 (stored) and 8 (deflated)");
  }
  if (crc_of(bytes) != entry.crc) return damaged("entry '" + entry.name + "' has a wrong checksum");
  return bytes;
}

Result<std::vector<std::byte>> write_zip(std::span<const ZipFile> files, bool deflated) {
  std::vector<std::byte> out;
  std::vector<ZipEntry> entries;
  for (const ZipFile& file : files) {
    if (file.name.size() > kFull16 / 2) return invalid_argument("a name in an archive is too long");
    std::vector<std::byte> packed;
    if (deflated) {
      HONE_ASSIGN(packed, deflate_bytes(file.bytes));
    }
    const std::vector<std::byte>& stored = deflated ? packed : file.bytes;
    const ZipEntry entry{.name = file.name,
                         .bytes = file.bytes.size(),
                         .packed_bytes = stored.size(),
                         .offset = out.size(),
                         .crc = crc_of(file.bytes),
                         .method = deflated ? kDeflated : kStored};
    const std::vector<std::byte> extra = zip64_extra(entry, false);
    append(out, kLocalMagic);
    append_common(out, entry, static_cast<uint16_t>(extra.size()));
    append_text(out, entry.name);
    out.insert(out.end(), extra.begin(), extra.end());
    out.insert(out.end(), stored.begin(), stored.end());
    entries.push_back(entry);
  }
  append_directory(out, entries);
  return out;
}

}  // namespace hone::cli
