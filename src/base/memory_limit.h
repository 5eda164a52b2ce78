// How much memory the process may use.
#pragma once

#include <cstdint>

namespace hone {

// Physical memory, or the control group's limit where that is lower.
int64_t usable_memory_bytes();

}  // namespace hone
