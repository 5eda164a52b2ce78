// Letterboxing: a picture scaled into a detector's input with its aspect ratio kept and the rest padded, and the way
// back for the boxes. And the input tensor.
#pragma once

#include <array>
#include <span>

#include "pipelines/common/boxes.h"
#include "pipelines/common/image.h"

namespace hone {

enum class LetterboxStyle {
  kCentred,  // the whole target size, the picture in its middle (YOLOv7's auto=False)
  kMinimal,  // the same without whole strides of padding: the smallest rectangle (YOLOv7's auto=True)
  kTopLeft,  // the whole target size, the picture in its top left corner, its size rounded down (YOLOX)
};

struct LetterboxOptions {
  LetterboxStyle style = LetterboxStyle::kCentred;
  int width = 640, height = 640;  // the target
  int stride = 32;                // kMinimal: the sides stay multiples of it if the target's are
  bool scale_up = true;           // false: small pictures are only padded
  uint8_t pad_value = 114;
};

// Where a picture of given size goes. Sizes in pixels of the detector's input.
struct Letterbox {
  int width = 0, height = 0;                  // of the input
  int left = 0, top = 0;                      // of the picture within it
  int picture_width = 0, picture_height = 0;  // of the scaled picture
  // A point of the picture at (x, y) is at (x * scale + shift_x, y * scale + shift_y) in the input. As in YOLOv7 and
  // YOLOX this is the ideal place: without the rounding of sizes and padding to whole pixels.
  double scale = 1, shift_x = 0, shift_y = 0;
  int source_width = 0, source_height = 0;

  // From the input's pixels to the picture's, clipped to [0, width] x [0, height].
  Box to_picture(const Box& box) const;
};

// Error: an empty picture or target, a stride below 1.
Result<Letterbox> plan_letterbox(int width, int height, const LetterboxOptions& options);

// The padded input picture.
Result<Image> apply_letterbox(const ImageView& picture, const Letterbox& letterbox, uint8_t pad_value = 114);

// value = (pixel / divisor - mean[c]) / deviation[c], all in float. `mean` and `deviation` follow the channels' order
// in the tensor.
struct Normalization {
  float divisor = 255;
  std::array<float, 3> mean = {0, 0, 0};
  std::array<float, 3> deviation = {1, 1, 1};
  bool bgr = false;  // the tensor's channels are B, G, R
};

// One picture as [3, height, width]; `out` has 3 * height * width elements.
void to_planes(const ImageView& picture, const Normalization& normalization, std::span<float> out);

}  // namespace hone
