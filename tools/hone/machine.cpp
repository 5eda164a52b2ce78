#include "tools/hone/machine.h"

#include <unistd.h>

#include <sched.h>
#include <fstream>

namespace hone::cli {

namespace {

std::string cpu_info(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos || line.compare(0, key.size(), key) != 0) continue;
    const size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

}  // namespace

std::string processor_name() {
  const std::string name = cpu_info("model name");
  return name.empty() ? "unknown" : name;
}

std::string instruction_sets() {
  const std::string flags = " " + cpu_info("flags") + " ";
  std::string sets;
  for (const char* flag : {"avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16"}) {
    if (flags.find(" " + std::string(flag) + " ") == std::string::npos) continue;
    sets += std::string(sets.empty() ? "" : " ") + flag;
  }
  return sets;
}

int usable_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  return ::sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
}

int64_t memory_bytes() { return int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE); }
int64_t free_memory_bytes() { return int64_t{::sysconf(_SC_AVPHYS_PAGES)} * ::sysconf(_SC_PAGESIZE); }

}  // namespace hone::cli
