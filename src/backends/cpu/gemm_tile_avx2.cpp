#include "backends/cpu/gemm_tile.h"

#define HONE_TILES kGemmTilesAvx2
#define HONE_VECTOR_FLOATS 8
#define HONE_TILE_ROWS 6
#pragma GCC target("avx2,fma")
#include "backends/cpu/gemm_tile.inl"
