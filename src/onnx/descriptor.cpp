#include "onnx/descriptor.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

namespace hone::onnx {

Result<int64_t> regular_file_size(const Descriptor& file, bool single_name) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return resource_error(std::string("can't be examined: ") + std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return invalid_argument("isn't a regular file");
  if (single_name && info.st_nlink != 1) {
    return invalid_model("is a hard link, which may point out of the model's folder; put a copy there");
  }
  return static_cast<int64_t>(info.st_size);
}

Status read_at(const Descriptor& file, int64_t offset, std::span<std::byte> out) {
  constexpr size_t kChunk = size_t{1} << 30;  // one pread() takes at most 2 GiB
  while (!out.empty()) {
    const ssize_t n = ::pread(file.get(), out.data(), std::min(out.size(), kChunk), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return resource_error(std::string("can't be read: ") + std::strerror(errno));
    if (n == 0) return resource_error("became shorter while it was read");
    out = out.subspan(static_cast<size_t>(n));
    offset += n;
  }
  return {};
}

}  // namespace hone::onnx
