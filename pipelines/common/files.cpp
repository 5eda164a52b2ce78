#include "pipelines/common/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <random>

namespace hone {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close_now(); }
  int get() const { return fd_; }
  int close_now() {
    const int result = fd_ >= 0 ? close(fd_) : 0;
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
};

std::string quoted(const std::string& path) { return "'" + path + "'"; }

Status system_error(const std::string& what, int error) {
  std::string message = what + ": " + std::strerror(error);
  if (error == ENOENT || error == ENOTDIR) return {Code::kNotFound, std::move(message)};
  if (error == ENOSPC || error == EDQUOT || error == ENOMEM) return resource_error(std::move(message));
  return runtime_error(std::move(message));
}

Status write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), std::min<size_t>(bytes.size(), size_t{1} << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("writing failed", errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

// A file name that nobody else uses.
Result<std::string> create_beside(const std::string& path, int& fd) {
  std::random_device random;
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::string name = path + ".tmp-" + std::to_string(getpid()) + "-" + std::to_string(random());
    fd = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return name;
    if (errno != EEXIST) break;
  }
  return system_error("can't write " + quoted(path), errno);
}

Status fill_and_rename(Descriptor& file, const std::string& temporary, const std::string& path,
                       std::span<const std::byte> bytes) {
  HONE_TRY(write_all(file.get(), bytes));
  if (fsync(file.get()) != 0 && errno != EINVAL && errno != EROFS) return system_error("writing failed", errno);
  if (file.close_now() != 0) return system_error("writing failed", errno);
  if (rename(temporary.c_str(), path.c_str()) != 0) return system_error("renaming failed", errno);
  return {};
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

Status write_file(const std::string& path, std::span<const std::byte> bytes) {
  int fd = -1;
  HONE_ASSIGN(const std::string temporary, create_beside(path, fd));
  Descriptor file(fd);
  Status status = fill_and_rename(file, temporary, path, bytes);
  if (!status.ok()) unlink(temporary.c_str());
  return std::move(status).with_context("writing " + quoted(path));
}

}  // namespace hone
