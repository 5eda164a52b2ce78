// The part of verify() that asks the operators.
#pragma once

#include "plan/plan.h"

namespace hone {

// Runs each step's infer() on the planned operand types and compares: types and ranks must be equal and dimensions
// not provably different. For plans whose indices are sound already.
Status verify_types(const Plan& plan, std::span<const WeightBlock> weight_blocks, std::span<const std::byte> weights);

}  // namespace hone
