// Runs one built kernel on buffers that notice what it shouldn't touch.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "hone/kernel.h"
#include "hone/tensor.h"

namespace hone::test {

struct RunSettings {
  int threads = 1;
  std::byte poison{0xff};     // what outputs and workspace hold before the run
  size_t shift_elements = 0;  // operands and outputs start this far from a 64-byte boundary
};

struct KernelRun {
  Status status;
  std::vector<Tensor> outputs;  // of the sizes asked for, even if fewer elements are counted
  std::vector<int64_t> counts;
  int64_t allocations = 0;
  std::string damage;  // what was overwritten outside the outputs; empty: nothing
};

// `outputs` are their types and (largest) sizes; `num_counts`: how many sizes the kernel counts.
KernelRun run_kernel(const Kernel& kernel, std::span<const Tensor> inputs, std::span<const TensorType> outputs,
                     size_t num_counts, const RunSettings& settings);

}  // namespace hone::test
