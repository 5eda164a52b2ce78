// Whole files in and out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hone/status.h"

namespace hone {

// The contents of a regular file. Errors: kNotFound, kInvalidArgument (a folder, a pipe, a device), kResource (more
// than `max_bytes`); the message names the file.
Result<std::vector<std::byte>> read_file(const std::string& path, int64_t max_bytes);

// Writes to a new file in the same folder and renames it: the old contents or the new ones, never half of them.
Status write_file(const std::string& path, std::span<const std::byte> bytes);

}  // namespace hone
