// Convolution and transposed convolution over one or more spatial axes.
#pragma once

#include "ops/window.h"

namespace hone {

// X [N, C, spatial...], W [M, C / group, kernel...], optional B [M] -> Y [N, M, spatial...].
struct Conv final : OpBase<Conv>, Window {
  static constexpr const char* kName = "Conv";
  int64_t group = 1;

  static void attributes(auto& self, auto& v) {
    Window::attributes(self, v);
    v("group", self.group);
  }
  Status infer(InferContext& ctx) const override;
};

// X [N, C, spatial...], W [C, M / group, kernel...], optional B [M] -> Y [N, M, spatial...]. With `output_shape`
// (spatial sizes only) the pads follow from it. A size larger than what the input reaches is filled with the bias.
struct ConvTranspose final : OpBase<ConvTranspose>, Window {
  static constexpr const char* kName = "ConvTranspose";
  int64_t group = 1;
  Ints output_padding, output_shape;

  static void attributes(auto& self, auto& v) {
    Window::attributes(self, v);
    v("group", self.group);
    v("output_padding", self.output_padding);
    v("output_shape", self.output_shape);
  }
  Status infer(InferContext& ctx) const override;
};

// Checks everything that a kernel relies on of the shapes of X and W (ranks, channels, groups).
// Allocates nothing unless it fails.
Result<WindowGeometry> conv_geometry(const Conv& op, std::span<const int64_t> x, std::span<const int64_t> w);
Result<WindowGeometry> conv_geometry(const ConvTranspose& op, std::span<const int64_t> x, std::span<const int64_t> w);

}  // namespace hone
