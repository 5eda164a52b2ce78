// The reference backend: its kernels, and a way to run one operator at once.
#pragma once

#include <span>
#include <vector>

#include "hone/kernel.h"
#include "hone/tensor.h"

namespace hone::reference {

const Backend& backend();

// The kernel of an operator that isn't a fused node's; null when there is none.
const KernelDef* kernel_for(const Op& op);

// Runs one operator (or, with a body, a fused node) on host tensors and returns its outputs. Infers the output shapes
// itself; counted dimensions come out at their true size. An absent operand is an undefined tensor. This is what folds
// constants and what tests compare with.
Result<std::vector<Tensor>> evaluate(const OpPtr& op, std::span<const Tensor> inputs, size_t num_outputs,
                                     const std::shared_ptr<const Body>& body = nullptr);

}  // namespace hone::reference
