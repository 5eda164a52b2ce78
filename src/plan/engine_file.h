// The engine file: a header, a table of sections with checksums, and the sections. docs/engine-file.md describes it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "hone/file.h"
#include "hone/status.h"
#include "ops/op_list.h"
#include "plan/plan.h"

namespace hone {

// A loaded engine: the image, the file it was read from, and what keeps the memory of both (a private read-only map, or
// owned bytes).
struct LoadedImage {
  EngineImage image;
  std::span<const std::byte> file;
  std::shared_ptr<const void> owner;
};

// The whole file as bytes, to be written by write_file_atomically() (hone/file.h).
Result<std::vector<std::byte>> serialize_engine(const EngineImage& image);

// Maps the file and checks everything (magic, version, checksums, verify()). kCorruptEngine for damage,
// kIncompatibleEngine for a sound file of another format version; both messages say what to do.
Result<LoadedImage> load_engine_file(const std::string& path, OpMaker make_op);
// Copies nothing but what isn't aligned; `owner` keeps `bytes` alive.
Result<LoadedImage> parse_engine(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, OpMaker make_op);

}  // namespace hone
