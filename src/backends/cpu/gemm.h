// Float32 matrix product: C = A * B (+ bias), blocked for caches and registers as Goto and van de Geijn describe
// ("Anatomy of high-performance matrix multiplication", 2008). B is brought into panels of two vectors' width, block
// by block or once; a register tile of C is summed over a block of k. Convolutions come here too: their B is described
// by an offset for each row, so that no im2col matrix is made.
//
// Nothing allocates; scratch is the caller's. Measured on one AVX-512 core whose peak is about 280 GFLOP/s: 246 at
// 512^3, 200 to 230 in convolutions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hone::cpu {

struct GemmSize {
  int64_t m = 0, n = 0, k = 0;
};

// The left operand: packed by pack_left(), or rows of contiguous elements.
struct GemmLeft {
  const float* packed = nullptr;
  const float* base = nullptr;  // element (m, k) at base[m * m_stride + k]
  int64_t m_stride = 0;
};

// The right operand: packed by pack_right(), or element (k, n) at base[offset(k) + n * n_stride].
struct GemmRight {
  const float* packed = nullptr;
  const float* base = nullptr;
  const int64_t* offsets = nullptr;  // of each k; null: k * k_stride
  int64_t k_stride = 0;
  int64_t n_stride = 1;
};

// Sums that C starts from: one for each row or column (null: none).
struct GemmBias {
  const float* rows = nullptr;
  const float* columns = nullptr;
  bool is_given() const { return rows != nullptr || columns != nullptr; }
};

// Where C goes. With `pitch` 0, row-major with rows `row_stride` apart. Else column n of the product stands for
// position (n / pitch, n % pitch) of an image, of which `width` columns are kept: it goes to
// row * row_stride + n / pitch * width + n % pitch where n % pitch < width.
struct GemmTarget {
  float* data = nullptr;
  int64_t row_stride = 0;
  int64_t pitch = 0, width = 0;
};

// Floats that a packed operand takes, and packing it. A's element (m, k) is a[m * m_stride + k * k_stride] * scale.
// Packed operands are 64-byte aligned.
int64_t packed_left_floats(int64_t m, int64_t k);
void pack_left(int threads, const float* a, int64_t m_stride, int64_t k_stride, float scale, int64_t m, int64_t k,
               float* packed);
int64_t packed_right_floats(int64_t k, int64_t n);
void pack_right(int threads, const GemmRight& b, int64_t k, int64_t n, float* packed);

// Floats of scratch for a product on up to `threads` threads. Scratch is 64-byte aligned.
int64_t gemm_scratch_floats(int threads, const GemmSize& size, const GemmRight& b, const GemmTarget& c);
void gemm(int threads, const GemmSize& size, const GemmLeft& a, const GemmRight& b, const GemmBias& bias,
          const GemmTarget& c, float* scratch);

// For small matrices, whose packing would cost as much as their product: C = A * B with rows of A, B and C wherever
// they lie. One thread, no scratch. Only where is_small_product().
bool is_small_product(const GemmSize& size, int64_t b_k_stride);
void gemm_small(const GemmSize& size, const float* a, int64_t a_m_stride, const float* b, int64_t b_k_stride, float* c,
                int64_t c_row_stride);

// For one row and few: reads B, which isn't packed, where it is. A (m, k) is at a[m * m_stride + k * k_stride]. One
// thread, no scratch.
void gemm_thin(const GemmSize& size, const float* a, int64_t m_stride, int64_t k_stride, float scale,
               const GemmRight& b, const GemmBias& bias, float* c, int64_t row_stride);

}  // namespace hone::cpu
