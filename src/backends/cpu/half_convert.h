// Between float32 and the 16-bit floats, whole arrays at a time. Rounds to nearest even; NaN stays NaN.
#pragma once

#include <cstdint>

#include "hone/types.h"

namespace hone::cpu {

void widen(const Half* x, float* y, int64_t n);
void widen(const BFloat16* x, float* y, int64_t n);
void narrow(const float* x, Half* y, int64_t n);
void narrow(const float* x, BFloat16* y, int64_t n);

}  // namespace hone::cpu
