// Pictures: 8-bit RGB, interleaved (R, G, B, R, G, B, ...), rows from top to bottom.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hone/status.h"

namespace hone {

// Borrowed pixels; whoever made the view keeps them alive. Row y begins `y * row_bytes` bytes after `data`.
struct ImageView {
  const uint8_t* data = nullptr;
  int width = 0, height = 0;
  size_t row_bytes = 0;

  bool empty() const { return data == nullptr || width <= 0 || height <= 0; }
  const uint8_t* row(int y) const { return data + static_cast<size_t>(y) * row_bytes; }
  const uint8_t* pixel(int x, int y) const { return row(y) + static_cast<size_t>(x) * 3; }
};

// Pixels that it owns, without gaps between rows.
class Image {
 public:
  Image() = default;
  // All pixels (value, value, value). Errors: a side below 1, more than kMaxPixels, out of memory.
  static Result<Image> make(int width, int height, uint8_t value = 0);
  // A copy of a view. Errors: as make().
  static Result<Image> copy_of(const ImageView& view);

  int width() const { return width_; }
  int height() const { return height_; }
  bool empty() const { return pixels_.empty(); }
  size_t row_bytes() const { return static_cast<size_t>(width_) * 3; }
  const uint8_t* row(int y) const { return pixels_.data() + static_cast<size_t>(y) * row_bytes(); }
  uint8_t* row(int y) { return pixels_.data() + static_cast<size_t>(y) * row_bytes(); }
  const uint8_t* pixel(int x, int y) const { return row(y) + static_cast<size_t>(x) * 3; }
  uint8_t* pixel(int x, int y) { return row(y) + static_cast<size_t>(x) * 3; }
  ImageView view() const { return {pixels_.data(), width_, height_, row_bytes()}; }

  static constexpr int64_t kMaxPixels = int64_t{1} << 30;

 private:
  int width_ = 0, height_ = 0;
  std::vector<uint8_t> pixels_;
};

// The eight ways a camera may have been held, numbered as EXIF does: 1 upright, 2 mirrored, 3 turned by 180 degrees,
// 4 upside down, 5 transposed, 6 to be turned clockwise, 7 transversed, 8 to be turned counter-clockwise. Gives the
// upright picture; other numbers count as 1.
Result<Image> upright(Image image, int exif_orientation);

}  // namespace hone
