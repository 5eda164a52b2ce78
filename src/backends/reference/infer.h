// Inference for operators that run at once, within the reference backend.
#pragma once

#include <span>
#include <vector>

#include "hone/op.h"

namespace hone::reference {

// Output types whose dimensions are numbers, or made of symbols 0, 1, ...: those that only the kernel counts, in the
// order of KernelArgs::counts.
struct OutputTypes {
  std::vector<TensorType> types;
  std::vector<int64_t> bounds;  // of the symbols

  // The dimensions of output i when symbol k is counts[k]; `bounds` gives the size to allocate.
  Result<Extents> dims(size_t i, std::span<const int64_t> counts) const;
};

// Runs infer() with nothing left open but counts.
Result<OutputTypes> infer_types(const Op& op, std::span<const InferOperand> operands, size_t num_outputs);

}  // namespace hone::reference
