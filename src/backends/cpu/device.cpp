#include <unistd.h>

#include <fstream>

#include "backends/cpu/backend.h"

namespace hone::cpu {

namespace {

const char* widest_isa() {
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx512) return "avx512";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "avx2";
  return __builtin_cpu_supports("sse4.2") ? "sse42" : "x86-64";
}

std::string model_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const size_t colon = line.find(": ");
    return colon == std::string::npos ? "CPU" : line.substr(colon + 2);
  }
  return "CPU";
}

}  // namespace

DeviceInfo device_info(int threads) {
  const int64_t memory = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  return {.backend = "cpu", .name = model_name(), .isa = widest_isa(), .threads = threads, .memory_bytes = memory};
}

}  // namespace hone::cpu
