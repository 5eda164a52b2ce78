// Float32 matrix product: C = A * B (+ bias), the way Goto and van de Geijn ("Anatomy of high-performance matrix
// multiplication", 2008) lay it out. A is packed into panels of a few rows, B block by block into panels of a few
// vectors, and a register tile of C is summed over a block of k. Convolutions come here too: their B is described by
// an offset for each row, so that no im2col matrix is made.
//
// Nothing allocates; scratch is the caller's. Peak on one AVX-512 core (Zen 5, 265 GFLOP/s): see conv_gemm.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hone::cpu {

// The right operand: element (k, n) lies at base[offset(k) + n * n_stride].
struct GemmColumns {
  const float* base = nullptr;
  const int64_t* offsets = nullptr;  // of each k; null: k * k_stride
  int64_t k_stride = 0;
  int64_t n_stride = 1;
};

struct GemmSize {
  int64_t m = 0, n = 0, k = 0;
};

// Sums that C starts from: one for each row or column (null: none).
struct GemmBias {
  const float* rows = nullptr;
  const float* columns = nullptr;
};

// Where C goes. With `pitch` 0, row-major with rows `row_stride` apart. Else column n of the product stands for
// position (n / pitch, n % pitch) of an image, of which `width` columns are kept: it goes to
// row * row_stride + n / pitch * width + n % pitch where n % pitch < width.
struct GemmTarget {
  float* data = nullptr;
  int64_t row_stride = 0;
  int64_t pitch = 0, width = 0;
};

// Floats that a packed A of this size takes, and packing it: element (m, k) is a[m * m_stride + k * k_stride] * scale.
int64_t packed_floats(int64_t m, int64_t k);
void pack_rows(int threads, const float* a, int64_t m_stride, int64_t k_stride, float scale, int64_t m, int64_t k,
               float* packed);

// Floats of scratch for a product on up to `threads` threads.
int64_t gemm_scratch_floats(int threads, const GemmSize& size);
void gemm(int threads, const GemmSize& size, const float* packed_a, const GemmColumns& b, const GemmBias& bias,
          const GemmTarget& c, float* scratch);

// For a few rows: reads A and B where they are. A (m, k) is at a[m * m_stride + k * k_stride]. One thread.
void gemm_thin(const GemmSize& size, const float* a, int64_t m_stride, int64_t k_stride, float scale,
               const GemmColumns& b, const GemmBias& bias, float* c, int64_t row_stride);

}  // namespace hone::cpu
