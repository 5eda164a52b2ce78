#include "hone/onnx_value.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <new>
#include <protozero/pbf_writer.hpp>

#include "base/escape.h"
#include "onnx/descriptor.h"
#include "onnx/tensor_reader.h"

namespace hone {

namespace {

// As large as the file that says so: what it decodes to is at most a few times its size.
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

Result<Tensor> own_copy(const Tensor& tensor) {
  if (tensor.dtype() == DataType::kString) return tensor;
  HONE_ASSIGN(Tensor copy, Tensor::make(tensor.dtype(), tensor.dims()));
  if (tensor.bytes() > 0) std::memcpy(copy.mutable_data(), tensor.data(), tensor.bytes());
  return copy;
}

Result<Tensor> read(std::span<const std::byte> bytes, std::string* name) {
  onnx::MemoryBudget budget(kNoLimit);
  const onnx::FileBytes file{.bytes = bytes, .owner = nullptr};
  onnx::TensorReader reader(file, budget, nullptr);
  const std::string_view message(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  HONE_ASSIGN(const onnx::NamedTensor read, reader.read(message, /*allow_external=*/false));
  if (name != nullptr) *name = read.name;
  return own_copy(read.tensor);
}

Result<std::vector<std::byte>> file_contents(const std::string& path) {
  const onnx::Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) {
    const Code code = errno == ENOENT || errno == ENOTDIR ? Code::kNotFound : Code::kInvalidArgument;
    return Status(code, std::string("can't be opened: ") + std::strerror(errno));
  }
  HONE_ASSIGN(const int64_t size, regular_file_size(file, /*single_name=*/false));
  std::vector<std::byte> bytes(static_cast<size_t>(size));
  HONE_TRY(read_at(file, 0, bytes));
  return bytes;
}

}  // namespace

Result<Tensor> read_onnx_tensor(std::span<const std::byte> bytes, std::string* name) {
  try {
    Result<Tensor> tensor = read(bytes, name);
    if (!tensor.ok()) return Status(tensor.status().code(), printable(tensor.status().message()));
    return tensor;
  } catch (const std::bad_alloc&) {
    return resource_error("out of memory");
  }
}

Result<Tensor> read_onnx_tensor_file(const std::string& path, std::string* name) {
  const std::string where = printable("'" + path + "'");
  HONE_ASSIGN(const std::vector<std::byte> bytes, file_contents(path).with_context(where));
  return read_onnx_tensor(bytes, name).with_context(where);
}

std::vector<std::byte> write_onnx_tensor(const Tensor& tensor, const std::string& name) {
  // TensorProto's fields.
  enum : protozero::pbf_tag_type { kDims = 1, kDataType = 2, kStringData = 6, kName = 8, kRawData = 9 };
  std::string text;
  protozero::pbf_writer writer(text);
  if (!tensor.dims().empty()) writer.add_packed_int64(kDims, tensor.dims().begin(), tensor.dims().end());
  writer.add_int32(kDataType, static_cast<int32_t>(tensor.dtype()));
  if (tensor.dtype() == DataType::kString) {
    for (const std::string& string : tensor.strings()) writer.add_string(kStringData, string);
  }
  if (!name.empty()) writer.add_string(kName, name);
  if (tensor.dtype() != DataType::kString) {
    writer.add_bytes(kRawData, reinterpret_cast<const char*>(tensor.data()), tensor.bytes());
  }
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

}  // namespace hone
