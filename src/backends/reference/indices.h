// Operands that hold indices: reading them and checking that they lie within an axis.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "base/parallel.h"
#include "hone/kernel.h"

namespace hone::reference {

// Element i of an int32 or int64 operand.
inline int64_t read_int(const TensorView& view, int64_t i) {
  return view.dtype == DataType::kInt32 ? int64_t{view.as<const int32_t>()[i]} : view.as<const int64_t>()[i];
}

// A position on an axis of `size` elements that may count from its end.
inline int64_t from_end(int64_t index, int64_t size) { return index < 0 ? index + size : index; }

inline Status bad_index(std::string_view operand, int64_t place, int64_t value, int64_t size) {
  return runtime_error("element " + std::to_string(place) + " of '" + std::string(operand) + "' is " +
                       std::to_string(value) + ", must be in [-" + std::to_string(size) + ", " + std::to_string(size) +
                       "), the size of the axis that it picks from");
}

// Every element of `indices` is within [-size, size).
inline Status check_indices(int threads, const TensorView& indices, std::string_view operand, int64_t size) {
  std::atomic<int64_t> bad{-1};
  parallel_for(threads, indices.count(), 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t index = read_int(indices, i);
      if (index >= -size && index < size) continue;
      bad.store(i, std::memory_order_relaxed);
      return;
    }
  });
  const int64_t place = bad.load();
  return place < 0 ? Status() : bad_index(operand, place, read_int(indices, place), size);
}

// Index tuples along the last axis of `indices`: component k within [-sizes[k], sizes[k]).
inline Status check_tuples(const TensorView& indices, std::string_view operand, std::span<const int64_t> sizes) {
  const auto length = static_cast<int64_t>(sizes.size());
  const int64_t count = indices.count();
  for (int64_t i = 0; i < count; ++i) {
    const int64_t index = read_int(indices, i), size = sizes[static_cast<size_t>(i % length)];
    if (index < -size || index >= size) return bad_index(operand, i, index, size);
  }
  return {};
}

// The flat element offset that checked tuple `tuple` picks: `strides` are those of the axes it indexes.
inline int64_t tuple_offset(const TensorView& indices, int64_t tuple, std::span<const int64_t> sizes,
                            std::span<const int64_t> strides) {
  const auto length = static_cast<int64_t>(sizes.size());
  int64_t offset = 0;
  for (int64_t k = 0; k < length; ++k) {
    const auto axis = static_cast<size_t>(k);
    offset += from_end(read_int(indices, tuple * length + k), sizes[axis]) * strides[axis];
  }
  return offset;
}

}  // namespace hone::reference
