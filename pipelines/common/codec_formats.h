// One decoder and one encoder for each picture format; codec.cpp chooses.
#pragma once

#include "pipelines/common/codec.h"
#include "pipelines/common/exif.h"

namespace hone {

// The stored picture, not yet turned, and how the camera was held.
struct Decoded {
  Image image;
  int orientation = kUpright;
};

Result<Decoded> decode_jpeg(std::span<const std::byte> bytes, const DecodeOptions& options);
Result<Decoded> decode_png(std::span<const std::byte> bytes, const DecodeOptions& options);

// kResource when a picture of that size isn't allowed.
Status check_pixels(int64_t width, int64_t height, const DecodeOptions& options);

}  // namespace hone
