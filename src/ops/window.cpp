#include "ops/window.h"

#include <algorithm>

namespace hone {

namespace {

Status check_list(const char* name, const Ints& list, size_t expected, int64_t least) {
  if (list.empty()) return {};
  if (list.size() != expected) {
    return invalid_model("attribute '" + std::string(name) + "' has " + std::to_string(list.size()) +
                         " values, expected " + std::to_string(expected) + " for this operand's rank");
  }
  for (const int64_t value : list) {
    if (value >= least) continue;
    return invalid_model("attribute '" + std::string(name) + "' has the value " + std::to_string(value) +
                         ", which must be at least " + std::to_string(least));
  }
  return {};
}

}  // namespace

Status Window::check_window(size_t spatial_rank) const {
  HONE_TRY(check_list("kernel_shape", kernel_shape, spatial_rank, 1));
  HONE_TRY(check_list("strides", strides, spatial_rank, 1));
  HONE_TRY(check_list("dilations", dilations, spatial_rank, 1));
  return check_list("pads", pads, 2 * spatial_rank, 0);
}

void split_pads(AutoPad auto_pad, int64_t total, int64_t& begin, int64_t& end) {
  total = std::max<int64_t>(total, 0);
  begin = auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
  end = total - begin;
}

Dim dilated_kernel(const Dim& kernel, int64_t dilation) { return (kernel - Dim(1)) * Dim(dilation) + Dim(1); }

Result<Dim> window_output(const Window& window, size_t axis, const Dim& input, const Dim& kernel, bool ceil_mode) {
  const Dim stride = window.stride(axis);
  if (window.is_same()) return ceil_div(input, stride);
  const Dim padded = input + Dim(window.pad_begin(axis)) + Dim(window.pad_end(axis));
  const Dim span = dilated_kernel(kernel, window.dilation(axis));
  const Dim room = padded - span;
  Dim output = floor_div(room, stride) + Dim(1);
  if (ceil_mode) {
    const Dim started = floor_div(input + Dim(window.pad_begin(axis)) - Dim(1), stride) + Dim(1);
    output = min(ceil_div(room, stride) + Dim(1), started);
  }
  if (output.is_const() && output.value() < 0 && span.is_const() && padded.is_const()) {
    return invalid_model("on spatial axis " + std::to_string(axis) + " the kernel spans " +
                         std::to_string(span.value()) + " elements, more than the padded input has (" +
                         std::to_string(padded.value()) + ")");
  }
  return output;
}

Result<WindowGeometry> window_geometry(const Window& window, std::span<const int64_t> input,
                                       std::span<const int64_t> kernel, bool ceil_mode) {
  HONE_TRY(window.check_window(input.size()));
  if (kernel.size() != input.size()) return invalid_model("the window's rank differs from its operand's");
  WindowGeometry geometry;
  geometry.input = Extents(input);
  geometry.kernel = Extents(kernel);
  for (size_t i = 0; i < input.size(); ++i) {
    if (kernel[i] < 1) return invalid_model("spatial axis " + std::to_string(i) + " has an empty kernel");
    HONE_ASSIGN(const Dim output, window_output(window, i, input[i], kernel[i], ceil_mode));
    const Dim span = dilated_kernel(kernel[i], window.dilation(i));
    const Dim reach = (output - Dim(1)) * Dim(window.stride(i)) + span;
    if (reach.is_invalid() || output.value() < 0) return invalid_model("the window's size overflows 64 bits");
    int64_t begin = window.pad_begin(i), end = window.pad_end(i);
    if (window.is_same()) {
      const Dim total = reach - Dim(input[i]);
      if (total.is_invalid()) return invalid_model("the window's padding overflows 64 bits");
      split_pads(window.auto_pad, total.value(), begin, end);
    }
    geometry.output.push_back(output.value());
    geometry.strides.push_back(window.stride(i));
    geometry.dilations.push_back(window.dilation(i));
    geometry.pads_begin.push_back(begin);
    geometry.pads_end.push_back(end);
  }
  return geometry;
}

}  // namespace hone
