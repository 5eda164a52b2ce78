#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "graph/text.h"

namespace hone {

namespace {

constexpr uint64_t kAlignment = 64;

}  // namespace

uint32_t WeightsWriter::index_of(const Tensor& tensor) {
  const std::span contents(tensor.data(), tensor.bytes());
  const auto known = by_address_.find(contents.data());
  if (known != by_address_.end() && blocks_[known->second].bytes == contents.size()) return known->second;
  const uint64_t hash = hash64(contents);
  const auto [begin, end] = by_hash_.equal_range(hash);
  const auto equal = std::find_if(begin, end, [&](const auto& entry) {
    const Tensor& other = tensors_[entry.second];
    return other.bytes() == contents.size() &&
           (contents.empty() || std::memcmp(other.data(), contents.data(), contents.size()) == 0);
  });
  if (equal != end) return equal->second;
  const auto index = static_cast<uint32_t>(blocks_.size());
  blocks_.push_back({size_bytes_, contents.size()});
  tensors_.push_back(tensor);
  by_hash_.emplace(hash, index);
  by_address_.emplace(contents.data(), index);
  size_bytes_ = (size_bytes_ + contents.size() + kAlignment - 1) / kAlignment * kAlignment;
  return index;
}

std::vector<std::byte> WeightsWriter::bytes() const {
  std::vector<std::byte> bytes(size_bytes_);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    std::copy_n(tensors_[i].data(), blocks_[i].bytes, bytes.data() + blocks_[i].offset);
  }
  return bytes;
}

}  // namespace hone
