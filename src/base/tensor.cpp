#include "hone/tensor.h"

#include <cstdlib>
#include <cstring>

namespace hone {

int64_t count_of(std::span<const int64_t> dims) {
  int64_t count = 1;
  for (int64_t dim : dims) count *= dim;
  return count;
}

Result<int64_t> checked_count(std::span<const int64_t> dims) {
  int64_t count = 1;
  bool empty = false;
  for (int64_t dim : dims) {
    if (dim < 0)
      return invalid_argument("dimension " + std::to_string(dim) + " of " + to_string(dims) + " is negative");
    if (dim == 0) empty = true;
    if (dim != 0 && __builtin_mul_overflow(count, dim, &count)) {
      return invalid_argument("the shape " + to_string(dims) + " has more than 2^63 - 1 elements");
    }
  }
  return empty ? 0 : count;
}

Extents row_major_strides(std::span<const int64_t> dims) {
  Extents strides = Extents::filled(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

Result<size_t> checked_bytes(DataType type, int64_t count) {
  const int bits = bits_of(type);
  if (bits == 0) return invalid_argument("elements of type " + std::string(name_of(type)) + " have no size in bytes");
  int64_t total_bits = 0;
  if (__builtin_mul_overflow(count, int64_t{bits}, &total_bits) || total_bits > INT64_MAX - 7) {
    return resource_error(std::to_string(count) + " elements of " + std::string(name_of(type)) + " exceed 2^60 bytes");
  }
  return static_cast<size_t>((total_bits + 7) / 8);
}

std::string to_string(std::span<const int64_t> dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) text += (i ? "," : "") + std::to_string(dims[i]);
  return text + "]";
}

Result<Tensor> Tensor::make(DataType dtype, std::span<const int64_t> dims) {
  if (dims.size() > kMaxRank) {
    return unsupported("rank " + std::to_string(dims.size()) + " exceeds the limit of " + std::to_string(kMaxRank));
  }
  HONE_ASSIGN(const int64_t count, checked_count(dims));
  HONE_ASSIGN(const size_t bytes, checked_bytes(dtype, count));
  constexpr size_t kAlignment = 64;
  const size_t rounded = (bytes / kAlignment + 1) * kAlignment;
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded));
  if (memory == nullptr) return resource_error("out of memory: can't allocate " + std::to_string(bytes) + " bytes");
  std::memset(memory, 0, rounded);
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.dims_ = Extents(dims);
  tensor.owner_ = std::shared_ptr<void>(memory, std::free);
  tensor.data_ = memory;
  return tensor;
}

Tensor Tensor::share(DataType dtype, Extents dims, const std::byte* data, std::shared_ptr<const void> owner) {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.dims_ = dims;
  tensor.data_ = data;
  tensor.owner_ = std::move(owner);
  return tensor;
}

Tensor Tensor::of_strings(Extents dims, std::vector<std::string> strings) {
  assert(count_of(dims) == static_cast<int64_t>(strings.size()));
  Tensor tensor;
  tensor.dtype_ = DataType::kString;
  tensor.dims_ = dims;
  tensor.strings_ = std::make_shared<const std::vector<std::string>>(std::move(strings));
  return tensor;
}

Tensor Tensor::reshaped(Extents dims) const {
  assert(count_of(dims) == count());
  Tensor tensor = *this;
  tensor.dims_ = dims;
  return tensor;
}

}  // namespace hone
