#include "onnx/external_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "onnx/descriptor.h"

namespace hone::onnx {

namespace {

Status refuse(std::string_view location, std::string_view why) {
  return invalid_model("external data '" + std::string(location) + "' " + std::string(why));
}

Status open_error(std::string_view location, int error) {
  if (error == ENOENT) {
    return {Code::kNotFound, "external data '" + std::string(location) + "' doesn't exist beside the model"};
  }
  if (error == ELOOP || error == ENOTDIR) {
    return refuse(location, "leads over a symbolic link or a file; put a real file into the model's folder");
  }
  return refuse(location, std::string("can't be opened: ") + std::strerror(error));
}

// Splits "a/b/c" and refuses what could lead out of the folder.
Result<std::vector<std::string>> components(std::string_view location) {
  if (location.empty()) return refuse(location, "has an empty location");
  if (location.find('\0') != std::string_view::npos) return refuse(location, "has a NUL in its location");
  if (location.front() == '/') return refuse(location, "has an absolute path; it must lie in the model's folder");
  std::vector<std::string> parts;
  while (!location.empty()) {
    const size_t slash = std::min(location.find('/'), location.size());
    const std::string_view part = location.substr(0, slash);
    if (part == "..") return refuse(location, "leaves the model's folder with '..'");
    if (!part.empty() && part != ".") parts.emplace_back(part);
    location.remove_prefix(std::min(slash + 1, location.size()));
  }
  if (parts.empty()) return refuse(location, "names a folder");
  return parts;
}

// Opens component by component, so that no symbolic link is followed even if one appears meanwhile.
Result<Descriptor> open_below(const std::string& folder, std::string_view location) {
  HONE_ASSIGN(const std::vector<std::string> parts, components(location));
  Descriptor at(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!at.valid()) return open_error(location, errno);
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (last ? O_NONBLOCK : O_DIRECTORY);
    Descriptor next(::openat(at.get(), parts[i].c_str(), flags));
    if (!next.valid()) return open_error(location, errno);
    at = std::move(next);
  }
  return at;
}

}  // namespace

Result<Tensor> ExternalData::read(const ExternalLocation& where, DataType dtype, const Extents& dims,
                                  size_t bytes) const {
  const auto key = std::tuple(where.location, where.offset, bytes);
  if (const auto it = regions_.find(key); it != regions_.end()) {
    const Tensor& known = it->second;
    return Tensor::share(dtype, dims, known.data(), std::make_shared<Tensor>(known));
  }
  HONE_ASSIGN(const Descriptor file, open_below(folder_, where.location));
  HONE_ASSIGN(const int64_t size, regular_file_size(file, /*single_name=*/true)
                                      .with_context("external data '" + std::string(where.location) + "'"));
  if (where.length >= 0 && static_cast<uint64_t>(where.length) != bytes) {
    return refuse(where.location, "has length " + std::to_string(where.length) + ", but the tensor needs " +
                                      std::to_string(bytes) + " bytes");
  }
  if (where.offset < 0 || where.offset > size || bytes > static_cast<uint64_t>(size - where.offset)) {
    return refuse(where.location, "has " + std::to_string(size) + " bytes; the tensor asks for " +
                                      std::to_string(bytes) + " from byte " + std::to_string(where.offset));
  }
  HONE_TRY(budget_.charge(bytes, "external data '" + std::string(where.location) + "'"));
  const int64_t count = static_cast<int64_t>(bytes);
  HONE_ASSIGN(Tensor region, Tensor::make(DataType::kUint8, std::span(&count, 1)));
  HONE_TRY(read_at(file, where.offset, {region.mutable_data(), bytes})
               .with_context("external data '" + std::string(where.location) + "'"));
  regions_.emplace(key, region);
  return Tensor::share(dtype, dims, region.data(), std::make_shared<Tensor>(region));
}

}  // namespace hone::onnx
