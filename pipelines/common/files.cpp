#include "pipelines/common/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace hone {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string quoted(const std::string& path) { return "'" + path + "'"; }

Status system_error(const std::string& what, int error) {
  std::string message = what + ": " + std::strerror(error);
  if (error == ENOENT || error == ENOTDIR) return {Code::kNotFound, std::move(message)};
  if (error == ENOMEM || error == EMFILE || error == ENFILE) return resource_error(std::move(message));
  return runtime_error(std::move(message));
}

}  // namespace

Result<std::vector<std::byte>> read_file(const std::string& path, int64_t max_bytes) {
  // O_NONBLOCK: opening a pipe without a writer must not wait.
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return system_error("can't open " + quoted(path), errno);
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return system_error("can't read " + quoted(path), errno);
  if (!S_ISREG(info.st_mode)) return invalid_argument(quoted(path) + " isn't a regular file");
  if (info.st_size > max_bytes) {
    return resource_error(quoted(path) + " has " + std::to_string(info.st_size) + " bytes; " +
                          std::to_string(max_bytes) + " are allowed");
  }
  std::vector<std::byte> bytes;
  try {
    bytes.resize(static_cast<size_t>(info.st_size));
  } catch (const std::bad_alloc&) {
    return resource_error("no memory for the " + std::to_string(info.st_size) + " bytes of " + quoted(path));
  }
  size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = read(file.get(), bytes.data() + have, std::min(bytes.size() - have, size_t{1} << 30));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("can't read " + quoted(path), errno);
    if (got == 0) break;  // somebody made it shorter meanwhile
    have += static_cast<size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

}  // namespace hone
