// Bilinear resizing, bit for bit as OpenCV 4.12's cv::resize(INTER_LINEAR) does it on 8-bit pictures.
#pragma once

#include "pipelines/common/image.h"

namespace hone {

// Fills the rectangle of `to` whose top left corner is (left, top) and whose size is width x height with the resized
// picture. Pixel centres are aligned; weights have 11 bits and are rounded to nearest even; the sum of a row of source
// pixels keeps 15 bits and loses 4, the sum of two rows is rounded half up. Halving both sides exactly averages four
// pixels instead. Error: an empty picture, a rectangle that leaves `to`.
Status resize_into(const ImageView& from, Image& to, int left, int top, int width, int height);

Result<Image> resize(const ImageView& from, int width, int height);

}  // namespace hone
