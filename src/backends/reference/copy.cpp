#include "backends/reference/copy.h"

#include <algorithm>
#include <cstring>

#include "base/dispatch.h"
#include "base/parallel.h"

namespace hone::reference {

namespace {

constexpr int64_t kGrainBytes = 1 << 16;  // what is worth a thread
constexpr int64_t kTile = 32;             // elements, for copies that run across memory on one side

// The copy with its axes merged where both sides allow it. There is at least one axis.
struct Loops {
  Extents dims, to, from;

  Loops(std::span<const int64_t> all, const Extents& to_strides, const Extents& from_strides) {
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i] == 1) continue;
      const bool merges =
          !dims.empty() && to.back() == to_strides[i] * all[i] && from.back() == from_strides[i] * all[i];
      if (merges) {
        dims.back() *= all[i];
        to.back() = to_strides[i];
        from.back() = from_strides[i];
      } else {
        dims.push_back(all[i]);
        to.push_back(to_strides[i]);
        from.push_back(from_strides[i]);
      }
    }
    if (!dims.empty()) return;
    dims.push_back(1);
    to.push_back(1);
    from.push_back(1);
  }

  // Puts the axis along which `from` is contiguous second to last, if the last one isn't it: pairs of axes are copied
  // in tiles.
  bool tile() {
    const size_t last = dims.size() - 1;
    if (from[last] == 1 || dims[last] < 4) return false;
    for (size_t i = 0; i < last; ++i) {
      if (from[i] != 1 || dims[i] < 4) continue;
      for (size_t k = i; k + 1 < last; ++k) {
        std::swap(dims[k], dims[k + 1]);
        std::swap(to[k], to[k + 1]);
        std::swap(from[k], from[k + 1]);
      }
      return true;
    }
    return false;
  }
};

template <class T>
void copy_row(T* to, int64_t to_step, const T* from, int64_t from_step, int64_t count) {
  if (to_step == 1 && from_step == 1) {
    std::memcpy(to, from, static_cast<size_t>(count) * sizeof(T));
  } else if (to_step == 1 && from_step == 0) {
    std::fill_n(to, count, *from);
  } else {
    for (int64_t i = 0; i < count; ++i) to[i * to_step] = from[i * from_step];
  }
}

// Walks the outermost `axes` axes: run(to offset, from offset) for their positions begin to end.
template <class F>
void for_each_position(const Loops& loops, size_t axes, int64_t begin, int64_t end, F&& run) {
  Extents at = Extents::filled(axes, 0);
  int64_t rest = begin;
  for (size_t axis = axes; axis-- > 0;) {
    at[axis] = rest % loops.dims[axis];
    rest /= loops.dims[axis];
  }
  for (int64_t position = begin; position < end; ++position) {
    int64_t to = 0, from = 0;
    for (size_t axis = 0; axis < axes; ++axis) {
      to += at[axis] * loops.to[axis];
      from += at[axis] * loops.from[axis];
    }
    run(to, from);
    for (size_t axis = axes; axis-- > 0;) {
      if (++at[axis] < loops.dims[axis]) break;
      at[axis] = 0;
    }
  }
}

int64_t outer_count(const Loops& loops, size_t axes) {
  return count_of(std::span<const int64_t>(loops.dims.data(), axes));
}

template <class T>
void copy_rows(int threads, const Loops& loops, T* to, const T* from) {
  const size_t inner = loops.dims.size() - 1;
  const int64_t row = loops.dims[inner], rows = outer_count(loops, inner);
  const int64_t to_step = loops.to[inner], from_step = loops.from[inner];
  const auto copy = [&](int64_t first_row, int64_t last_row, int64_t first, int64_t last) {
    for_each_position(loops, inner, first_row, last_row, [&](int64_t to_offset, int64_t from_offset) {
      copy_row(to + to_offset + first * to_step, to_step, from + from_offset + first * from_step, from_step,
               last - first);
    });
  };
  constexpr int64_t kGrain = kGrainBytes / static_cast<int64_t>(sizeof(T));
  if (rows >= row) {
    parallel_for(threads, rows, std::max<int64_t>(1, kGrain / row),
                 [&](int64_t begin, int64_t end) { copy(begin, end, 0, row); });
  } else {
    parallel_for(threads, row, std::max<int64_t>(1, kGrain / rows),
                 [&](int64_t begin, int64_t end) { copy(0, rows, begin, end); });
  }
}

template <class T>
void copy_tile(const Loops& loops, int64_t first_row, int64_t rows, T* to, const T* from) {
  const size_t inner = loops.dims.size() - 1, outer = inner - 1;
  for (int64_t left = 0; left < loops.dims[inner]; left += kTile) {
    const int64_t columns = std::min(kTile, loops.dims[inner] - left);
    for (int64_t i = first_row; i < first_row + rows; ++i) {
      copy_row(to + i * loops.to[outer] + left * loops.to[inner], loops.to[inner],
               from + i * loops.from[outer] + left * loops.from[inner], loops.from[inner], columns);
    }
  }
}

template <class T>
void copy_tiles(int threads, const Loops& loops, T* to, const T* from) {
  const size_t inner = loops.dims.size() - 1, outer = inner - 1;
  const int64_t bands = (loops.dims[outer] + kTile - 1) / kTile;
  const int64_t grain =
      std::max<int64_t>(1, kGrainBytes / static_cast<int64_t>(sizeof(T)) / (kTile * loops.dims[inner]));
  parallel_for(threads, outer_count(loops, outer) * bands, grain, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const int64_t first = k % bands * kTile;
      for_each_position(loops, outer, k / bands, k / bands + 1, [&](int64_t to_offset, int64_t from_offset) {
        copy_tile(loops, first, std::min(kTile, loops.dims[outer] - first), to + to_offset, from + from_offset);
      });
    }
  });
}

}  // namespace

void copy_bytes(int threads, std::byte* to, const std::byte* from, size_t bytes) {
  parallel_for(threads, static_cast<int64_t>(bytes), kGrainBytes * 4, [&](int64_t begin, int64_t end) {
    std::memcpy(to + begin, from + begin, static_cast<size_t>(end - begin));
  });
}

void fill_elements(int threads, std::byte* to, int64_t count, const std::byte* element, size_t width) {
  const auto bytes = static_cast<int64_t>(width);
  parallel_for(threads, count, kGrainBytes / bytes, [&](int64_t begin, int64_t end) {
    std::byte* const start = to + begin * bytes;
    const int64_t total = (end - begin) * bytes;
    std::memcpy(start, element, width);
    for (int64_t done = bytes; done < total; done *= 2) {
      std::memcpy(start + done, start, static_cast<size_t>(std::min(done, total - done)));
    }
  });
}

Status copy_strided(int threads, DataType dtype, std::span<const int64_t> dims, const StridedSide& to,
                    const StridedSide& from) {
  if (std::find(dims.begin(), dims.end(), 0) != dims.end()) return {};
  Loops loops(dims, to.strides, from.strides);
  const bool tiled = loops.tile();
  return visit_width(dtype, [&]<class T>() {
    auto* const target = reinterpret_cast<T*>(to.data);
    const auto* const source = reinterpret_cast<const T*>(from.data);
    if (tiled) {
      copy_tiles(threads, loops, target, source);
    } else {
      copy_rows(threads, loops, target, source);
    }
    return Status();
  });
}

}  // namespace hone::reference
