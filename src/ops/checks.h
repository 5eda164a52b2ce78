// Checks on operands that several families of operators make.
#pragma once

#include "hone/op.h"
#include "ops/type_set.h"

namespace hone {

// Operand i must broadcast to `target` without growing it.
Status expect_broadcasts_to(InferContext& ctx, size_t i, const Shape& target);

// `size` must be a multiple of `divisor` (at least 1). The names are for the message.
Status expect_divisible(InferContext& ctx, const Dim& size, int64_t divisor, const std::string& size_name,
                        const std::string& divisor_name);

}  // namespace hone
