#include "hone/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace hone {

namespace {

// Names of temporary files, where a signal handler finds them. The handler reads a slot only while `used` holds
// kNamed; more writers than slots just aren't cleaned after.
struct TempSlot {
  enum State : int { kFree, kTaken, kNamed };
  std::atomic<int> state{kFree};
  char path[PATH_MAX];
};
std::array<TempSlot, 16> temp_slots;

class TempName {
 public:
  explicit TempName(const std::string& path) {
    for (TempSlot& slot : temp_slots) {
      int expected = TempSlot::kFree;
      if (path.size() >= sizeof(slot.path) || !slot.state.compare_exchange_strong(expected, TempSlot::kTaken)) continue;
      std::memcpy(slot.path, path.c_str(), path.size() + 1);
      slot.state.store(TempSlot::kNamed);
      slot_ = &slot;
      return;
    }
  }
  ~TempName() {
    if (slot_ != nullptr) slot_->state.store(TempSlot::kFree);
  }
  TempName(const TempName&) = delete;
  TempName& operator=(const TempName&) = delete;

 private:
  TempSlot* slot_ = nullptr;
};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_;
};

Status failure(const std::string& path, const char* what, int error) {
  const Code code = error == ENOENT || error == ENOTDIR ? Code::kNotFound : Code::kResource;
  return {code, "can't write '" + path + "': " + what + ": " + std::strerror(error)};
}

Status write_all(int fd, std::span<const std::byte> bytes, const std::string& path) {
  constexpr size_t kChunk = size_t{1} << 30;  // one write() takes at most 2 GiB
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), std::min(bytes.size(), kChunk));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return failure(path, "write", n == 0 ? EIO : errno);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  if (::fsync(fd) != 0) return failure(path, "sync", errno);
  return {};
}

void sync_folder(const std::string& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid()) ::fsync(fd.get());  // some file systems can't; the data itself is synced
}

// Where the bytes finally go: links are followed.
Result<std::string> final_path(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return path;
    return failure(path, "look", errno);
  }
  std::string target = path;
  if (S_ISLNK(info.st_mode)) {
    char* resolved = ::realpath(path.c_str(), nullptr);
    if (resolved == nullptr) return failure(path, "follow the link", errno);
    target = resolved;
    ::free(resolved);
    if (::stat(target.c_str(), &info) != 0) return failure(path, "look", errno);
  }
  if (!S_ISREG(info.st_mode)) return invalid_argument("can't write '" + path + "': it isn't a regular file");
  return target;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string temp_path(const std::string& target) {
  static std::atomic<unsigned> counter{0};
  return target + ".tmp." + std::to_string(::getpid()) + "." + std::to_string(counter.fetch_add(1));
}

Status rename_into_place(const std::string& temp, const std::string& target) {
  if (::rename(temp.c_str(), target.c_str()) == 0) return {};
  const int error = errno;
  ::unlink(temp.c_str());
  return failure(target, "rename", error);
}

// Gives the nameless file `fd` the name `target`; by way of `temp` when there is a file of that name already.
Status link_into_place(int fd, const std::string& temp, const std::string& target) {
  const std::string self = "/proc/self/fd/" + std::to_string(fd);
  if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, target.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
  if (errno != EEXIST) return failure(target, "link", errno);
  const TempName name(temp);
  if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, temp.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return failure(target, "link", errno);
  }
  return rename_into_place(temp, target);
}

Status write_named(const std::string& temp, const std::string& target, std::span<const std::byte> bytes) {
  const TempName name(temp);
  const Descriptor fd(::open(temp.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!fd.valid()) return failure(target, "create", errno);
  if (Status status = write_all(fd.get(), bytes, target); !status.ok()) {
    ::unlink(temp.c_str());
    return status;
  }
  return rename_into_place(temp, target);
}

}  // namespace

Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes) {
  if (path.empty()) return invalid_argument("can't write a file without a name");
  HONE_ASSIGN(const std::string target, final_path(path));
  const std::string folder = folder_of(target), temp = temp_path(target);
  bool nameless = false;
#ifdef O_TMPFILE
  {
    const Descriptor fd(::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666));
    nameless = fd.valid();
    if (nameless) {
      HONE_TRY(write_all(fd.get(), bytes, path));
      nameless = ::access("/proc/self/fd", X_OK) == 0;
      if (nameless) HONE_TRY(link_into_place(fd.get(), temp, target));
    }
  }
#endif
  if (!nameless) HONE_TRY(write_named(temp, target, bytes));
  sync_folder(folder);
  return {};
}

void remove_unfinished_files() {
  for (TempSlot& slot : temp_slots) {
    if (slot.state.load() == TempSlot::kNamed) ::unlink(slot.path);
  }
}

}  // namespace hone
