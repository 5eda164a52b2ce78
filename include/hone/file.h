// Writing whole files so that nobody ever sees half of one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "hone/status.h"

namespace hone {

// Writes beside `path`, syncs and renames: readers see the old file or the whole new one, also after a crash. Where
// the file system can, the unfinished file has no name, so that nothing is left even by kill -9. A symbolic link is
// followed; an existing `path` that isn't a regular file is refused. Errors: kNotFound (no such folder),
// kInvalidArgument (not a regular file), kResource (no space, no permission, read-only, I/O); nothing stays behind.
Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes);
inline Status write_file_atomically(const std::string& path, std::string_view text) {
  return write_file_atomically(path, std::as_bytes(std::span(text)));
}

// Removes what write_file_atomically() in any thread hasn't finished. Async-signal-safe: for handlers that end the
// process.
void remove_unfinished_files();

}  // namespace hone
