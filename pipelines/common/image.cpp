#include "pipelines/common/image.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace hone {

Result<Image> Image::make(int width, int height, uint8_t value) {
  if (width < 1 || height < 1) {
    return invalid_argument("a picture of " + std::to_string(width) + " x " + std::to_string(height) +
                            " pixels: both sides must be at least 1");
  }
  const int64_t pixels = int64_t{width} * height;
  if (pixels > kMaxPixels) {
    return resource_error("a picture of " + std::to_string(width) + " x " + std::to_string(height) +
                          " pixels: " + std::to_string(kMaxPixels) + " pixels are allowed");
  }
  Image image;
  try {
    image.pixels_.assign(static_cast<size_t>(pixels) * 3, value);
  } catch (const std::bad_alloc&) {
    return resource_error("no memory for a picture of " + std::to_string(pixels * 3) + " bytes");
  }
  image.width_ = width;
  image.height_ = height;
  return image;
}

Result<Image> Image::copy_of(const ImageView& view) {
  if (view.empty()) return invalid_argument("an empty picture");
  HONE_ASSIGN(Image image, make(view.width, view.height));
  for (int y = 0; y < view.height; ++y) std::memcpy(image.row(y), view.row(y), image.row_bytes());
  return image;
}

Result<Image> upright(Image image, int exif_orientation) {
  if (exif_orientation < 2 || exif_orientation > 8) return image;
  const bool transposed = exif_orientation >= 5;
  const int width = image.width(), height = image.height();
  HONE_ASSIGN(Image result, transposed ? Image::make(height, width) : Image::make(width, height));
  // The stored picture is read from its right edge (flip_x), from its bottom (flip_y), by columns (transposed).
  const bool flip_x = exif_orientation == 2 || exif_orientation == 3 || exif_orientation == 7 || exif_orientation == 8;
  const bool flip_y = exif_orientation == 3 || exif_orientation == 4 || exif_orientation == 6 || exif_orientation == 7;
  for (int y = 0; y < result.height(); ++y) {
    uint8_t* out = result.row(y);
    for (int x = 0; x < result.width(); ++x, out += 3) {
      const int stored_x = transposed ? y : x;
      const int stored_y = transposed ? x : y;
      const uint8_t* in = std::as_const(image).pixel(flip_x ? width - 1 - stored_x : stored_x,
                                                     flip_y ? height - 1 - stored_y : stored_y);
      std::copy_n(in, 3, out);
    }
  }
  return result;
}

}  // namespace hone
