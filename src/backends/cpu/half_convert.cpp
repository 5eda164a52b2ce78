#include "backends/cpu/half_convert.h"

#include "backends/cpu/simd.h"

namespace hone::cpu {

namespace {

HONE_SIMD void widen_halves(const uint16_t* __restrict x, float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = detail::widen_half(x[i]);
}
HONE_SIMD void widen_bfloats(const uint16_t* __restrict x, uint32_t* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<uint32_t>(x[i]) << 16;
}
HONE_SIMD void narrow_halves(const float* __restrict x, uint16_t* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = detail::narrow_to_half(x[i]);
}
HONE_SIMD void narrow_bfloats(const float* __restrict x, uint16_t* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = detail::narrow_to_bfloat16(x[i]);
}

}  // namespace

void widen(const Half* x, float* y, int64_t n) { widen_halves(reinterpret_cast<const uint16_t*>(x), y, n); }
void widen(const BFloat16* x, float* y, int64_t n) {
  widen_bfloats(reinterpret_cast<const uint16_t*>(x), reinterpret_cast<uint32_t*>(y), n);
}
void narrow(const float* x, Half* y, int64_t n) { narrow_halves(x, reinterpret_cast<uint16_t*>(y), n); }
void narrow(const float* x, BFloat16* y, int64_t n) { narrow_bfloats(x, reinterpret_cast<uint16_t*>(y), n); }

}  // namespace hone::cpu
