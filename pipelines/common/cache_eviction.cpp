#include "pipelines/common/cache_eviction.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <tuple>
#include <vector>

namespace hone {
namespace {

struct Entry {
  std::string name;
  int64_t bytes;
  timespec used;
};

// 64 hexadecimal digits and ".hone".
bool is_engine_name(std::string_view name) {
  constexpr std::string_view kExtension = ".hone";
  constexpr size_t kDigits = 64;
  return name.size() == kDigits + kExtension.size() && name.ends_with(kExtension) &&
         name.find_first_not_of("0123456789abcdef") == kDigits;
}

std::vector<Entry> list_engines(DIR* folder) {
  std::vector<Entry> entries;
  while (const dirent* item = readdir(folder)) {
    struct stat info {};
    if (!is_engine_name(item->d_name)) continue;
    if (fstatat(dirfd(folder), item->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(info.st_mode) || info.st_uid != geteuid()) continue;
    entries.push_back({item->d_name, info.st_size, info.st_mtim});
  }
  return entries;
}

}  // namespace

void mark_used(const std::string& path) { (void)utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW); }

size_t evict_engines(const std::string& folder, const std::string& keep, const CacheLimits& limits) {
  const int opened = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opened < 0 ? nullptr : fdopendir(opened), closedir);
  if (directory == nullptr) {
    if (opened >= 0) close(opened);
    return 0;
  }
  std::vector<Entry> entries = list_engines(directory.get());
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.used.tv_sec, a.used.tv_nsec, a.name) < std::tie(b.used.tv_sec, b.used.tv_nsec, b.name);
  });
  int64_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.bytes;
  size_t files = entries.size(), removed = 0;
  for (const Entry& entry : entries) {
    if (files <= limits.files && bytes <= limits.bytes) break;
    if (entry.name == keep) continue;
    // What another process removed before counts too.
    removed += unlinkat(dirfd(directory.get()), entry.name.c_str(), 0) == 0 ? 1 : 0;
    --files;
    bytes -= entry.bytes;
  }
  return removed;
}

}  // namespace hone
