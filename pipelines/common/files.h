// Reading whole files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hone/status.h"

namespace hone {

// The contents of a regular file. Errors: kNotFound, kInvalidArgument (a folder, a pipe, a device), kResource (more
// than `max_bytes`); the message names the file.
Result<std::vector<std::byte>> read_file(const std::string& path, int64_t max_bytes);

}  // namespace hone
