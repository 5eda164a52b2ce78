#include "backends/cpu/half_convert.h"

#include <bit>

#include "backends/cpu/simd.h"

namespace hone::cpu {

namespace {

// The exponent's offset differs by 112: multiplying by 2^112 puts it right, subnormals included.
HONE_INLINE float widen_half(uint32_t half) {
  const uint32_t magnitude = (half & 0x7fffu) << 13;
  const float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
  const uint32_t infinite = magnitude >= 0x0f800000u ? 0x7f800000u | magnitude : std::bit_cast<uint32_t>(scaled);
  return std::bit_cast<float>(infinite | (half & 0x8000u) << 16);
}

HONE_INLINE uint32_t narrow_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
  // Normal results: rounding is an addition that carries into the exponent.
  const uint32_t rounded = (magnitude + 0xfffu + (magnitude >> 13 & 1u) - (112u << 23)) >> 13;
  const uint32_t normal = rounded > 0x7c00u ? 0x7c00u : rounded;
  // Subnormal results: adding 0.5 puts their bits at the end of the mantissa, rounded.
  const uint32_t subnormal = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
  const uint32_t finite = magnitude < 0x38800000u ? subnormal : normal;
  const uint32_t result = magnitude > 0x7f800000u ? 0x7e00u : magnitude == 0x7f800000u ? 0x7c00u : finite;
  return sign | result;
}

HONE_INLINE uint32_t narrow_bfloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  return (bits & 0x7fffffffu) > 0x7f800000u ? bits >> 16 | 0x40u : rounded;
}

HONE_SIMD void widen_halves(const uint16_t* __restrict x, float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = widen_half(x[i]);
}
HONE_SIMD void widen_bfloats(const uint16_t* __restrict x, uint32_t* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<uint32_t>(x[i]) << 16;
}
HONE_SIMD void narrow_halves(const float* __restrict x, uint16_t* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<uint16_t>(narrow_half(x[i]));
}
HONE_SIMD void narrow_bfloats(const float* __restrict x, uint16_t* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<uint16_t>(narrow_bfloat(x[i]));
}

}  // namespace

void widen(const Half* x, float* y, int64_t n) { widen_halves(reinterpret_cast<const uint16_t*>(x), y, n); }
void widen(const BFloat16* x, float* y, int64_t n) {
  widen_bfloats(reinterpret_cast<const uint16_t*>(x), reinterpret_cast<uint32_t*>(y), n);
}
void narrow(const float* x, Half* y, int64_t n) { narrow_halves(x, reinterpret_cast<uint16_t*>(y), n); }
void narrow(const float* x, BFloat16* y, int64_t n) { narrow_bfloats(x, reinterpret_cast<uint16_t*>(y), n); }

}  // namespace hone::cpu
