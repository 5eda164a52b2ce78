// Bytes -> Model.
#pragma once

#include "onnx/budget.h"
#include "onnx/model.h"
#include "onnx/tensor_reader.h"

namespace hone::onnx {

// Reads a ModelProto. Texts of the result point into `file`. Subgraphs (of If, Loop, Scan) aren't read: attributes
// only tell that they are there. Errors: malformed protobuf with the byte's offset, contradicting fields, tensors as
// TensorReader says, kUnsupported for sparse initializers.
Result<Model> read_model(const FileBytes& file, MemoryBudget& budget, const ExternalData* external);

}  // namespace hone::onnx
