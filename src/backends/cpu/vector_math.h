// Functions of a float that compilers can vectorise: no branches, no tables, no calls. NaN gives NaN. The errors are
// the largest that vector_math_test.cpp finds with fused multiply-adds, in units of the last place. Polynomials are
// Chebyshev fits.
#pragma once

#include <bit>
#include <cstdint>

#include "backends/cpu/simd.h"

namespace hone::cpu {

HONE_INLINE float abs_of(float x) { return std::bit_cast<float>(std::bit_cast<uint32_t>(x) & 0x7fffffffu); }
HONE_INLINE float with_sign_of(float magnitude, float x) {
  return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | (std::bit_cast<uint32_t>(x) & 0x80000000u));
}

// e^x, with subnormal results, 0 and infinity beyond them. 1.1 ulp.
HONE_INLINE float exp_of(float x) {
  constexpr float kLog2E = 1.44269504f, kLn2High = 0.693145752f, kLn2Low = 1.42860677e-6f;
  constexpr float kRound = 0x1.8p23f;  // adding it leaves a whole number in the low bits
  x = x < -104.f ? -104.f : x;
  x = x > 89.f ? 89.f : x;
  const float shifted = x * kLog2E + kRound;
  const auto n = static_cast<int32_t>(std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(kRound));
  const float whole = shifted - kRound;
  const float r = (x - whole * kLn2High) - whole * kLn2Low;
  float p = 1.393454452e-3f;
  p = p * r + 8.363776467e-3f;
  p = p * r + 4.166645678e-2f;
  p = p * r + 1.666657336e-1f;
  p = p * r + 5.000000014e-1f;
  p = p * r * r + r + 1.f;
  // 2^n in two factors, each of which is a normal number.
  const int32_t half = n >> 1;
  const float first = std::bit_cast<float>(static_cast<uint32_t>(half + 127) << 23);
  const float second = std::bit_cast<float>(static_cast<uint32_t>(n - half + 127) << 23);
  return p * first * second;
}

// 1 / (1 + e^-x). 2.3 ulp.
HONE_INLINE float sigmoid_of(float x) {
  const float e = exp_of(-abs_of(x));
  return (x < 0 ? e : 1.f) / (1.f + e);
}

// The hyperbolic tangent. 1.3 ulp.
HONE_INLINE float tanh_of(float x) {
  const float t = abs_of(x), z = x * x;
  float p = -6.104949301e-3f;
  p = p * z + 2.100364235e-2f;
  p = p * z - 5.385249780e-2f;
  p = p * z + 1.333278227e-1f;
  p = p * z - 3.333332910e-1f;
  const float small = x + x * z * p;
  const float large = with_sign_of(1.f - 2.f / (exp_of(t + t) + 1.f), x);
  return t < 0.625f ? small : large;
}

// The error function. 1.1 ulp.
HONE_INLINE float erf_of(float x) {
  const float z = x * x;
  float p = 7.882497106e-5f;
  p = p * z - 8.018854991e-4f;
  p = p * z + 5.189311942e-3f;
  p = p * z - 2.685432880e-2f;
  p = p * z + 1.128359746e-1f;
  p = p * z - 3.761262690e-1f;
  p = p * z + 1.283791659e-1f;
  const float small = x + x * p;
  // 1 - e^-q, where q is -log(1 - erf).
  const float t = abs_of(x), c = t > 4.f ? 4.f : t;
  float q = 2.157520192e-5f;
  q = q * c - 4.401277140e-4f;
  q = q * c + 4.199106658e-3f;
  q = q * c - 2.519495778e-2f;
  q = q * c + 1.083996797e-1f;
  q = q * c + 6.332355284e-1f;
  q = q * c + 1.129571462f;
  q = q * c - 1.867561070e-4f;
  const float large = with_sign_of(1.f - exp_of(-q), x);
  return t < 1.f ? small : large;
}

}  // namespace hone::cpu
