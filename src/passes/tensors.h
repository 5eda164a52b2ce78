// Constants as numbers, and back: what passes that compute on weights share.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace hone {

// The operand's contents, or null if it is absent or not constant.
const Tensor* constant_operand(const Node& node, size_t i);

// The elements of a floating or integer tensor (bools as 0 and 1) as float64; nothing for other types.
std::optional<std::vector<double>> to_doubles(const Tensor& tensor);

// A tensor of a floating type whose elements are rounded once, to nearest even.
Result<Tensor> from_doubles(DataType dtype, const Extents& dims, std::span<const double> values);

// Whether every element is this number; false for types that to_doubles() doesn't take.
bool all_equal(const Tensor& tensor, double number);

// Whether all are finite, also once they are rounded to the floating type `dtype`.
bool all_finite(DataType dtype, std::span<const double> values);

}  // namespace hone
