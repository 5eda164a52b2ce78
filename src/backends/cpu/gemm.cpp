#include "backends/cpu/gemm.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "backends/cpu/gemm_tile.h"
#include "backends/cpu/simd.h"
#include "base/parallel.h"

namespace hone::cpu {

namespace {

constexpr int64_t kBlockK = 384;            // a panel of B (384 x 32 floats) is about one first-level cache
constexpr int64_t kBlockFloats = 96 * 1024;  // of packed B and of C that a thread works on: second-level cache
constexpr int64_t kMaxBlockRows = 480;
constexpr int64_t kChunk = 8;  // every tile's width is a multiple

int64_t div_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Rows in panels of nearly equal height, so that no tile is nearly empty.
struct Panels {
  int64_t rows, count;
  explicit Panels(int64_t m) : rows(m), count(div_up(m, gemm_tiles().rows)) {}
  int64_t start(int64_t panel) const { return panel * rows / count; }
  int64_t height(int64_t panel) const { return start(panel + 1) - start(panel); }
};

// How a product is cut into tasks.
struct Blocks {
  int64_t panels_per_task, columns_per_task, row_tasks, column_tasks;

  Blocks(int threads, const GemmSize& size, const Panels& panels) {
    const int64_t tile_columns = gemm_tiles().columns;
    const int64_t k = std::min(size.k, kBlockK);
    int64_t row_blocks = div_up(size.m, kMaxBlockRows);
    const int64_t rows = div_up(size.m, row_blocks);
    const int64_t fit = std::clamp<int64_t>(kBlockFloats / (k + rows) / tile_columns, 1, 16);
    int64_t column_tiles = std::min(fit, div_up(size.n, tile_columns));
    // Every thread should have a few tasks, of at least one tile.
    const int64_t wanted = 3 * threads;
    while (column_tiles > 2 && row_blocks * div_up(size.n, column_tiles * tile_columns) < wanted) column_tiles /= 2;
    column_tasks = div_up(size.n, column_tiles * tile_columns);
    if (threads > 1 && column_tasks * row_blocks < wanted) row_blocks = div_up(wanted, column_tasks);
    row_tasks = std::clamp<int64_t>(row_blocks, 1, panels.count);
    panels_per_task = div_up(panels.count, row_tasks);
    row_tasks = div_up(panels.count, panels_per_task);
    columns_per_task = column_tiles * tile_columns;
  }
  int64_t tasks() const { return row_tasks * column_tasks; }
  int64_t rows_per_task() const { return panels_per_task * gemm_tiles().rows; }
  // [packed B][C]
  int64_t scratch_floats(int64_t k) const {
    return columns_per_task * (std::min(k, kBlockK) + rows_per_task());
  }
};

// Copies `k` rows of B, one tile wide, of which `count` columns exist; the others are 0.
HONE_SIMD void pack_columns(const GemmColumns& b, int64_t first_k, int64_t k, int64_t first_n, int64_t count,
                            int64_t width, float* __restrict to) {
  for (int64_t i = 0; i < k; ++i, to += width) {
    const int64_t offset = b.offsets != nullptr ? b.offsets[first_k + i] : (first_k + i) * b.k_stride;
    const float* const from = b.base + offset + first_n * b.n_stride;
    if (b.n_stride == 1 && count == width) {
      for (int64_t j = 0; j < width; j += kChunk) {
        for (int64_t l = 0; l < kChunk; ++l) to[j + l] = from[j + l];
      }
      continue;
    }
    for (int64_t j = 0; j < count; ++j) to[j] = from[j * b.n_stride];
    for (int64_t j = count; j < width; ++j) to[j] = 0;
  }
}

// The same where B's columns are contiguous along k: by columns, so that reads are.
HONE_SIMD void pack_transposed(const GemmColumns& b, int64_t first_k, int64_t k, int64_t first_n, int64_t count,
                               int64_t width, float* __restrict to) {
  for (int64_t j = 0; j < width; ++j) {
    const float* const from = b.base + (first_n + j) * b.n_stride + first_k * b.k_stride;
    for (int64_t i = 0; i < k; ++i) to[i * width + j] = j < count ? from[i * b.k_stride] : 0;
  }
}

struct Product {
  GemmSize size;
  const float* packed_a;
  GemmColumns b;
  GemmBias bias;
  GemmTarget c;
  Panels panels;
  Blocks blocks;
};

// One task: rows of panels [first_panel, last_panel) times columns [n, n + count).
struct Task {
  int64_t first_panel, last_panel, n, count;
};

void pack_block(const Product& product, const Task& task, int64_t first_k, int64_t k, float* packed) {
  const int64_t width = gemm_tiles().columns;
  const bool transposed = product.b.offsets == nullptr && product.b.n_stride != 1;
  for (int64_t n = 0; n < task.count; n += width, packed += k * width) {
    const int64_t count = std::min(width, task.count - n);
    (transposed ? pack_transposed : pack_columns)(product.b, first_k, k, task.n + n, count, width, packed);
  }
}

// C of a task, in scratch: rows `stride` apart.
void start_sums(const Product& product, const Task& task, float* c, int64_t stride) {
  const int64_t first = product.panels.start(task.first_panel), last = product.panels.start(task.last_panel);
  for (int64_t row = first; row < last; ++row, c += stride) {
    if (product.bias.columns != nullptr) {
      std::memcpy(c, product.bias.columns + task.n, static_cast<size_t>(task.count) * sizeof(float));
      continue;
    }
    std::fill_n(c, stride, product.bias.rows[row]);
  }
}

void multiply_block(const Product& product, const Task& task, int64_t first_k, int64_t k, const float* packed_b,
                    float* c, int64_t stride, bool accumulate) {
  const GemmTiles& tiles = gemm_tiles();
  const int64_t first_row = product.panels.start(task.first_panel);
  for (int64_t panel = task.first_panel; panel < task.last_panel; ++panel) {
    const int64_t row = product.panels.start(panel), height = product.panels.height(panel);
    const float* const a = product.packed_a + first_k * product.size.m + row * k;
    const GemmTile tile = tiles.tiles[height - 1];
    for (int64_t n = 0; n < task.count; n += tiles.columns) {
      tile(a, packed_b + n * k, k, c + (row - first_row) * stride + n, stride, accumulate);
    }
  }
}

void copy_row(const float* from, const GemmTarget& c, int64_t row, int64_t n, int64_t count) {
  float* const out = c.data + row * c.row_stride;
  if (c.pitch == 0) {
    std::memcpy(out + n, from, static_cast<size_t>(count) * sizeof(float));
    return;
  }
  while (count > 0) {
    const int64_t line = n / c.pitch, column = n % c.pitch, stretch = std::min(count, c.pitch - column);
    const int64_t kept = std::min(stretch, c.width - column);
    if (kept > 0) std::memcpy(out + line * c.width + column, from, static_cast<size_t>(kept) * sizeof(float));
    from += stretch;
    n += stretch;
    count -= stretch;
  }
}

void run_task(const Product& product, const Task& task, float* scratch) {
  const int64_t stride = product.blocks.columns_per_task;
  float* const packed_b = scratch;
  float* const c = scratch + stride * std::min(product.size.k, kBlockK);
  const bool has_bias = product.bias.rows != nullptr || product.bias.columns != nullptr;
  if (has_bias) start_sums(product, task, c, stride);
  if (!has_bias && product.size.k == 0) std::fill_n(c, stride * product.blocks.rows_per_task(), 0.f);
  for (int64_t k = 0; k < product.size.k; k += kBlockK) {
    const int64_t count = std::min(kBlockK, product.size.k - k);
    pack_block(product, task, k, count, packed_b);
    multiply_block(product, task, k, count, packed_b, c, stride, has_bias || k > 0);
  }
  const int64_t first = product.panels.start(task.first_panel), last = product.panels.start(task.last_panel);
  for (int64_t row = first; row < last; ++row) copy_row(c + (row - first) * stride, product.c, row, task.n, task.count);
}

}  // namespace

int64_t packed_floats(int64_t m, int64_t k) { return m * k; }

void pack_rows(int threads, const float* a, int64_t m_stride, int64_t k_stride, float scale, int64_t m, int64_t k,
               float* packed) {
  if (m == 0 || k == 0) return;
  const Panels panels(m);
  parallel_for(threads, panels.count, 16384 / (k * gemm_tiles().rows) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      const int64_t first = panels.start(panel), height = panels.height(panel);
      for (int64_t block = 0; block < k; block += kBlockK) {
        const int64_t count = std::min(kBlockK, k - block);
        float* const to = packed + block * m + first * count;
        for (int64_t row = 0; row < height; ++row) {
          const float* const from = a + (first + row) * m_stride + block * k_stride;
          for (int64_t i = 0; i < count; ++i) to[i * height + row] = from[i * k_stride] * scale;
        }
      }
    }
  });
}

int64_t gemm_scratch_floats(int threads, const GemmSize& size) {
  if (size.m == 0 || size.n == 0) return 0;
  const Blocks blocks(threads, size, Panels(size.m));
  return std::min<int64_t>(threads, blocks.tasks()) * blocks.scratch_floats(size.k);
}

void gemm(int threads, const GemmSize& size, const float* packed_a, const GemmColumns& b, const GemmBias& bias,
          const GemmTarget& c, float* scratch) {
  if (size.m == 0 || size.n == 0) return;
  const Panels panels(size.m);
  const Product product{size, packed_a, b, bias, c, panels, Blocks(threads, size, panels)};
  const Blocks& blocks = product.blocks;
  const int64_t workers = std::min<int64_t>(threads, blocks.tasks());
  std::atomic<int64_t> next{0};
  parallel_for(threads, workers, 1, [&](int64_t begin, int64_t) {
    float* const own = scratch + begin * blocks.scratch_floats(size.k);
    for (int64_t i = next++; i < blocks.tasks(); i = next++) {
      // Tasks of the same columns follow each other: they read the same part of B.
      const int64_t panel = i % blocks.row_tasks * blocks.panels_per_task;
      const int64_t n = i / blocks.row_tasks * blocks.columns_per_task;
      run_task(product, {panel, std::min(panel + blocks.panels_per_task, panels.count), n,
                         std::min(blocks.columns_per_task, size.n - n)},
               own);
    }
  });
}

namespace {

HONE_SIMD void add_scaled(const float* __restrict x, float factor, float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] += x[i] * factor;
}

HONE_SIMD float dot(const float* __restrict a, int64_t a_stride, const float* __restrict b, int64_t n) {
  constexpr int64_t kLanes = 16;
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; a_stride == 1 && i + kLanes <= n; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[j] += a[i + j] * b[i + j];
  }
  for (; i < n; ++i) lanes[i % kLanes] += a[i * a_stride] * b[i];
  for (int64_t step = kLanes / 2; step > 0; step /= 2) {
    for (int64_t j = 0; j < step; ++j) lanes[j] += lanes[j + step];
  }
  return lanes[0];
}

}  // namespace

void gemm_thin(const GemmSize& size, const float* a, int64_t m_stride, int64_t k_stride, float scale,
               const GemmColumns& b, const GemmBias& bias, float* c, int64_t row_stride) {
  constexpr int64_t kStretch = 1024;  // columns whose sums stay in the first-level cache
  const auto start = [&](int64_t row, int64_t n) {
    return bias.rows != nullptr ? bias.rows[row] : bias.columns != nullptr ? bias.columns[n] : 0;
  };
  if (b.k_stride == 1 && b.offsets == nullptr) {
    for (int64_t n = 0; n < size.n; ++n) {
      for (int64_t row = 0; row < size.m; ++row) {
        const float sum = dot(a + row * m_stride, k_stride, b.base + n * b.n_stride, size.k);
        c[row * row_stride + n] = start(row, n) + sum * scale;
      }
    }
    return;
  }
  for (int64_t first = 0; first < size.n; first += kStretch) {
    const int64_t count = std::min(kStretch, size.n - first);
    for (int64_t row = 0; row < size.m; ++row) {
      for (int64_t n = 0; n < count; ++n) c[row * row_stride + first + n] = start(row, first + n);
    }
    for (int64_t k = 0; k < size.k; ++k) {
      const float* const line = b.base + k * b.k_stride + first;
      for (int64_t row = 0; row < size.m; ++row) {
        add_scaled(line, a[row * m_stride + k * k_stride] * scale, c + row * row_stride + first, count);
      }
    }
  }
}

}  // namespace hone::cpu
