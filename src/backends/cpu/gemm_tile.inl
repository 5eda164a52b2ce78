// The body of gemm_tile_*.cpp, which define HONE_VECTOR_FLOATS (the length of a vector register) and HONE_TILE_ROWS
// (as many as leave registers for two vectors of B and one element of A), and say which instructions may be used.

namespace hone::cpu {

namespace {

using Vector = float __attribute__((vector_size(HONE_VECTOR_FLOATS * sizeof(float)), aligned(4), may_alias));
constexpr int kLength = HONE_VECTOR_FLOATS;

template <int kRows, int kVectors>
__attribute__((always_inline)) inline void store(Vector (&sums)[kRows][kVectors], float* c, int64_t c_stride,
                                                 TileAddend addend) {
#pragma GCC unroll 12
  for (int row = 0; row < kRows; ++row) {
    auto* const out = reinterpret_cast<Vector*>(c + row * c_stride);
    const auto* const added = reinterpret_cast<const Vector*>(addend.data + row * addend.stride);
    for (int i = 0; i < kVectors; ++i) out[i] = addend.data != nullptr ? added[i] + sums[row][i] : sums[row][i];
  }
}

// One row of B times one element of A for each row of the tile.
template <int kRows, int kVectors, class ElementAt>
__attribute__((always_inline)) inline void add_products(Vector (&sums)[kRows][kVectors], const float* b,
                                                        ElementAt element_at) {
  Vector line[kVectors];
  for (int i = 0; i < kVectors; ++i) line[i] = reinterpret_cast<const Vector*>(b)[i];
#pragma GCC unroll 12
  for (int row = 0; row < kRows; ++row) {
    const float element = element_at(row);
    for (int i = 0; i < kVectors; ++i) sums[row][i] += element * line[i];
  }
}

template <int kRows, int kVectors>
void packed_tile(const float* a, int64_t, const float* b, int64_t b_stride, int64_t k, float* c, int64_t c_stride,
                 TileAddend addend) {
  Vector sums[kRows][kVectors] = {};
  for (int64_t i = 0; i < k; ++i, a += kRows, b += b_stride) {
    add_products(sums, b, [&](int row) { return a[row]; });
  }
  store(sums, c, c_stride, addend);
}

// Three rows share a pointer: an address may add the stride once or twice.
template <int kRows, int kVectors>
void direct_tile(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t k, float* c,
                 int64_t c_stride, TileAddend addend) {
  Vector sums[kRows][kVectors] = {};
  const float *a0 = a, *a3 = a + 3 * a_stride, *a6 = a + 6 * a_stride, *a9 = a + 9 * a_stride;
  for (int64_t i = 0; i < k; ++i, b += b_stride) {
    add_products(sums, b, [&](int row) {
      const float* const base = row < 3 ? a0 : row < 6 ? a3 : row < 9 ? a6 : a9;
      return base[row % 3 * a_stride];
    });
    ++a0, ++a3, ++a6, ++a9;
  }
  store(sums, c, c_stride, addend);
}

}  // namespace

#define HONE_SIX_TILES(NAME, N) NAME<1, N>, NAME<2, N>, NAME<3, N>, NAME<4, N>, NAME<5, N>, NAME<6, N>
#if HONE_TILE_ROWS == 12
#define HONE_ALL_TILES(NAME, N) \
  { HONE_SIX_TILES(NAME, N), NAME<7, N>, NAME<8, N>, NAME<9, N>, NAME<10, N>, NAME<11, N>, NAME<12, N> }
#else
#define HONE_ALL_TILES(NAME, N) \
  { HONE_SIX_TILES(NAME, N) }
#endif

const GemmTiles HONE_TILES = {HONE_TILE_ROWS,
                              2 * kLength,
                              {HONE_ALL_TILES(packed_tile, 1), HONE_ALL_TILES(packed_tile, 2)},
                              {HONE_ALL_TILES(direct_tile, 1), HONE_ALL_TILES(direct_tile, 2)}};

}  // namespace hone::cpu
