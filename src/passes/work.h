// How long plain loops take for one node.
#pragma once

#include <span>

#include "hone/op.h"

namespace hone {

// An upper estimate of the multiplications (or moves) that evaluating an operator or a body takes. All dimensions are
// numbers.
double evaluation_work(const Op& op, const Body* body, std::span<const InferOperand> operands,
                       std::span<const TensorType> results);

}  // namespace hone
