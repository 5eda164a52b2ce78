#include "backends/cpu/gemm_tile.h"

#define HONE_TILES kGemmTilesAvx512
#define HONE_VECTOR_FLOATS 16
#define HONE_TILE_ROWS 12
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,fma")
#include "backends/cpu/gemm_tile.inl"
