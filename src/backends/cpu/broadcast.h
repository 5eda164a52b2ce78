// Walks the output of a broadcasting operator of two operands row by row.
#pragma once

#include "hone/tensor.h"

namespace hone::cpu {

// Dimensions that the operands treat alike are merged, so that rows are as long as can be. No allocation.
struct BroadcastRows {
  Extents dims, a_strides, b_strides;  // merged; at least one dimension; the last is the row
  int64_t row = 1;                     // its length
  int64_t rows = 1;
  // How each operand moves along a row: 0 or 1.
  int64_t a_step = 0, b_step = 0;

  // a and b broadcast to `out`.
  BroadcastRows(const Extents& out, const Extents& a, const Extents& b);

  struct Start {
    int64_t a = 0, b = 0;
  };
  // Where row i reads.
  Start start(int64_t i) const;
};

}  // namespace hone::cpu
