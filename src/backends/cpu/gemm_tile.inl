// The body of gemm_tile_*.cpp, which define HONE_VECTOR_FLOATS (the length of a vector register) and HONE_TILE_ROWS
// (as many as leave registers for two vectors of B and one element of A), and say which instructions may be used.

namespace hone::cpu {

namespace {

using Vector = float __attribute__((vector_size(HONE_VECTOR_FLOATS * sizeof(float)), aligned(4), may_alias));
constexpr int kLength = HONE_VECTOR_FLOATS;

template <int kRows>
void tile(const float* a, const float* b, int64_t k, float* c, int64_t c_stride, bool accumulate) {
  Vector sums[kRows][2] = {};
  for (int64_t i = 0; i < k; ++i, a += kRows, b += 2 * kLength) {
    const Vector left = *reinterpret_cast<const Vector*>(b), right = *reinterpret_cast<const Vector*>(b + kLength);
#pragma GCC unroll 12
    for (int row = 0; row < kRows; ++row) {
      sums[row][0] += a[row] * left;
      sums[row][1] += a[row] * right;
    }
  }
#pragma GCC unroll 12
  for (int row = 0; row < kRows; ++row) {
    auto* const out = reinterpret_cast<Vector*>(c + row * c_stride);
    out[0] = accumulate ? out[0] + sums[row][0] : sums[row][0];
    out[1] = accumulate ? out[1] + sums[row][1] : sums[row][1];
  }
}

}  // namespace

#if HONE_TILE_ROWS == 12
const GemmTiles HONE_TILES = {12,
                              2 * kLength,
                              {tile<1>, tile<2>, tile<3>, tile<4>, tile<5>, tile<6>, tile<7>, tile<8>, tile<9>,
                               tile<10>, tile<11>, tile<12>}};
#else
const GemmTiles HONE_TILES = {6, 2 * kLength, {tile<1>, tile<2>, tile<3>, tile<4>, tile<5>, tile<6>}};
#endif

}  // namespace hone::cpu
