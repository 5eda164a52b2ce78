// The register tiles of the matrix product, one set for each instruction set.
#pragma once

#include <cstdint>

namespace hone::cpu {

// C[rows][columns] (rows c_stride apart) = or += A * B over k: A packed as [k][rows], B as [k][columns], 64-byte
// aligned. `rows` is the number that the function was made for.
using GemmTile = void (*)(const float* a, const float* b, int64_t k, float* c, int64_t c_stride, bool accumulate);

inline constexpr int kMaxTileRows = 12;

struct GemmTiles {
  int rows = 0;     // of the largest tile
  int columns = 0;  // of every tile
  GemmTile tiles[kMaxTileRows] = {};  // tiles[r - 1] has r rows
};

extern const GemmTiles kGemmTilesAvx512, kGemmTilesAvx2, kGemmTilesBase;

// The widest that this machine runs.
const GemmTiles& gemm_tiles();

}  // namespace hone::cpu
