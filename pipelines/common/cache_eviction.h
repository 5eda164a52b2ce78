// Keeps the folder of cached engines within bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace hone {

struct CacheLimits {
  size_t files = 64;
  int64_t bytes = int64_t{8} << 30;
};

// Notes that the engine was used now; its time of modification says so.
void mark_used(const std::string& path);

// Removes the engines that weren't used for longest until the rest, `keep` (a file's name) always among them, is within
// the limits. Only regular files of this user that are named as cached engines are looked at. Other processes may do
// the same at the same time, or have a removed engine open: it stays theirs until they close it. Returns how many were
// removed.
size_t evict_engines(const std::string& folder, const std::string& keep, const CacheLimits& limits);

}  // namespace hone
