#include "backends/cpu/gemm_tile.h"

#define HONE_TILES kGemmTilesBase
#define HONE_VECTOR_FLOATS 4
#define HONE_TILE_ROWS 6
#include "backends/cpu/gemm_tile.inl"

namespace hone::cpu {

const GemmTiles& gemm_tiles() {
  static const GemmTiles& tiles = [&]() -> const GemmTiles& {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
      return kGemmTilesAvx512;
    }
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? kGemmTilesAvx2 : kGemmTilesBase;
  }();
  return tiles;
}

}  // namespace hone::cpu
