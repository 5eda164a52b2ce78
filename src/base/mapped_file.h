// A file's contents as read-only memory.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "hone/status.h"

namespace hone {

// A private read-only map of a regular file; the memory lives as long as `owner`. Whoever truncates the file in place
// makes reads fault: map only files that are replaced by rename, as engine files are. An empty file is an empty span.
struct MappedFile {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

// Errors: kNotFound, kInvalidArgument (not a regular file), kResource.
Result<MappedFile> map_file(const std::string& path);

}  // namespace hone
