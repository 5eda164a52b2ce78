#include "backends/cpu/gemm.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "backends/cpu/gemm_tile.h"
#include "backends/cpu/simd.h"
#include "base/parallel.h"

namespace hone::cpu {

namespace {

constexpr int64_t kBlockK = 384;             // a panel of B (384 x 32 floats) is about one first-level cache
constexpr int64_t kBlockFloats = 96 * 1024;  // of B and C that a thread works on: second-level cache
constexpr int64_t kMaxBlockRows = 480;
constexpr int64_t kChunk = 8;               // every tile's width is a multiple
constexpr int64_t kSmallRight = 96 * 1024;  // a B that is read where it lies
constexpr int64_t kNarrowK = 64;            // of a B with fewer columns than any tile

int64_t div_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Rows in panels of nearly equal height, so that no tile is nearly empty.
struct Panels {
  int64_t rows, count;
  explicit Panels(int64_t m, int64_t most = gemm_tiles().rows) : rows(m), count(div_up(m, most)) {}
  int64_t start(int64_t panel) const { return panel * rows / count; }
  int64_t height(int64_t panel) const { return start(panel + 1) - start(panel); }
};

// Rows 2 KiB apart or a multiple of it share the sets of the first-level cache: B needs room beside them.
constexpr int64_t kCrowdedRows = 8;

bool is_crowded(int64_t stride, int64_t lines) { return stride % 512 == 0 && lines > kCrowdedRows; }

Panels panels_of(const GemmSize& size, const GemmLeft& a) {
  const int64_t most = gemm_tiles().rows;
  return a.packed == nullptr && is_crowded(a.m_stride, size.m) ? Panels(size.m, std::min(most, kCrowdedRows))
                                                               : Panels(size.m, most);
}

// How a product is cut into tasks.
struct Blocks {
  int64_t panels_per_task, columns_per_task, row_tasks, column_tasks;

  Blocks(int threads, const GemmSize& size, const Panels& panels) {
    const int64_t tile_columns = gemm_tiles().columns;
    int64_t row_blocks = div_up(size.m, kMaxBlockRows);
    const int64_t rows = div_up(size.m, row_blocks);
    const int64_t fit = std::clamp<int64_t>(kBlockFloats / (std::min(size.k, kBlockK) + rows) / tile_columns, 1, 16);
    int64_t column_tiles = std::min(fit, div_up(size.n, tile_columns));
    // Every thread should have a few tasks, of at least one tile.
    const int64_t wanted = threads > 1 ? 3 * threads : 1;
    while (column_tiles > 2 && row_blocks * div_up(size.n, column_tiles * tile_columns) < wanted) column_tiles /= 2;
    column_tasks = div_up(size.n, column_tiles * tile_columns);
    if (column_tasks * row_blocks < wanted) row_blocks = div_up(wanted, column_tasks);
    row_tasks = std::clamp<int64_t>(row_blocks, 1, panels.count);
    panels_per_task = div_up(panels.count, row_tasks);
    row_tasks = div_up(panels.count, panels_per_task);
    columns_per_task = column_tiles * tile_columns;
  }
  int64_t tasks() const { return row_tasks * column_tasks; }
  int64_t rows_per_task() const { return panels_per_task * gemm_tiles().rows; }
};

// One task's scratch: [packed B, if it isn't][C, if it goes to an image].
struct Scratch {
  int64_t right, total;
  Scratch(const Blocks& blocks, int64_t k, const GemmRight& b, const GemmTarget& c)
      : right(b.packed != nullptr ? 0 : blocks.columns_per_task * std::min(k, kBlockK)),
        total(right + (c.pitch == 0 ? 0 : blocks.columns_per_task * blocks.rows_per_task())) {}
};

struct Product {
  GemmSize size;
  GemmLeft a;
  GemmRight b;
  GemmBias bias;
  GemmTarget c;
  Panels panels;
  Blocks blocks;
};

// One task: the rows of panels [first_panel, last_panel) times columns [n, n + count).
struct Task {
  int64_t first_panel, last_panel, n, count;
};

// The sums of a task: element (row, n - task.n) at data[row * stride + n - task.n].
struct Sums {
  float* data;
  int64_t stride;
};

// Brings `count` columns of B into panels of `width`; columns that don't exist are 0.
HONE_SIMD void pack_rows_of(const GemmRight& b, int64_t first_k, int64_t k, int64_t first_n, int64_t count,
                            int64_t width, float* __restrict packed) {
  for (int64_t i = 0; i < k; ++i) {
    const int64_t offset = b.offsets != nullptr ? b.offsets[first_k + i] : (first_k + i) * b.k_stride;
    const float* __restrict from = b.base + offset + first_n;
    float* __restrict to = packed + i * width;
    int64_t n = 0;
    for (; n + width <= count; n += width, to += k * width) {
      for (int64_t j = 0; j < width; j += kChunk) {
        for (int64_t l = 0; l < kChunk; ++l) to[j + l] = from[n + j + l];
      }
    }
    if (n == count) continue;
    for (int64_t j = 0; j < width; ++j) to[j] = n + j < count ? from[n + j] : 0;
  }
}

// The same where B's columns aren't neighbours: stretches of columns.
void pack_columns_of(const GemmRight& b, int64_t first_k, int64_t k, int64_t first_n, int64_t count, int64_t width,
                     float* packed) {
  constexpr int64_t kStretch = 16;
  for (int64_t panel = 0; panel < count; panel += width, packed += k * width) {
    for (int64_t i = 0; i < k; i += kStretch) {
      const int64_t end = std::min(i + kStretch, k);
      for (int64_t n = 0; n < width; ++n) {
        const float* const from = b.base + (first_n + panel + n) * b.n_stride + first_k * b.k_stride;
        for (int64_t j = i; j < end; ++j) packed[j * width + n] = panel + n < count ? from[j * b.k_stride] : 0;
      }
    }
  }
}

void pack_block(const GemmRight& b, int64_t first_k, int64_t k, int64_t first_n, int64_t count, float* packed) {
  const auto pack = b.n_stride == 1 ? pack_rows_of : pack_columns_of;
  pack(b, first_k, k, first_n, count, gemm_tiles().columns, packed);
}

// A tile that sticks out to the right of C: through a buffer.
void run_partial(GemmTile tile, const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t k,
                 const Sums& c, int64_t rows, int64_t columns, TileAddend addend) {
  alignas(64) float buffer[kMaxTileRows * kMaxTileColumns];
  tile(a, a_stride, b, b_stride, k, buffer, kMaxTileColumns, {});
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t n = 0; n < columns; ++n) {
      const float added = addend.data != nullptr ? addend.data[row * addend.stride + n] : 0;
      c.data[row * c.stride + n] = buffer[row * kMaxTileColumns + n] + added;
    }
  }
}

// What a tile of the first block of k adds. Biases of rows are written into C first.
TileAddend bias_of_tile(const GemmBias& bias, int64_t row, int64_t rows, int64_t n, int64_t columns, const Sums& c) {
  if (bias.columns != nullptr) return {bias.columns + n, 0};
  if (bias.rows == nullptr) return {};
  for (int64_t i = 0; i < rows; ++i) std::fill_n(c.data + i * c.stride, columns, bias.rows[row + i]);
  return {c.data, c.stride};
}

void multiply_block(const Product& product, const Task& task, int64_t first_k, int64_t k, const float* b,
                    const Sums& sums) {
  const GemmTiles& tiles = gemm_tiles();
  const int64_t first_row = product.panels.start(task.first_panel);
  for (int64_t panel = task.first_panel; panel < task.last_panel; ++panel) {
    const int64_t row = product.panels.start(panel), height = product.panels.height(panel);
    const bool packed = product.a.packed != nullptr;
    const float* const a = packed ? product.a.packed + first_k * product.size.m + row * k
                                  : product.a.base + row * product.a.m_stride + first_k;
    const auto& fitting = packed ? tiles.packed : tiles.direct;
    for (int64_t n = 0; n < task.count; n += tiles.columns) {
      const Sums c{sums.data + (row - first_row) * sums.stride + n, sums.stride};
      const int64_t left = task.count - n;
      const GemmTile tile = fitting[2 * left > tiles.columns][height - 1];
      const TileAddend addend =
          first_k > 0 ? TileAddend{c.data, c.stride}
                      : bias_of_tile(product.bias, row, height, task.n + n, std::min<int64_t>(left, tiles.columns), c);
      if (left >= tiles.columns) {
        tile(a, product.a.m_stride, b + n * k, tiles.columns, k, c.data, c.stride, addend);
      } else {
        run_partial(tile, a, product.a.m_stride, b + n * k, tiles.columns, k, c, height, left, addend);
      }
    }
  }
}

// A row of sums to its place in an image.
void copy_row(const float* from, const GemmTarget& c, int64_t row, int64_t n, int64_t count) {
  float* const out = c.data + row * c.row_stride;
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
  const int64_t tile_columns = gemm_tiles().columns, first = product.panels.start(task.first_panel);
  const Scratch parts(product.blocks, product.size.k, product.b, product.c);
  const bool direct = product.c.pitch == 0;
  const Sums sums = direct ? Sums{product.c.data + first * product.c.row_stride + task.n, product.c.row_stride}
                           : Sums{scratch + parts.right, product.blocks.columns_per_task};
  for (int64_t k = 0; k < std::max<int64_t>(product.size.k, 1); k += kBlockK) {
    const int64_t count = std::min(kBlockK, product.size.k - k);
    const float* b = scratch;
    if (product.b.packed != nullptr) {
      b = product.b.packed + k * div_up(product.size.n, tile_columns) * tile_columns + task.n * count;
    } else {
      pack_block(product.b, k, count, task.n, task.count, scratch);
    }
    multiply_block(product, task, k, count, b, sums);
  }
  if (direct) return;
  const int64_t last = product.panels.start(task.last_panel);
  for (int64_t row = first; row < last; ++row) {
    copy_row(sums.data + (row - first) * sums.stride, product.c, row, task.n, task.count);
  }
}

}  // namespace

int64_t packed_left_floats(int64_t m, int64_t k) { return m * k; }

void pack_left(int threads, const float* a, int64_t m_stride, int64_t k_stride, float scale, int64_t m, int64_t k,
               float* packed) {
  if (m == 0 || k == 0) return;
  const Panels panels(m);
  parallel_for(threads, panels.count, 16384 / (k * gemm_tiles().rows) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      const int64_t first = panels.start(panel), height = panels.height(panel);
      for (int64_t block = 0; block < k; block += kBlockK) {
        const int64_t count = std::min(kBlockK, k - block);
        float* const to = packed + block * m + first * count;
        const float* const from = a + first * m_stride + block * k_stride;
        for (int64_t i = 0; i < count; ++i) {
          for (int64_t row = 0; row < height; ++row) to[i * height + row] = from[row * m_stride + i * k_stride] * scale;
        }
      }
    }
  });
}

int64_t packed_right_floats(int64_t k, int64_t n) { return k * div_up(n, gemm_tiles().columns) * gemm_tiles().columns; }

void pack_right(int threads, const GemmRight& b, int64_t k, int64_t n, float* packed) {
  const int64_t width = gemm_tiles().columns, tiles = div_up(n, width);
  parallel_for(threads, tiles, 16384 / (k * width + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = 0; block < k; block += kBlockK) {
      const int64_t count = std::min(kBlockK, k - block);
      const int64_t first_n = begin * width, last_n = std::min(end * width, n);
      pack_block(b, block, count, first_n, last_n - first_n, packed + block * tiles * width + first_n * count);
    }
  });
}

int64_t gemm_scratch_floats(int threads, const GemmSize& size, const GemmRight& b, const GemmTarget& c) {
  if (size.m == 0 || size.n == 0) return 0;
  int64_t floats = 0;
  for (const int64_t rows : {int64_t{gemm_tiles().rows}, std::min<int64_t>(gemm_tiles().rows, kCrowdedRows)}) {
    const Blocks blocks(threads, size, Panels(size.m, rows));
    floats = std::max(floats, std::min<int64_t>(threads, blocks.tasks()) * Scratch(blocks, size.k, b, c).total);
  }
  return floats;
}

void gemm(int threads, const GemmSize& size, const GemmLeft& a, const GemmRight& b, const GemmBias& bias,
          const GemmTarget& c, float* scratch) {
  if (size.m == 0 || size.n == 0) return;
  const Panels panels = panels_of(size, a);
  const Product product{size, a, b, bias, c, panels, Blocks(threads, size, panels)};
  const Blocks& blocks = product.blocks;
  const int64_t own = Scratch(blocks, size.k, b, c).total;
  std::atomic<int64_t> next{0};
  parallel_for(threads, std::min<int64_t>(threads, blocks.tasks()), 1, [&](int64_t begin, int64_t) {
    for (int64_t i = next++; i < blocks.tasks(); i = next++) {
      // Tasks of the same columns follow each other: they read the same part of B.
      const int64_t panel = i % blocks.row_tasks * blocks.panels_per_task;
      const int64_t n = i / blocks.row_tasks * blocks.columns_per_task;
      run_task(product,
               {panel, std::min(panel + blocks.panels_per_task, panels.count), n,
                std::min(blocks.columns_per_task, size.n - n)},
               scratch + begin * own);
    }
  });
}

bool is_small_product(const GemmSize& size, int64_t b_k_stride) {
  const bool narrow = 2 * size.n < gemm_tiles().columns;
  return size.k > 0 && size.k <= (narrow ? kNarrowK : kBlockK) && size.k * size.n <= kSmallRight &&
         !is_crowded(b_k_stride, size.k);
}

void gemm_small(const GemmSize& size, const float* a, int64_t a_m_stride, const float* b, int64_t b_k_stride, float* c,
                int64_t c_row_stride) {
  const GemmTiles& tiles = gemm_tiles();
  const Panels panels = panels_of(size, {.base = a, .m_stride = a_m_stride});
  const int64_t half = tiles.columns / 2;
  alignas(64) float padded[kNarrowK * kMaxTileColumns / 2];
  if (size.n < half) {
    for (int64_t k = 0; k < size.k; ++k) {
      for (int64_t n = 0; n < half; ++n) padded[k * half + n] = n < size.n ? b[k * b_k_stride + n] : 0;
    }
  }
  for (int64_t n = 0; n < size.n;) {
    // Where a tile would stick out it moves back, and computes some columns again.
    const bool wide = size.n - n > half && size.n >= tiles.columns;
    const int64_t width = wide ? tiles.columns : half, first = std::min(n, std::max<int64_t>(size.n - width, 0));
    for (int64_t panel = 0; panel < panels.count; ++panel) {
      const int64_t row = panels.start(panel), height = panels.height(panel);
      const GemmTile tile = tiles.direct[wide][height - 1];
      const float* const rows = a + row * a_m_stride;
      float* const sums = c + row * c_row_stride + first;
      if (size.n < half) {
        run_partial(tile, rows, a_m_stride, padded, half, size.k, {sums, c_row_stride}, height, size.n, {});
      } else {
        tile(rows, a_m_stride, b + first, b_k_stride, size.k, sums, c_row_stride, {});
      }
    }
    n = first + width;
  }
}

namespace {

constexpr int64_t kLines = 8;

// y += the sum of `count` rows of x, each with its factor. Several at once: memory is read in as many streams.
HONE_SIMD void add_scaled(const float* __restrict x, int64_t x_stride, const float* __restrict factors, int64_t count,
                          float* __restrict y, int64_t n) {
  if (count == kLines) {
    for (int64_t i = 0; i < n; ++i) {
      float sum = y[i];
      for (int64_t line = 0; line < kLines; ++line) sum += x[line * x_stride + i] * factors[line];
      y[i] = sum;
    }
    return;
  }
  for (int64_t line = 0; line < count; ++line) {
    for (int64_t i = 0; i < n; ++i) y[i] += x[line * x_stride + i] * factors[line];
  }
}

HONE_SIMD float dot(const float* __restrict a, int64_t a_stride, const float* __restrict b, int64_t n) {
  constexpr int64_t kLanes = 64;
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
               const GemmRight& b, const GemmBias& bias, float* c, int64_t row_stride) {
  constexpr int64_t kStretch = 1024;  // columns whose sums stay in the first-level cache
  const auto start = [&](int64_t row, int64_t n) {
    return bias.rows != nullptr ? bias.rows[row] : bias.columns != nullptr ? bias.columns[n] : 0;
  };
  if (b.n_stride != 1) {
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
    for (int64_t k = 0; k < size.k; k += kLines) {
      const int64_t lines = std::min(kLines, size.k - k);
      for (int64_t row = 0; row < size.m; ++row) {
        float factors[kLines];
        for (int64_t i = 0; i < lines; ++i) factors[i] = a[row * m_stride + (k + i) * k_stride] * scale;
        add_scaled(b.base + k * b.k_stride + first, b.k_stride, factors, lines, c + row * row_stride + first, count);
      }
    }
  }
}

}  // namespace hone::cpu
