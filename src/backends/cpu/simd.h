// Loops that the compiler vectorises for the instruction sets there are; the program picks one when it starts.
#pragma once

// Before a function: compiles it for AVX-512, for AVX2 with FMA, and for any x86-64. What it calls must be inlined
// (HONE_INLINE). ThreadSanitizer can't bear the resolvers, which run before it does.
#if defined(HONE_STD_THREADS) || !defined(__x86_64__)
#define HONE_SIMD
#else
#define HONE_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif

#define HONE_INLINE __attribute__((always_inline)) inline
