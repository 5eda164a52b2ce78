// The one fact of EXIF that a detector needs: how the camera was held.
#pragma once

#include <cstddef>
#include <span>

namespace hone {

inline constexpr int kUpright = 1;

// The orientation (1 to 8) from an EXIF block, which is a little TIFF file: "II*\0" or "MM\0*", the place of the first
// directory, its entries. kUpright when it is missing or makes no sense.
int exif_orientation(std::span<const std::byte> tiff);

}  // namespace hone
