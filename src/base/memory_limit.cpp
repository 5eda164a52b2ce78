#include "base/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace hone {

int64_t usable_memory_bytes() {
  int64_t bytes = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  std::ifstream file("/sys/fs/cgroup/memory.max");
  int64_t limit = 0;
  if (file >> limit && limit > 0) bytes = std::min(bytes, limit);  // "max" doesn't parse: no limit
  return bytes;
}

}  // namespace hone
