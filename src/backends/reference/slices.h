// Walks the parts of a tensor that a reduction makes one element of.
#pragma once

#include "backends/reference/numeric.h"

namespace hone::reference {

// The axes of an operand, parted into those that a reduction keeps and those that it works on.
struct SlicePlan {
  Extents kept, kept_steps, reduced, reduced_steps;

  // Bit i of `mask`: axis i is reduced.
  SlicePlan(std::span<const int64_t> dims, uint32_t mask) {
    const Extents strides = row_major_strides(dims);
    for (size_t i = 0; i < dims.size(); ++i) {
      const bool is_reduced = (mask >> i & 1) != 0;
      (is_reduced ? reduced : kept).push_back(dims[i]);
      (is_reduced ? reduced_steps : kept_steps).push_back(strides[i]);
    }
  }

  int64_t num_slices() const { return count_of(kept); }
  int64_t slice_size() const { return count_of(reduced); }
  // Where slice `index` (row-major over the kept axes) starts.
  int64_t start(int64_t index) const {
    const Extents at = position_of(index, kept);
    int64_t offset = 0;
    for (size_t i = 0; i < kept.size(); ++i) offset += at[i] * kept_steps[i];
    return offset;
  }
};

// One slice's elements.
template <class T>
class Slice {
 public:
  Slice(const SlicePlan& plan, const T* data, int64_t index)
      : plan_(plan), data_(data + plan.start(index)), size_(plan.slice_size()) {}

  int64_t size() const { return size_; }

  // visit(offset from the slice's start) in row-major order.
  template <class F>
  void for_each_offset(F&& visit) const {
    if (size_ == 0) return;
    if (plan_.reduced.empty()) return visit(int64_t{0});
    const size_t inner = plan_.reduced.size() - 1;
    const int64_t count = plan_.reduced[inner], step = plan_.reduced_steps[inner];
    const std::span<const int64_t> outer(plan_.reduced.data(), inner);
    Extents at = Extents::filled(inner, 0);
    do {
      int64_t offset = 0;
      for (size_t i = 0; i < inner; ++i) offset += at[i] * plan_.reduced_steps[i];
      for (int64_t k = 0; k < count; ++k) visit(offset + k * step);
    } while (next_position(at, outer));
  }

  // visit(element) in row-major order.
  template <class F>
  void for_each(F&& visit) const {
    for_each_offset([&](int64_t offset) { visit(data_[offset]); });
  }

 private:
  const SlicePlan& plan_;
  const T* data_;
  int64_t size_;
};

}  // namespace hone::reference
