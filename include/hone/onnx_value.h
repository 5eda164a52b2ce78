// Reads and writes ONNX TensorProto files: the inputs and expected outputs of ONNX's backend test cases.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "hone/status.h"
#include "hone/tensor.h"

namespace hone {

// A serialized TensorProto; `name` receives its name (may be empty). Any tensor type, strings included.
Result<Tensor> read_onnx_tensor(std::span<const std::byte> bytes, std::string* name = nullptr);
Result<Tensor> read_onnx_tensor_file(const std::string& path, std::string* name = nullptr);
std::vector<std::byte> write_onnx_tensor(const Tensor& tensor, const std::string& name);

}  // namespace hone
