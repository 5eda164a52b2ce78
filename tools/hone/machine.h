// What the machine is, as far as the operating system tells.
#pragma once

#include <cstdint>
#include <string>

namespace hone::cli {

std::string processor_name();    // "unknown" when nobody says
std::string instruction_sets();  // those that matter here: "avx2 fma f16c"
int usable_cores();              // those that the process may run on
int64_t memory_bytes();
int64_t free_memory_bytes();

}  // namespace hone::cli
