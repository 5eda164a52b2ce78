// Reading and writing JPEG (libjpeg-turbo) and PNG (libpng). What a file is, its first bytes say, not its name.
//
// Reading: grey, palette and 16-bit pictures become 8-bit RGB; an alpha channel is dropped (colours stay as stored);
// the EXIF orientation is applied; of an animated PNG the default picture is read. Colour profiles and gamma are
// ignored. CMYK JPEG, damaged and truncated files, and files with more pixels than allowed (checked before memory is
// taken) are errors. Functions are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hone/status.h"
#include "pipelines/common/image.h"

namespace hone {

struct DecodeOptions {
  int64_t max_pixels = 100'000'000;
  bool apply_orientation = true;
};

// Errors: kNotFound, kInvalidArgument (not a picture, damaged), kUnsupported (CMYK, other formats), kResource (too many
// pixels, no memory). The message of load_image names the file.
Result<Image> load_image(const std::string& path, const DecodeOptions& options = {});
Result<Image> decode_image(std::span<const std::byte> bytes, const DecodeOptions& options = {});

// Whether the name ends as a picture that load_image may read: .jpg .jpeg .png, in any case.
bool has_image_extension(const std::string& path);

struct EncodeOptions {
  int jpeg_quality = 92;
  int png_level = 4;  // 0 (fast) .. 9 (small)
};

Result<std::vector<std::byte>> encode_png(const ImageView& image, const EncodeOptions& options = {});
Result<std::vector<std::byte>> encode_jpeg(const ImageView& image, const EncodeOptions& options = {});
// The extension (.png, .jpg, .jpeg) decides the format. The file is written whole or not at all.
Status save_image(const ImageView& image, const std::string& path, const EncodeOptions& options = {});

}  // namespace hone
