// Whether a result is what was expected.
#pragma once

#include <string>

#include "hone/tensor.h"

namespace hone::cli {

struct Tolerance {
  double rtol = 1e-3, atol = 1e-7;
};

// Empty when type and shape are equal and every element is: |a - b| <= atol + rtol * |b|, NaN equal to NaN, infinities
// equal to themselves, bools and strings exactly. Else says how many elements differ, where the worst is and by how
// much.
std::string difference(const Tensor& result, const Tensor& expected, const Tolerance& tolerance);

}  // namespace hone::cli
