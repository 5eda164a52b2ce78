// Operators that read an image at positions given by another operand.
#pragma once

#include "hone/op.h"

namespace hone {

enum class SampleMode : uint8_t { kNearest, kLinear, kCubic };
enum class SamplePadding : uint8_t { kZeros, kBorder, kReflection };

// The two-dimensional forms had names of their own until opset 20.
template <>
struct EnumNames<SampleMode> {
  static constexpr std::pair<std::string_view, SampleMode> kNames[] = {
      {"nearest", SampleMode::kNearest}, {"linear", SampleMode::kLinear}, {"cubic", SampleMode::kCubic}};
};
template <>
struct EnumNames<SamplePadding> {
  static constexpr std::pair<std::string_view, SamplePadding> kNames[] = {
      {"zeros", SamplePadding::kZeros}, {"border", SamplePadding::kBorder}, {"reflection", SamplePadding::kReflection}};
};

// X [N,C,D1..Dr] sampled at grid [N,O1..Or,r] gives [N,C,O1..Or]. A position lists the innermost axis first, -1 and 1
// standing for the two ends of an axis. NaN counts as -1. Integers truncate towards zero and saturate; bool is nearest
// only.
struct GridSample final : OpBase<GridSample> {
  static constexpr const char* kName = "GridSample";

  bool align_corners = false;
  SampleMode mode = SampleMode::kLinear;
  SamplePadding padding_mode = SamplePadding::kZeros;

  static void attributes(auto& self, auto& v) {
    v("align_corners", self.align_corners);
    v("mode", self.mode);
    v("padding_mode", self.padding_mode);
  }
  Status infer(InferContext& ctx) const override;
};

enum class RoiAlignMode : uint8_t { kAvg, kMax };
enum class RoiAlignCoordinates : uint8_t { kHalfPixel, kOutputHalfPixel };

template <>
struct EnumNames<RoiAlignMode> {
  static constexpr std::pair<std::string_view, RoiAlignMode> kNames[] = {{"avg", RoiAlignMode::kAvg},
                                                                         {"max", RoiAlignMode::kMax}};
};
template <>
struct EnumNames<RoiAlignCoordinates> {
  static constexpr std::pair<std::string_view, RoiAlignCoordinates> kNames[] = {
      {"half_pixel", RoiAlignCoordinates::kHalfPixel}, {"output_half_pixel", RoiAlignCoordinates::kOutputHalfPixel}};
};

// X [N,C,H,W], rois [R,4] (x1, y1, x2, y2) and batch_indices [R] give [R,C,output_height,output_width]: each bin the
// average, or the maximum, of samples on a regular grid. The maximum is taken over the four weighted neighbours of
// each sample, not over their sum, as ONNX's own cases and ONNX Runtime have it.
struct RoiAlign final : OpBase<RoiAlign> {
  static constexpr const char* kName = "RoiAlign";
  static constexpr int64_t kMaxSamplingRatio = 1024;

  RoiAlignCoordinates coordinates = RoiAlignCoordinates::kHalfPixel;
  RoiAlignMode mode = RoiAlignMode::kAvg;
  int64_t output_height = 1, output_width = 1;
  int64_t sampling_ratio = 0;  // 0: as many as the bin is long, rounded up
  float spatial_scale = 1;

  static void attributes(auto& self, auto& v) {
    v("coordinate_transformation_mode", self.coordinates);
    v("mode", self.mode);
    v("output_height", self.output_height);
    v("output_width", self.output_width);
    v("sampling_ratio", self.sampling_ratio);
    v("spatial_scale", self.spatial_scale);
  }
  Status check() const;
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
