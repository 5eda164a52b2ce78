#include "plan/engine_file.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/hash.h"
#include "base/mapped_file.h"
#include "plan/plan_fields.h"

namespace hone {

namespace {

// The fixed part of the file. Magic, version and header checksum keep their places in all versions.
struct Header {
  std::array<uint8_t, 8> magic{};
  uint32_t version = 0, sections = 0;
  uint64_t file_bytes = 0, table_checksum = 0;
  std::array<uint64_t, 3> reserved{};
  uint64_t checksum = 0;  // of the bytes before it
};

struct SectionEntry {
  enum class Kind : uint32_t { kMetadata = 1, kGraph = 2, kWeightBlocks = 3, kWeights = 4, kTuned = 5 };
  Kind kind{};
  uint32_t index = 0;  // kTuned: which; 0 otherwise
  uint64_t offset = 0, bytes = 0, checksum = 0;
};

static_assert(sizeof(Header) == 64 && sizeof(SectionEntry) == 32);

using Kind = SectionEntry::Kind;

// 0x89 and the line ends show at once whether a transfer took the file for text.
constexpr std::array<uint8_t, 8> kMagic = {0x89, 'H', 'O', 'N', 'E', '\r', '\n', 0x1a};
constexpr size_t kAlignment = 64;
constexpr uint32_t kMaxSections = 1024;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

std::string name_of_section(const SectionEntry& entry) {
  switch (entry.kind) {
    case Kind::kMetadata: return "metadata";
    case Kind::kGraph: return "graph";
    case Kind::kWeightBlocks: return "weight blocks";
    case Kind::kWeights: return "weights";
    case Kind::kTuned: return "tuned part " + std::to_string(entry.index);
  }
  return "section of kind " + std::to_string(static_cast<uint32_t>(entry.kind));
}

template <class T>
std::span<const std::byte> bytes_of_object(const T& object) {
  return std::as_bytes(std::span(&object, 1));
}

template <class T>
T read_object(std::span<const std::byte> bytes, size_t offset) {
  T object;
  std::memcpy(&object, bytes.data() + offset, sizeof(T));
  return object;
}

uint64_t header_checksum(const Header& header) {
  return hash64(bytes_of_object(header).first(sizeof(Header) - sizeof(header.checksum)));
}

// One section to be written: its own bytes, or borrowed ones.
struct Section {
  SectionEntry entry;
  std::vector<std::byte> own;
  std::span<const std::byte> borrowed;
  std::span<const std::byte> bytes() const { return own.empty() ? borrowed : std::span<const std::byte>(own); }
};

template <class T>
Result<Section> make_section(Kind kind, uint32_t index, const T& object) {
  ByteWriter writer;
  writer(object);
  HONE_TRY(writer.status());
  return Section{.entry = {.kind = kind, .index = index}, .own = std::move(writer).take(), .borrowed = {}};
}

Result<std::vector<Section>> make_sections(const EngineImage& image) {
  std::vector<Section> sections;
  HONE_ASSIGN(sections.emplace_back(), make_section(Kind::kMetadata, 0, image.metadata));
  sections.push_back(
      {.entry = {.kind = Kind::kGraph}, .own = {}, .borrowed = std::as_bytes(std::span(image.graph_text))});
  HONE_ASSIGN(sections.emplace_back(), make_section(Kind::kWeightBlocks, 0, image.weight_blocks));
  sections.push_back({.entry = {.kind = Kind::kWeights}, .own = {}, .borrowed = image.weights});
  for (size_t i = 0; i < image.tuned.size(); ++i) {
    HONE_ASSIGN(sections.emplace_back(), make_section(Kind::kTuned, static_cast<uint32_t>(i), image.tuned[i]));
  }
  return sections;
}

Status damaged(std::string_view what) { return corrupt_engine("the engine is damaged: " + std::string(what)); }

// Header and table; afterwards every entry's range lies inside the file.
Result<std::vector<SectionEntry>> read_table(std::span<const std::byte> file) {
  if (file.size() < sizeof(Header)) return damaged("it has only " + std::to_string(file.size()) + " bytes");
  const Header header = read_object<Header>(file, 0);
  if (header.magic != kMagic) return corrupt_engine("this isn't a Hone engine (its first bytes are others)");
  if (header.checksum != header_checksum(header)) return damaged("the header's checksum is wrong");
  if (header.version != kEngineFormatVersion) {
    return Status(Code::kIncompatibleEngine, "the engine has format version " + std::to_string(header.version) +
                                                 ", this Hone reads version " + std::to_string(kEngineFormatVersion));
  }
  if (header.file_bytes != file.size()) {
    return damaged("it should have " + std::to_string(header.file_bytes) + " bytes and has " +
                   std::to_string(file.size()));
  }
  const size_t table_bytes = size_t{header.sections} * sizeof(SectionEntry);
  if (header.sections > kMaxSections || table_bytes > file.size() - sizeof(Header)) {
    return damaged("it lists " + std::to_string(header.sections) + " sections");
  }
  if (hash64(file.subspan(sizeof(Header), table_bytes)) != header.table_checksum) {
    return damaged("the section table's checksum is wrong");
  }
  std::vector<SectionEntry> table;
  size_t end = sizeof(Header) + table_bytes;
  for (size_t i = 0; i < header.sections; ++i) {
    const auto entry = read_object<SectionEntry>(file, sizeof(Header) + i * sizeof(SectionEntry));
    if (entry.offset % kAlignment != 0 || entry.offset < end || entry.offset > file.size() ||
        entry.bytes > file.size() - entry.offset) {
      return damaged("the " + name_of_section(entry) + " section lies outside the file or over another");
    }
    end = entry.offset + entry.bytes;
    table.push_back(entry);
  }
  return table;
}

// The four portable sections in their order, then the tuned parts by number: there is one way to write each engine.
Status check_table(std::span<const SectionEntry> table) {
  constexpr size_t kPortable = 4;
  for (size_t i = 0; i < std::max(table.size(), kPortable); ++i) {
    const Kind kind = i < kPortable ? static_cast<Kind>(i + 1) : Kind::kTuned;
    const uint32_t index = static_cast<uint32_t>(i < kPortable ? 0 : i - kPortable);
    if (i >= table.size() || table[i].kind != kind || table[i].index != index) {
      return damaged("the " + name_of_section({.kind = kind, .index = index}) + " section isn't where it should be");
    }
  }
  return {};
}

std::span<const std::byte> contents(std::span<const std::byte> file, const SectionEntry& entry) {
  return file.subspan(entry.offset, entry.bytes);
}

template <class T>
Status read_section(std::span<const std::byte> file, const SectionEntry& entry, OpMaker make_op, T& object) {
  ByteReader reader(contents(file, entry), make_op);
  reader(object);
  return std::move(reader).finish().with_context("the engine's " + name_of_section(entry) + " section");
}

Status check_blocks(const EngineImage& image) {
  for (const WeightBlock& block : image.weight_blocks) {
    if (block.offset % kAlignment != 0 || block.offset > image.weights.size() ||
        block.bytes > image.weights.size() - block.offset) {
      return damaged("a weight block lies outside the weights");
    }
  }
  return {};
}

// Bytes whose address isn't a multiple of 64 can't be used in place.
Status align_weights(LoadedImage& loaded) {
  EngineImage& image = loaded.image;
  if (reinterpret_cast<uintptr_t>(image.weights.data()) % kAlignment == 0) return {};
  void* memory = std::aligned_alloc(kAlignment, aligned(image.weights.size() + 1));
  if (memory == nullptr) return resource_error("out of memory: the engine's weights don't fit");
  std::memcpy(memory, image.weights.data(), image.weights.size());
  image.weights = {static_cast<const std::byte*>(memory), image.weights.size()};
  loaded.owner = std::shared_ptr<const void>(
      memory, [file = std::move(loaded.owner)](const void* p) { std::free(const_cast<void*>(p)); });
  return {};
}

// Adds the cure to what can be cured by building again.
Status with_cure(Status status, std::string_view path) {
  if (status.code() != Code::kCorruptEngine && status.code() != Code::kIncompatibleEngine) return status;
  const std::string file = path.empty() ? "MODEL.hone" : std::string(path);
  const std::string where = path.empty() ? "" : "'" + file + "': ";
  return {status.code(), where + status.message() + "; rebuild with: hone build MODEL.onnx -o " + file};
}

Result<LoadedImage> parse(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, OpMaker make_op) {
  HONE_ASSIGN(const std::vector<SectionEntry> table, read_table(bytes));
  HONE_TRY(check_table(table));
  for (const SectionEntry& entry : table) {
    if (hash64(contents(bytes, entry)) != entry.checksum) {
      return damaged("the " + name_of_section(entry) + " section's checksum is wrong");
    }
  }
  LoadedImage loaded{.image = {}, .file = bytes, .owner = std::move(owner)};
  EngineImage& image = loaded.image;
  HONE_TRY(read_section(bytes, table[0], make_op, image.metadata));
  const auto graph = contents(bytes, table[1]);
  image.graph_text.assign(reinterpret_cast<const char*>(graph.data()), graph.size());
  HONE_TRY(read_section(bytes, table[2], make_op, image.weight_blocks));
  image.weights = contents(bytes, table[3]);
  HONE_TRY(align_weights(loaded));
  HONE_TRY(check_blocks(image));
  for (const SectionEntry& entry : std::span(table).subspan(4)) {
    HONE_TRY(read_section(bytes, entry, make_op, image.tuned.emplace_back()));
    for (const Plan& plan : image.tuned.back().plans) {
      HONE_TRY(verify(plan, image.weight_blocks, image.weights).with_context("the engine's " + name_of_section(entry)));
    }
  }
  return loaded;
}

}  // namespace

Result<std::vector<std::byte>> serialize_engine(const EngineImage& image) {
  HONE_ASSIGN(std::vector<Section> sections, make_sections(image));
  if (sections.size() > kMaxSections)
    return unsupported("an engine holds at most " + std::to_string(kMaxSections - 4) + " targets");
  const size_t table_bytes = sections.size() * sizeof(SectionEntry);
  size_t end = sizeof(Header) + table_bytes;
  for (Section& section : sections) {
    section.entry.offset = aligned(end);
    section.entry.bytes = section.bytes().size();
    section.entry.checksum = hash64(section.bytes());
    end = section.entry.offset + section.entry.bytes;
  }
  std::vector<std::byte> file(end);
  for (size_t i = 0; i < sections.size(); ++i) {
    std::memcpy(file.data() + sizeof(Header) + i * sizeof(SectionEntry), &sections[i].entry, sizeof(SectionEntry));
    const auto bytes = sections[i].bytes();
    std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<ptrdiff_t>(sections[i].entry.offset));
  }
  Header header{.magic = kMagic,
                .version = kEngineFormatVersion,
                .sections = static_cast<uint32_t>(sections.size()),
                .file_bytes = file.size(),
                .table_checksum = hash64(std::span<const std::byte>(file).subspan(sizeof(Header), table_bytes))};
  header.checksum = header_checksum(header);
  std::memcpy(file.data(), &header, sizeof(Header));
  return file;
}

Result<LoadedImage> parse_engine(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, OpMaker make_op) {
  Result<LoadedImage> loaded = parse(bytes, std::move(owner), make_op);
  if (!loaded.ok()) return with_cure(std::move(loaded).status(), "");
  return loaded;
}

Result<LoadedImage> load_engine_file(const std::string& path, OpMaker make_op) {
  HONE_ASSIGN(MappedFile file, map_file(path));
  Result<LoadedImage> loaded = parse(file.bytes, std::move(file.owner), make_op);
  if (!loaded.ok()) return with_cure(std::move(loaded).status(), path);
  return loaded;
}

}  // namespace hone
