// Memory that only grows, 64-byte aligned.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>

#include "hone/status.h"

namespace hone {

class AlignedBuffer {
 public:
  std::byte* data() const { return memory_.get(); }
  size_t capacity() const { return capacity_; }

  // Makes room for `bytes`; contents are lost when it has to move.
  Status reserve(size_t bytes) {
    if (bytes <= capacity_) return {};
    if (bytes > SIZE_MAX / 2) return resource_error("a buffer of " + std::to_string(bytes) + " bytes is too large");
    const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    memory_.reset();
    capacity_ = 0;
    memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded)));
    if (memory_ == nullptr)
      return resource_error("out of memory: can't allocate " + std::to_string(rounded) + " bytes");
    capacity_ = rounded;
    return {};
  }

 private:
  static constexpr size_t kAlignment = 64;
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  size_t capacity_ = 0;
};

}  // namespace hone
