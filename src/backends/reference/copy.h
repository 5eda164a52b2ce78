// Copying elements of any type, contiguous and strided.
#pragma once

#include "hone/status.h"
#include "hone/tensor.h"

namespace hone::reference {

// Contiguous bytes, on up to `threads` threads.
void copy_bytes(int threads, std::byte* to, const std::byte* from, size_t bytes);

// Fills `count` elements of `width` bytes (a power of two up to 8) with copies of one.
void fill_elements(int threads, std::byte* to, int64_t count, const std::byte* element, size_t width);

// One side of a strided copy: the element at position 0, and how far apart neighbours are on each axis, in elements;
// 0 and negative strides are fine (0 on the reading side only).
struct StridedSide {
  std::byte* data = nullptr;
  Extents strides;
};

// to[i] = from[i] for all positions i in `dims`. Elements are of type `dtype`; the sides don't overlap.
Status copy_strided(int threads, DataType dtype, std::span<const int64_t> dims, const StridedSide& to,
                    const StridedSide& from);

}  // namespace hone::reference
