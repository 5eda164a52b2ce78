// Arrays of doubles with N-dimensional positions: for expectations computed the slow and obvious way.
#pragma once

#include <vector>

#include "support/tensors.h"

namespace hone::test {

class Array {
 public:
  explicit Array(Extents dims, double value = 0) : dims_(dims), values_(static_cast<size_t>(count_of(dims)), value) {}
  explicit Array(const Tensor& tensor) : dims_(tensor.dims()), values_(to_doubles(tensor)) {}

  const Extents& dims() const { return dims_; }
  bool contains(const Extents& at) const {
    bool inside = at.size() == dims_.size();
    for (size_t i = 0; inside && i < at.size(); ++i) inside = at[i] >= 0 && at[i] < dims_[i];
    return inside;
  }
  double& operator[](const Extents& at) { return values_[flat(at)]; }
  double operator[](const Extents& at) const { return values_[flat(at)]; }
  // The element that `at`, a position in an array this one broadcasts to, reads.
  double broadcast(const Extents& at) const {
    Extents own;
    const size_t missing = at.size() - dims_.size();
    for (size_t i = 0; i < dims_.size(); ++i) own.push_back(dims_[i] == 1 ? 0 : at[missing + i]);
    return (*this)[own];
  }
  Tensor tensor(DataType dtype) const { return tensor_from_doubles(dtype, dims_, values_); }

 private:
  size_t flat(const Extents& at) const {
    int64_t index = 0;
    for (size_t i = 0; i < dims_.size(); ++i) index = index * dims_[i] + at[i];
    return static_cast<size_t>(index);
  }

  Extents dims_;
  std::vector<double> values_;
};

// Calls f(position) for every position in an array of these dims, row-major.
template <class F>
void for_each_position(const Extents& dims, F&& f) {
  const int64_t count = count_of(dims);
  for (int64_t index = 0; index < count; ++index) {
    Extents at = dims;
    int64_t rest = index;
    for (size_t i = dims.size(); i-- > 0; rest /= dims[i]) at[i] = rest % dims[i];
    f(at);
  }
}

}  // namespace hone::test
