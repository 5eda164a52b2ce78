// The input of a two-dimensional convolution, laid out so that each tap reads a shifted copy of the output's grid.
#pragma once

#include "hone/status.h"
#include "hone/tensor.h"
#include "ops/window.h"

namespace hone::cpu {

// A plane (one channel of one image) is padded and split into phases along each axis. Phase p holds the rows p,
// p + stride, ... of the padded plane; where the stride is at least the kernel, each tap i has a phase of its own that
// starts at its row, i * dilation. So with columns. In there, output position (y, x) reads tap (i, j) at
// y * pitch + x + tap_offset(i, j).
struct Planes {
  int64_t in_height = 0, in_width = 0, out_height = 0, out_width = 0;
  int64_t kernel_y = 1, kernel_x = 1, stride_y = 1, stride_x = 1, dilation_y = 1, dilation_x = 1;
  int64_t pad_top = 0, pad_left = 0;
  int64_t phases_y = 1, phases_x = 1;
  int64_t pitch = 0;  // columns of a phase

  // One or two spatial axes.
  explicit Planes(const WindowGeometry& geometry);

  int64_t taps() const { return kernel_y * kernel_x; }
  // Rows of a phase that `rows` rows of the output read.
  int64_t phase_rows(int64_t rows) const;
  int64_t plane_floats(int64_t rows) const { return phases_y * phases_x * phase_rows(rows) * pitch; }
  // In a plane made for `rows` rows of the output.
  int64_t tap_offset(int64_t i, int64_t j, int64_t rows) const;
  // Whether a plane, made for all rows, is just the input.
  bool is_input() const;

  // Makes the plane for the output rows [first, first + rows).
  void fill(const float* in, int64_t first, int64_t rows, float* plane) const;
};

// Refuses strides, dilations and pads so large that no layout of reasonable size, and no 32-bit number, serves them.
Status check_reasonable(const Window& window);

}  // namespace hone::cpu
