// The register tiles of the matrix product, one set for each instruction set.
#pragma once

#include <cstdint>

namespace hone::cpu {

// C[rows][columns] (rows c_stride apart) = or += A * B over k, with B as [k][columns]. `rows` is the number that the
// function was made for. A is packed as [k][rows], or lies in rows a_stride apart.
using GemmTile = void (*)(const float* a, int64_t a_stride, const float* b, int64_t k, float* c, int64_t c_stride,
                          bool accumulate);

inline constexpr int kMaxTileRows = 12, kMaxTileColumns = 32;

struct GemmTiles {
  int rows = 0;                                                   // of the largest tile
  int columns = 0;                                                // of every tile
  GemmTile packed[kMaxTileRows] = {}, direct[kMaxTileRows] = {};  // [r - 1] has r rows
};

extern const GemmTiles kGemmTilesAvx512, kGemmTilesAvx2, kGemmTilesBase;

// The widest that this machine runs.
const GemmTiles& gemm_tiles();

}  // namespace hone::cpu
