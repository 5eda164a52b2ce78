// The CPU backend: its kernels, and what this machine offers.
#pragma once

#include "hone/kernel.h"

namespace hone::cpu {

const Backend& backend();

// This machine with a team of `threads`. isa: "avx512", "avx2", "sse42" or "x86-64", the widest that it supports.
DeviceInfo device_info(int threads);

}  // namespace hone::cpu
