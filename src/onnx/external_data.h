// Weights kept in files beside the model.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "hone/status.h"
#include "hone/tensor.h"
#include "onnx/budget.h"

namespace hone::onnx {

// The external_data entries of a tensor.
struct ExternalLocation {
  std::string_view location;  // path below the model's folder
  int64_t offset = 0;
  int64_t length = -1;  // -1: not given
};

// Reads regions of files below one folder into memory of ours. Nothing outside of that folder is ever opened: no
// absolute paths, no "..", no symbolic links on the way, regular files with one name only. What is read is a private
// copy, so that later changes of the file don't matter. Each region is read once, however many tensors share it.
class ExternalData {
 public:
  // `folder`: the model's; "" is the current one.
  ExternalData(std::string folder, MemoryBudget& budget) : folder_(std::move(folder)), budget_(budget) {}

  // The region as a tensor, checked against the file's size before memory is asked for.
  Result<Tensor> read(const ExternalLocation& where, DataType dtype, const Extents& dims, size_t bytes) const;

 private:
  std::string folder_;
  MemoryBudget& budget_;
  mutable std::map<std::tuple<std::string_view, int64_t, size_t>, Tensor> regions_;
};

}  // namespace hone::onnx
