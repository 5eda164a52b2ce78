// The register tiles of the matrix product, one set for each instruction set.
#pragma once

#include <cstdint>

namespace hone::cpu {

// What is added to a tile's sums: rows `stride` apart, which may be C's own; null: nothing.
struct TileAddend {
  const float* data = nullptr;
  int64_t stride = 0;
};

// C[rows][columns] (rows c_stride apart) = A * B + addend, over k, with the rows of B b_stride apart. `rows` and
// `columns` are the numbers that the function was made for. A is packed as [k][rows], or lies in rows a_stride apart.
using GemmTile = void (*)(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t k, float* c,
                          int64_t c_stride, TileAddend addend);

inline constexpr int kMaxTileRows = 12, kMaxTileColumns = 32;

struct GemmTiles {
  int rows = 0;     // of the largest tile
  int columns = 0;  // of the widest tiles; the others have half of it
  // [0][r - 1] has r rows and half the columns, [1][r - 1] all columns.
  GemmTile packed[2][kMaxTileRows] = {}, direct[2][kMaxTileRows] = {};
};

extern const GemmTiles kGemmTilesAvx512, kGemmTilesAvx2, kGemmTilesBase;

// The widest that this machine runs.
const GemmTiles& gemm_tiles();

}  // namespace hone::cpu
