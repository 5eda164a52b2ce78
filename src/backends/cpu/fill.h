// What is left of a product or convolution that has nothing to sum.
#pragma once

#include <memory>
#include <optional>

#include "hone/kernel.h"

namespace hone::cpu {

// Fills output 0 with zeros, or output 0 [N, C, ...] with operand `bias` [C], by channel. Elements of whole bytes.
std::unique_ptr<Kernel> make_fill(std::optional<size_t> bias);

}  // namespace hone::cpu
