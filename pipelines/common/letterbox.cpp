#include "pipelines/common/letterbox.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>

#include "pipelines/common/resize.h"

namespace hone {
namespace {

int round_to_int(double value) { return static_cast<int>(std::nearbyint(value)); }  // half to even

int at_least_one(int size, int limit) { return std::clamp(size, 1, limit); }

// The padding before the picture when `total` pixels are shared: the odd one goes behind it.
int padding_before(int total) { return round_to_int(total / 2.0 - 0.1); }

}  // namespace

Result<Letterbox> plan_letterbox(int width, int height, const LetterboxOptions& options) {
  if (width < 1 || height < 1) return invalid_argument("an empty picture");
  if (options.width < 1 || options.height < 1 || options.stride < 1) {
    return invalid_argument("letterbox to " + std::to_string(options.width) + " x " + std::to_string(options.height) +
                            " with stride " + std::to_string(options.stride) + ": all must be at least 1");
  }
  Letterbox box;
  box.source_width = width;
  box.source_height = height;
  box.scale = std::min(static_cast<double>(options.height) / height, static_cast<double>(options.width) / width);
  if (!options.scale_up) box.scale = std::min(box.scale, 1.0);
  const double ideal_width = width * box.scale, ideal_height = height * box.scale;
  box.width = options.width;
  box.height = options.height;
  if (options.style == LetterboxStyle::kTopLeft) {
    box.picture_width = at_least_one(static_cast<int>(ideal_width), options.width);
    box.picture_height = at_least_one(static_cast<int>(ideal_height), options.height);
    return box;
  }
  box.picture_width = at_least_one(round_to_int(ideal_width), options.width);
  box.picture_height = at_least_one(round_to_int(ideal_height), options.height);
  int pad_x = options.width - box.picture_width;
  int pad_y = options.height - box.picture_height;
  if (options.style == LetterboxStyle::kMinimal) {
    pad_x %= options.stride;
    pad_y %= options.stride;
  }
  box.width = box.picture_width + pad_x;
  box.height = box.picture_height + pad_y;
  box.left = padding_before(pad_x);
  box.top = padding_before(pad_y);
  box.shift_x = (box.width - ideal_width) / 2;
  box.shift_y = (box.height - ideal_height) / 2;
  return box;
}

Box Letterbox::to_picture(const Box& box) const {
  const auto map = [this](float value, double shift, int limit) {
    return static_cast<float>(std::clamp((value - shift) / scale, 0.0, static_cast<double>(limit)));
  };
  return {map(box.x0, shift_x, source_width), map(box.y0, shift_y, source_height), map(box.x1, shift_x, source_width),
          map(box.y1, shift_y, source_height)};
}

Result<Image> apply_letterbox(const ImageView& picture, const Letterbox& letterbox, uint8_t pad_value) {
  if (picture.width != letterbox.source_width || picture.height != letterbox.source_height) {
    return invalid_argument("the letterbox was planned for a picture of another size");
  }
  HONE_ASSIGN(Image padded, Image::make(letterbox.width, letterbox.height, pad_value));
  HONE_TRY(
      resize_into(picture, padded, letterbox.left, letterbox.top, letterbox.picture_width, letterbox.picture_height));
  return padded;
}

void to_planes(const ImageView& picture, const Normalization& normalization, std::span<float> out) {
  const size_t plane = static_cast<size_t>(picture.width) * static_cast<size_t>(picture.height);
  assert(out.size() == 3 * plane);
  for (size_t channel = 0; channel < 3; ++channel) {
    std::array<float, 256> table;
    for (size_t i = 0; i < table.size(); ++i) {
      table[i] = (static_cast<float>(i) / normalization.divisor - normalization.mean[channel]) /
                 normalization.deviation[channel];
    }
    float* to = out.data() + channel * plane;
    for (int y = 0; y < picture.height; ++y) {
      const uint8_t* from = picture.row(y) + (normalization.bgr ? 2 - channel : channel);
      for (int x = 0; x < picture.width; ++x) *to++ = table[from[3 * x]];
    }
  }
}

}  // namespace hone
