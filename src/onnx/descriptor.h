// Reading files into memory by descriptor.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "hone/status.h"

namespace hone::onnx {

// An open file; closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_;
};

// The size of a regular file; anything else (folder, FIFO, device) is an error, and so is, with `single_name`, a file
// that has other names (hard links).
Result<int64_t> regular_file_size(const Descriptor& file, bool single_name);

// Fills `out` from byte `offset`; an error if the file ends before.
Status read_at(const Descriptor& file, int64_t offset, std::span<std::byte> out);

}  // namespace hone::onnx
