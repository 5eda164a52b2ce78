// TensorProto -> Tensor.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "hone/tensor.h"
#include "onnx/budget.h"
#include "onnx/external_data.h"

namespace hone::onnx {

// The bytes that a model is read from.
struct FileBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  // keeps them alive
  // Nobody else reads these bytes: a misaligned tensor may be moved over its own header instead of being copied.
  bool exclusive = false;
};

// A tensor with its name in the file.
struct NamedTensor {
  std::string_view name;
  Tensor tensor;
};

// Reads the tensors of one file. Their contents stay where they are in the file's bytes where alignment allows it,
// else they are moved or copied.
class TensorReader {
 public:
  // `external` may be null: external data is then refused, as it is where `allow_external` is false.
  TensorReader(const FileBytes& file, MemoryBudget& budget, const ExternalData* external)
      : file_(file), budget_(budget), external_(external) {}

  // `message` is a TensorProto inside of the file; each may be read once. Errors name the tensor: malformed or
  // contradicting fields, negative or overflowing dims, more or less contents than the dims ask for.
  Result<NamedTensor> read(std::string_view message, bool allow_external);

 private:
  struct Fields;
  Result<Fields> read_fields(std::string_view message) const;
  Status check(const Fields& fields, bool allow_external) const;
  Result<Tensor> contents(const Fields& fields);
  Result<Tensor> raw_contents(const Fields& fields, size_t bytes);
  Result<Tensor> typed_contents(const Fields& fields, int64_t count);
  Result<Tensor> string_contents(const Fields& fields, int64_t count);

  const FileBytes& file_;
  MemoryBudget& budget_;
  const ExternalData* external_;
};

}  // namespace hone::onnx
