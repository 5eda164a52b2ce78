// The body of gemm_tile_*.cpp, which define HONE_VECTOR_FLOATS (the length of a vector register) and HONE_TILE_ROWS
// (as many as leave registers for two vectors of B and one element of A), and say which instructions may be used.

namespace hone::cpu {

namespace {

using Vector = float __attribute__((vector_size(HONE_VECTOR_FLOATS * sizeof(float)), aligned(4), may_alias));
constexpr int kLength = HONE_VECTOR_FLOATS;

template <int kRows>
__attribute__((always_inline)) inline void store(Vector (&sums)[kRows][2], float* c, int64_t c_stride,
                                                 bool accumulate) {
#pragma GCC unroll 12
  for (int row = 0; row < kRows; ++row) {
    auto* const out = reinterpret_cast<Vector*>(c + row * c_stride);
    out[0] = accumulate ? out[0] + sums[row][0] : sums[row][0];
    out[1] = accumulate ? out[1] + sums[row][1] : sums[row][1];
  }
}

template <int kRows>
void packed_tile(const float* a, int64_t, const float* b, int64_t k, float* c, int64_t c_stride, bool accumulate) {
  Vector sums[kRows][2] = {};
  for (int64_t i = 0; i < k; ++i, a += kRows, b += 2 * kLength) {
    const Vector left = *reinterpret_cast<const Vector*>(b), right = *reinterpret_cast<const Vector*>(b + kLength);
#pragma GCC unroll 12
    for (int row = 0; row < kRows; ++row) {
      sums[row][0] += a[row] * left;
      sums[row][1] += a[row] * right;
    }
  }
  store(sums, c, c_stride, accumulate);
}

// Three rows share a pointer: an address may add the stride once or twice.
template <int kRows>
void direct_tile(const float* a, int64_t a_stride, const float* b, int64_t k, float* c, int64_t c_stride,
                 bool accumulate) {
  Vector sums[kRows][2] = {};
  const float *a0 = a, *a3 = a + 3 * a_stride, *a6 = a + 6 * a_stride, *a9 = a + 9 * a_stride;
  for (int64_t i = 0; i < k; ++i, b += 2 * kLength) {
    const Vector left = *reinterpret_cast<const Vector*>(b), right = *reinterpret_cast<const Vector*>(b + kLength);
#pragma GCC unroll 12
    for (int row = 0; row < kRows; ++row) {
      const float* const base = row < 3 ? a0 : row < 6 ? a3 : row < 9 ? a6 : a9;
      const float element = base[row % 3 * a_stride];
      sums[row][0] += element * left;
      sums[row][1] += element * right;
    }
    ++a0, ++a3, ++a6, ++a9;
  }
  store(sums, c, c_stride, accumulate);
}

}  // namespace

#define HONE_SIX_TILES(NAME) NAME<1>, NAME<2>, NAME<3>, NAME<4>, NAME<5>, NAME<6>
#if HONE_TILE_ROWS == 12
#define HONE_ALL_TILES(NAME) \
  { HONE_SIX_TILES(NAME), NAME<7>, NAME<8>, NAME<9>, NAME<10>, NAME<11>, NAME<12> }
#else
#define HONE_ALL_TILES(NAME) \
  { HONE_SIX_TILES(NAME) }
#endif

const GemmTiles HONE_TILES = {HONE_TILE_ROWS, 2 * kLength, HONE_ALL_TILES(packed_tile), HONE_ALL_TILES(direct_tile)};

}  // namespace hone::cpu
