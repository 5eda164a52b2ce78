// Cuts a tensor down to a corner of itself, in place.
#pragma once

#include "hone/tensor.h"

namespace hone {

// `view` holds a tensor of the larger dims `view.dims`; moves the elements of the corner [0, dims[i]) of each axis
// together, so that the memory starts with a contiguous tensor of `dims` (same rank, none larger). Whole bytes per
// element. Allocates nothing.
void trim(const TensorView& view, const Extents& dims);

}  // namespace hone
