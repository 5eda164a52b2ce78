#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace hone {

Result<MappedFile> map_file(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for its writer.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const Code code = errno == ENOENT || errno == ENOTDIR ? Code::kNotFound : Code::kResource;
    return Status(code, "can't open '" + path + "': " + std::strerror(errno));
  }
  const std::shared_ptr<const int> close_at_end(&fd, [](const int* open_fd) { ::close(*open_fd); });
  struct stat info {};
  if (::fstat(fd, &info) != 0) return resource_error("can't read '" + path + "': " + std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return invalid_argument("'" + path + "' isn't a regular file");
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0) return MappedFile{};
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED) return resource_error("can't map '" + path + "': " + std::strerror(errno));
  return MappedFile{
      .bytes = {static_cast<const std::byte*>(memory), size},
      .owner = std::shared_ptr<const void>(memory, [size](const void* p) { ::munmap(const_cast<void*>(p), size); })};
}

}  // namespace hone
