// TensorView: borrowed memory with a type and a shape. Tensor: memory that it owns or shares.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hone/status.h"
#include "hone/types.h"

namespace hone {

// The largest rank of a tensor, as in TensorRT.
inline constexpr size_t kMaxRank = 8;

// Up to kMaxRank numbers without heap memory: sizes, strides, positions.
class Extents {
 public:
  Extents() = default;
  Extents(std::initializer_list<int64_t> values) : Extents(std::span(values.begin(), values.size())) {}
  // At most kMaxRank values.
  explicit Extents(std::span<const int64_t> values) : rank_(values.size()) {
    assert(values.size() <= kMaxRank);
    for (size_t i = 0; i < rank_; ++i) values_[i] = values[i];
  }
  static Extents filled(size_t rank, int64_t value) {
    Extents extents;
    extents.rank_ = rank;
    for (size_t i = 0; i < rank; ++i) extents.values_[i] = value;
    return extents;
  }

  size_t size() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  void push_back(int64_t value) {
    assert(rank_ < kMaxRank);
    values_[rank_++] = value;
  }
  int64_t& operator[](size_t i) { return values_[i]; }
  int64_t operator[](size_t i) const { return values_[i]; }
  int64_t& back() { return values_[rank_ - 1]; }
  int64_t back() const { return values_[rank_ - 1]; }
  int64_t* begin() { return values_.data(); }
  int64_t* end() { return values_.data() + rank_; }
  const int64_t* begin() const { return values_.data(); }
  const int64_t* end() const { return values_.data() + rank_; }
  const int64_t* data() const { return values_.data(); }
  operator std::span<const int64_t>() const { return {values_.data(), rank_}; }
  friend bool operator==(const Extents& a, const Extents& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<int64_t, kMaxRank> values_{};
  size_t rank_ = 0;
};

// The product of all (1 for rank 0). Callers have checked that it doesn't overflow (checked_count).
int64_t count_of(std::span<const int64_t> dims);
// The product, or an error for negative dimensions and products above 2^63 - 1.
Result<int64_t> checked_count(std::span<const int64_t> dims);
// Row-major strides in elements.
Extents row_major_strides(std::span<const int64_t> dims);
// Bytes of `count` elements, packed types rounded up; an error on overflow. Strings have none: error.
Result<size_t> checked_bytes(DataType type, int64_t count);
// "[1,3,640,640]"
std::string to_string(std::span<const int64_t> dims);

// Borrowed, row-major, contiguous memory. Doesn't own; whoever made it keeps `data` alive. Inputs handed to a
// kernel as TensorView are read only by convention.
struct TensorView {
  std::byte* data = nullptr;
  DataType dtype = DataType::kUndefined;
  Extents dims;

  // False for an optional operand that isn't there.
  bool present() const { return dtype != DataType::kUndefined; }
  size_t rank() const { return dims.size(); }
  int64_t count() const { return count_of(dims); }
  size_t bytes() const { return (static_cast<size_t>(count()) * static_cast<size_t>(bits_of(dtype)) + 7) / 8; }
  // The elements; T must be dtype's C++ type.
  template <class T>
  T* as() const {
    assert(dtype == kDataTypeOf<std::remove_const_t<T>>);
    return reinterpret_cast<T*>(data);
  }
  template <class T>
  std::span<T> elements() const {
    return {as<T>(), static_cast<size_t>(count())};
  }
};

// A host tensor. Copies share the memory; treat shared contents as read-only. Memory is 64-byte aligned when
// allocated here. String tensors hold `strings` instead of bytes.
class Tensor {
 public:
  Tensor() = default;
  // Allocates zeroed memory. Errors: negative or overflowing dims, more than kMaxRank of them, out of memory.
  static Result<Tensor> make(DataType dtype, std::span<const int64_t> dims);
  // Shares `data`, kept alive by `owner`; `data` holds the bytes that dtype and dims ask for.
  static Tensor share(DataType dtype, Extents dims, const std::byte* data, std::shared_ptr<const void> owner);
  static Tensor of_strings(Extents dims, std::vector<std::string> strings);
  // Copies `values`; dims must hold as many.
  template <class T>
  static Tensor of(std::span<const T> values, std::span<const int64_t> dims);
  template <class T>
  static Tensor vector(std::initializer_list<T> values) {
    const int64_t n = static_cast<int64_t>(values.size());
    return of<T>(std::span<const T>(values.begin(), values.size()), std::span(&n, 1));
  }
  template <class T>
  static Tensor scalar(T value) {
    return of<T>(std::span<const T>(&value, 1), {});
  }

  bool defined() const { return dtype_ != DataType::kUndefined; }
  DataType dtype() const { return dtype_; }
  const Extents& dims() const { return dims_; }
  int64_t count() const { return count_of(dims_); }
  size_t bytes() const { return view().bytes(); }
  const std::byte* data() const { return data_; }
  // Only by the one who made the tensor, before sharing it.
  std::byte* mutable_data() { return const_cast<std::byte*>(data_); }
  const std::vector<std::string>& strings() const { return *strings_; }

  TensorView view() const { return {const_cast<std::byte*>(data_), dtype_, dims_}; }
  template <class T>
  std::span<const T> values() const {
    return view().elements<const T>();
  }
  // The same memory under another shape of the same number of elements.
  Tensor reshaped(Extents dims) const;

 private:
  DataType dtype_ = DataType::kUndefined;
  Extents dims_;
  const std::byte* data_ = nullptr;
  std::shared_ptr<const void> owner_;
  std::shared_ptr<const std::vector<std::string>> strings_;
};

template <class T>
Tensor Tensor::of(std::span<const T> values, std::span<const int64_t> dims) {
  assert(count_of(dims) == static_cast<int64_t>(values.size()));
  Result<Tensor> tensor = make(kDataTypeOf<T>, dims);
  if (!tensor.ok()) return {};
  std::copy(values.begin(), values.end(), reinterpret_cast<T*>(tensor->mutable_data()));
  return *std::move(tensor);
}

}  // namespace hone
