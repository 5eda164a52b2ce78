// Resize: output elements are weighted sums of the input elements around a position given by the axis lengths.
#pragma once

#include "hone/op.h"

namespace hone {

enum class ResizeMode : uint8_t { kNearest, kLinear, kCubic };
enum class ResizeCoordinates : uint8_t {
  kHalfPixel,
  kHalfPixelSymmetric,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kTfCropAndResize,
  kTfHalfPixelForNn,  // opset 11 and 12 only
};
enum class ResizeNearest : uint8_t { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };
enum class ResizePolicy : uint8_t { kStretch, kNotLarger, kNotSmaller };

template <>
struct EnumNames<ResizeMode> {
  static constexpr std::pair<std::string_view, ResizeMode> kNames[] = {
      {"nearest", ResizeMode::kNearest}, {"linear", ResizeMode::kLinear}, {"cubic", ResizeMode::kCubic}};
};
template <>
struct EnumNames<ResizeCoordinates> {
  static constexpr std::pair<std::string_view, ResizeCoordinates> kNames[] = {
      {"half_pixel", ResizeCoordinates::kHalfPixel},
      {"half_pixel_symmetric", ResizeCoordinates::kHalfPixelSymmetric},
      {"pytorch_half_pixel", ResizeCoordinates::kPytorchHalfPixel},
      {"align_corners", ResizeCoordinates::kAlignCorners},
      {"asymmetric", ResizeCoordinates::kAsymmetric},
      {"tf_crop_and_resize", ResizeCoordinates::kTfCropAndResize},
      {"tf_half_pixel_for_nn", ResizeCoordinates::kTfHalfPixelForNn}};
};
template <>
struct EnumNames<ResizeNearest> {
  static constexpr std::pair<std::string_view, ResizeNearest> kNames[] = {
      {"round_prefer_floor", ResizeNearest::kRoundPreferFloor},
      {"round_prefer_ceil", ResizeNearest::kRoundPreferCeil},
      {"floor", ResizeNearest::kFloor},
      {"ceil", ResizeNearest::kCeil}};
};
template <>
struct EnumNames<ResizePolicy> {
  static constexpr std::pair<std::string_view, ResizePolicy> kNames[] = {{"stretch", ResizePolicy::kStretch},
                                                                         {"not_larger", ResizePolicy::kNotLarger},
                                                                         {"not_smaller", ResizePolicy::kNotSmaller}};
};

// Operands: X, roi (read in tf_crop_and_resize only), and one of scales and sizes; an empty tensor counts as absent.
// Linear and cubic of integers compute in floating point, round half to even and saturate; bool is nearest only.
struct Resize final : OpBase<Resize> {
  static constexpr const char* kName = "Resize";
  enum Operand : size_t { kX, kRoi, kScales, kSizes };

  bool antialias = false;
  std::optional<Ints> axes;  // none: all
  ResizeCoordinates coordinates = ResizeCoordinates::kHalfPixel;
  float cubic_coeff_a = -0.75f;
  bool exclude_outside = false;
  float extrapolation_value = 0;
  ResizePolicy policy = ResizePolicy::kStretch;
  ResizeMode mode = ResizeMode::kNearest;
  ResizeNearest nearest_mode = ResizeNearest::kRoundPreferFloor;

  static void attributes(auto& self, auto& v) {
    v("antialias", self.antialias);
    v("axes", self.axes);
    v("coordinate_transformation_mode", self.coordinates);
    v("cubic_coeff_a", self.cubic_coeff_a);
    v("exclude_outside", self.exclude_outside);
    v("extrapolation_value", self.extrapolation_value);
    v("keep_aspect_ratio_policy", self.policy);
    v("mode", self.mode);
    v("nearest_mode", self.nearest_mode);
  }
  Status check() const;
  Status infer(InferContext& ctx) const override;

  // The axes that scales, sizes and roi speak of, in their order, as nonnegative numbers. Errors: out of range,
  // repeated, rank above kMaxRank.
  Result<Extents> resized_axes(size_t rank) const;
  // The common scale of all resized axes under a policy other than stretch. `in` has the lengths of these axes.
  double policy_scale(std::span<const int64_t> in, std::span<const int64_t> sizes) const;
};

// One axis of a Resize whose sizes and contents are known.
struct ResizeAxis {
  int64_t in = 0, out = 0;
  bool resized = false;
  double scale = 1;       // output length over input length
  double out_length = 0;  // before rounding down
  double roi_start = 0, roi_end = 1;
};

// Fills axes[i] for the axes of x, from the dims of x and y and the contents of roi, scales and sizes. y isn't empty.
// Errors: sizes and scales that no such y follows from. Allocates nothing unless it fails.
Status read_resize_axes(const Resize& op, std::span<const TensorView> inputs, const Extents& y,
                        std::span<ResizeAxis> axes);

// The place in the input, in input positions, that output position x of an axis stands for; and the whole position
// nearest to a place, as nearest_mode says (it may lie outside the input).
double original_position(const Resize& op, const ResizeAxis& axis, int64_t x);
double nearest_position(const Resize& op, double place);

// floor(size * scale), in float32 as ONNX's shape inference has it (0.7 times 10 is 7) but exact where the scale is
// a short binary fraction. Nothing when it exceeds 2^62.
std::optional<int64_t> scaled_size(int64_t size, float scale);

}  // namespace hone
