// Windows that slide over the spatial axes of a tensor: what convolutions and pools share.
#pragma once

#include <cstdint>
#include <span>

#include "hone/op.h"

namespace hone {

enum class AutoPad : uint8_t { kNotSet, kSameUpper, kSameLower, kValid };

template <>
struct EnumNames<AutoPad> {
  static constexpr std::pair<std::string_view, AutoPad> kNames[] = {{"NOTSET", AutoPad::kNotSet},
                                                                    {"SAME_UPPER", AutoPad::kSameUpper},
                                                                    {"SAME_LOWER", AutoPad::kSameLower},
                                                                    {"VALID", AutoPad::kValid}};
};

// Attributes of ONNX's sliding operators. An empty list stands for its default: ones, or zeros for pads; an empty
// kernel_shape is taken from the weights. `pads` lists the begins of all axes, then the ends, and counts only under
// kNotSet.
struct Window {
  AutoPad auto_pad = AutoPad::kNotSet;
  Ints kernel_shape, strides, pads, dilations;

  static void attributes(auto& self, auto& v) {
    v("auto_pad", self.auto_pad);
    v("kernel_shape", self.kernel_shape);
    v("strides", self.strides);
    v("pads", self.pads);
    v("dilations", self.dilations);
  }

  int64_t stride(size_t axis) const { return strides.empty() ? 1 : strides[axis]; }
  int64_t dilation(size_t axis) const { return dilations.empty() ? 1 : dilations[axis]; }
  int64_t pad_begin(size_t axis) const { return explicit_pads() ? pads[axis] : 0; }
  int64_t pad_end(size_t axis) const { return explicit_pads() ? pads[pads.size() / 2 + axis] : 0; }
  bool is_same() const { return auto_pad == AutoPad::kSameUpper || auto_pad == AutoPad::kSameLower; }

  // Every list has the length that `spatial_rank` axes ask for and holds allowed values.
  Status check_window(size_t spatial_rank) const;

 private:
  bool explicit_pads() const { return auto_pad == AutoPad::kNotSet && !pads.empty(); }
};

// Everything about a window's way in numbers, one entry per spatial axis. The tap k of output position o reads
// input position o * stride + k * dilation - pad_begin, where that lies inside the input. (A transposed
// convolution writes output position i * stride + k * dilation - pad_begin from input position i.)
struct WindowGeometry {
  Extents input, output, kernel, strides, dilations, pads_begin, pads_end;
  size_t rank() const { return input.size(); }
};

// How many elements of the input a kernel of `kernel` taps spans.
Dim dilated_kernel(const Dim& kernel, int64_t dilation);

// The number of positions along one axis. `ceil_mode` lets a last window reach past the end (under VALID too), provided
// that it starts before the end padding. After check_window() with at least axis + 1 axes. Errors: the kernel is
// provably larger than the padded input.
Result<Dim> window_output(const Window& window, size_t axis, const Dim& input, const Dim& kernel, bool ceil_mode);

// Splits the padding that SAME_* and output_shape ask for in total (negative counts as none). The odd element goes to
// the end for SAME_UPPER, else to the beginning.
void split_pads(AutoPad auto_pad, int64_t total, int64_t& begin, int64_t& end);

// The geometry of a convolution or pool over concrete spatial sizes. Allocates nothing unless it fails: on lists that
// don't fit the rank, empty kernels, kernels that are larger than the padded input, and overflow.
Result<WindowGeometry> window_geometry(const Window& window, std::span<const int64_t> input,
                                       std::span<const int64_t> kernel, bool ceil_mode);

}  // namespace hone
