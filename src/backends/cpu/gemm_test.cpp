#include "backends/cpu/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backends/cpu/gemm_tile.h"

namespace hone::cpu {
namespace {

class Floats {
 public:
  explicit Floats(int64_t count, float value = NAN) : memory_(new (std::align_val_t{64}) float[count + 1]) {
    std::fill_n(memory_.get(), count, value);
  }
  static Floats random(int64_t count, std::mt19937& rng) {
    Floats floats(count);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (int64_t i = 0; i < count; ++i) floats[i] = uniform(rng);
    return floats;
  }
  float* data() { return memory_.get(); }
  float& operator[](int64_t i) { return memory_.get()[i]; }

 private:
  struct Free {
    void operator()(float* memory) const { operator delete[](memory, std::align_val_t{64}); }
  };
  std::unique_ptr<float, Free> memory_;
};

void expect_close(float actual, double expected, int64_t k, const std::string& where) {
  // Each of k terms is below 1; sums in another order differ by a few roundings of the largest partial sum.
  EXPECT_NEAR(static_cast<double>(actual), expected, 1e-6 * static_cast<double>(k + 4)) << where;
}

// One register tile: `height` rows, all columns or half of them.
void check_tile(const GemmTiles& tiles, int64_t height, bool wide, bool direct, bool accumulate) {
  std::mt19937 rng(5);
  const int64_t columns = wide ? tiles.columns : tiles.columns / 2, k = 7;
  const int64_t a_stride = k + 2, b_stride = columns + 5, c_stride = columns + 3;
  Floats b = Floats::random(k * b_stride, rng), rows = Floats::random(height * a_stride, rng);
  Floats packed(k * height), c(height * c_stride, 2.f);
  for (int64_t i = 0; i < k * height; ++i) packed[i] = rows[i % height * a_stride + i / height];
  const GemmTile tile = (direct ? tiles.direct : tiles.packed)[wide][height - 1];
  tile(direct ? rows.data() : packed.data(), a_stride, b.data(), b_stride, k, c.data(), c_stride,
       accumulate ? TileAddend{c.data(), c_stride} : TileAddend{});
  for (int64_t i = 0; i < height * c_stride; ++i) {
    const int64_t row = i / c_stride, column = i % c_stride;
    double expected = column < columns && !accumulate ? 0 : 2;
    for (int64_t t = 0; column < columns && t < k; ++t) {
      expected += static_cast<double>(rows[row * a_stride + t]) * static_cast<double>(b[t * b_stride + column]);
    }
    expect_close(c[i], expected, k, "height " + std::to_string(height) + " at " + std::to_string(i));
  }
}

// Every register tile of one instruction set, both ways of reading A.
void check_tiles(const GemmTiles& tiles) {
  for (int64_t height = 1; height <= tiles.rows; ++height) {
    for (const int way : {0, 1, 2, 3, 4, 5, 6, 7}) {
      check_tile(tiles, height, (way & 1) != 0, (way & 2) != 0, (way & 4) != 0);
    }
  }
}

TEST(GemmTile, Base) { check_tiles(kGemmTilesBase); }

TEST(GemmTile, Avx2) {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) GTEST_SKIP() << "this machine has no AVX2";
  check_tiles(kGemmTilesAvx2);
}

TEST(GemmTile, Avx512) {
  if (gemm_tiles().rows != kGemmTilesAvx512.rows) GTEST_SKIP() << "this machine has no AVX-512";
  check_tiles(kGemmTilesAvx512);
}

struct Case {
  GemmSize size;
  bool direct_left = false;
  enum Right { kRows, kPacked, kTransposed, kOffsets } right = kRows;
  enum Bias { kNone, kOfRows, kOfColumns } bias = kNone;
  int64_t pitch = 0, width = 0;
  int threads = 1;
};

void check(const Case& spec) {
  const auto [m, n, k] = spec.size;
  const std::string where = std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k) + " right " +
                            std::to_string(spec.right) + " bias " + std::to_string(spec.bias) + " pitch " +
                            std::to_string(spec.pitch) + " threads " + std::to_string(spec.threads);
  std::mt19937 rng(9);
  Floats a = Floats::random(m * k, rng), b = Floats::random(k * n, rng), bias = Floats::random(m + n, rng);
  // The right operand in other forms.
  Floats transposed(k * n), scattered(k * (n + 5)), packed_b(packed_right_floats(k, n)),
      packed_a(packed_left_floats(m, k));
  std::vector<int64_t> offsets;
  for (int64_t i = 0; i < k; ++i) {
    offsets.push_back((k - 1 - i) * (n + 5) + i % 5);
    for (int64_t j = 0; j < n; ++j) {
      transposed[j * k + i] = b[i * n + j];
      scattered[offsets.back() + j] = b[i * n + j];
    }
  }
  GemmRight right{.base = b.data(), .k_stride = n};
  if (spec.right == Case::kPacked) {
    pack_right(spec.threads, right, k, n, packed_b.data());
    right = {.packed = packed_b.data()};
  }
  if (spec.right == Case::kTransposed) right = {.base = transposed.data(), .k_stride = 1, .n_stride = k};
  if (spec.right == Case::kOffsets) right = {.base = scattered.data(), .offsets = offsets.data()};
  GemmLeft left{.base = a.data(), .m_stride = k};
  if (!spec.direct_left) {
    pack_left(spec.threads, a.data(), k, 1, 1, m, k, packed_a.data());
    left = {.packed = packed_a.data()};
  }
  const GemmBias sums{.rows = spec.bias == Case::kOfRows ? bias.data() : nullptr,
                      .columns = spec.bias == Case::kOfColumns ? bias.data() : nullptr};
  const int64_t lines = spec.pitch == 0 ? 0 : (n + spec.pitch - 1) / spec.pitch;
  const int64_t row_stride = spec.pitch == 0 ? n + 2 : lines * spec.width;
  Floats c(m * row_stride, 77.f);
  const GemmTarget target{.data = c.data(), .row_stride = row_stride, .pitch = spec.pitch, .width = spec.width};
  Floats scratch(gemm_scratch_floats(spec.threads, spec.size, right, target));
  gemm(spec.threads, spec.size, left, right, sums, target, scratch.data());

  std::vector<double> expected(static_cast<size_t>(m * row_stride), 77);
  for (int64_t row = 0; row < m; ++row) {
    for (int64_t column = 0; column < n; ++column) {
      if (spec.pitch != 0 && column % spec.pitch >= spec.width) continue;
      double sum = spec.bias == Case::kNone ? 0 : static_cast<double>(bias[spec.bias == Case::kOfRows ? row : column]);
      for (int64_t i = 0; i < k; ++i)
        sum += static_cast<double>(a[row * k + i]) * static_cast<double>(b[i * n + column]);
      const int64_t at = spec.pitch == 0 ? column : column / spec.pitch * spec.width + column % spec.pitch;
      expected[static_cast<size_t>(row * row_stride + at)] = sum;
    }
  }
  for (int64_t i = 0; i < m * row_stride; ++i) {
    expect_close(c[i], expected[static_cast<size_t>(i)], k, where + " at " + std::to_string(i));
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(Gemm, AllFormsOfOperands) {
  for (const GemmSize& size : {GemmSize{1, 1, 1}, {5, 7, 3}, {12, 32, 8}, {13, 33, 9}, {25, 100, 17}}) {
    for (const bool direct : {false, true}) {
      for (const auto right : {Case::kRows, Case::kPacked, Case::kTransposed, Case::kOffsets}) {
        for (const auto bias : {Case::kNone, Case::kOfRows, Case::kOfColumns}) check({size, direct, right, bias});
      }
    }
  }
}

TEST(Gemm, CrossesBlocks) {
  for (const int threads : {1, 3}) {
    for (const auto right : {Case::kRows, Case::kPacked, Case::kOffsets}) {
      check({.size = {7, 40, 800}, .right = right, .threads = threads});
      check({.size = {7, 40, 800}, .right = right, .bias = Case::kOfRows, .threads = threads});
      check({.size = {1000, 5, 385}, .direct_left = true, .right = right, .threads = threads});
      check({.size = {30, 40, 512}, .direct_left = true, .right = right, .threads = threads});
      check({.size = {500, 1100, 3}, .right = right, .bias = Case::kOfColumns, .threads = threads});
    }
  }
}

TEST(Gemm, WritesImages) {
  for (const int threads : {1, 2}) {
    check({.size = {9, 3 * 21 + 19, 30}, .right = Case::kOffsets, .pitch = 21, .width = 19, .threads = threads});
    check({.size = {30, 400, 10},
           .right = Case::kRows,
           .bias = Case::kOfRows,
           .pitch = 5,
           .width = 2,
           .threads = threads});
    check({.size = {4, 7, 400}, .right = Case::kRows, .pitch = 100, .width = 7, .threads = threads});
  }
}

TEST(Gemm, NothingToSum) {
  check({.size = {3, 40, 0}});
  check({.size = {3, 40, 0}, .bias = Case::kOfRows});
  check({.size = {3, 40, 0}, .pitch = 8, .width = 5});
  check({.size = {0, 40, 4}});
  check({.size = {4, 0, 4}});
}

TEST(Gemm, Small) {
  std::mt19937 rng(4);
  const int64_t columns = gemm_tiles().columns;
  for (const int64_t n : {int64_t{1}, columns / 2 - 1, columns / 2, columns / 2 + 1, columns - 1, columns, columns + 3,
                          2 * columns - 1}) {
    for (const int64_t m : {1, 12, 13, 36}) {
      const int64_t k = 24, a_stride = k + 1, b_stride = n + 2, c_stride = n + 3;
      ASSERT_TRUE(is_small_product({m, n, k}, b_stride));
      Floats a = Floats::random(m * a_stride, rng), b = Floats::random(k * b_stride, rng), c(m * c_stride, 77.f);
      gemm_small({m, n, k}, a.data(), a_stride, b.data(), b_stride, c.data(), c_stride);
      for (int64_t i = 0; i < m * c_stride; ++i) {
        double sum = i % c_stride < n ? 0 : 77;
        for (int64_t t = 0; i % c_stride < n && t < k; ++t) {
          sum +=
              static_cast<double>(a[i / c_stride * a_stride + t]) * static_cast<double>(b[t * b_stride + i % c_stride]);
        }
        expect_close(c[i], sum, k, std::to_string(n) + " columns at " + std::to_string(i));
      }
    }
  }
  EXPECT_FALSE(is_small_product({8, columns / 2 - 1, 65}, 8));
  EXPECT_FALSE(is_small_product({8, 512, 16}, 512));
  EXPECT_FALSE(is_small_product({8, columns, 0}, columns));
}

TEST(Gemm, Thin) {
  std::mt19937 rng(3);
  for (const int64_t m : {1, 3}) {
    for (const int64_t k : {1, 33, 100}) {
      const int64_t n = 1030;
      Floats a = Floats::random(m * k, rng), b = Floats::random(k * n, rng), bias = Floats::random(n, rng), c(m * n);
      for (const bool transposed : {false, true}) {
        const GemmRight right{.base = b.data(), .k_stride = transposed ? 1 : n, .n_stride = transposed ? k : 1};
        gemm_thin({m, n, k}, a.data(), k, 1, 0.5f, right, {.columns = bias.data()}, c.data(), n);
        for (int64_t i = 0; i < m * n; ++i) {
          double sum = 0;
          for (int64_t t = 0; t < k; ++t) {
            const int64_t at = transposed ? i % n * k + t : t * n + i % n;
            sum += static_cast<double>(a[i / n * k + t]) * static_cast<double>(b[at]);
          }
          expect_close(c[i], static_cast<double>(bias[i % n]) + 0.5 * sum, k, std::to_string(i));
        }
      }
    }
  }
}

}  // namespace
}  // namespace hone::cpu
