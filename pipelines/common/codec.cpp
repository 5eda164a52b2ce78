#include "pipelines/common/codec.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "hone/file.h"
#include "pipelines/common/codec_formats.h"
#include "pipelines/common/files.h"

namespace hone {
namespace {

using std::string_view_literals::operator""sv;

// Compressed pictures are smaller than their pixels, up to a little overhead; this allows for 16-bit RGBA.
constexpr int64_t kMaxBytesPerPixel = 8;
constexpr int64_t kMaxOverheadBytes = int64_t{64} << 20;

struct Format {
  std::string_view magic;
  size_t at;
  std::string_view name;
};
constexpr std::array kOtherFormats = {
    Format{"GIF8"sv, 0, "GIF"sv},      Format{"BM"sv, 0, "BMP"sv},        Format{"II*\0"sv, 0, "TIFF"sv},
    Format{"MM\0*"sv, 0, "TIFF"sv},    Format{"WEBP"sv, 8, "WebP"sv},     Format{"ftypavif"sv, 4, "AVIF"sv},
    Format{"ftypheic"sv, 4, "HEIC"sv}, Format{"ftypmif1"sv, 4, "HEIF"sv}, Format{"\0\0\0\x0CjP"sv, 0, "JPEG 2000"sv},
};

bool begins_with(std::span<const std::byte> bytes, std::string_view magic, size_t at = 0) {
  if (bytes.size() < at + magic.size()) return false;
  return std::equal(magic.begin(), magic.end(), reinterpret_cast<const char*>(bytes.data()) + at);
}

std::string lower_extension(const std::string& path) {
  const size_t dot = path.rfind('.');
  if (dot == std::string::npos || path.find('/', dot) != std::string::npos) return {};
  std::string extension = path.substr(dot);
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

bool is_jpeg_extension(const std::string& extension) { return extension == ".jpg" || extension == ".jpeg"; }

Result<Decoded> decode_stored(std::span<const std::byte> bytes, const DecodeOptions& options) {
  if (bytes.empty()) return invalid_argument("the file is empty");
  if (begins_with(bytes, "\xFF\xD8")) return decode_jpeg(bytes, options);
  if (begins_with(bytes, "\x89PNG\r\n\x1A\n")) return decode_png(bytes, options);
  for (const Format& format : kOtherFormats) {
    if (begins_with(bytes, format.magic, format.at)) {
      return unsupported("this is a " + std::string(format.name) + " picture; JPEG and PNG are read: convert it first");
    }
  }
  return invalid_argument("this is neither a JPEG nor a PNG picture");
}

}  // namespace

Status check_pixels(int64_t width, int64_t height, const DecodeOptions& options) {
  const int64_t limit = std::clamp<int64_t>(options.max_pixels, 0, Image::kMaxPixels);
  if (width <= 0 || height <= 0) return invalid_argument("the picture has no pixels");
  if (width <= limit / height) return {};
  return resource_error("the picture has " + std::to_string(width) + " x " + std::to_string(height) + " pixels; " +
                        std::to_string(limit) + " pixels are allowed");
}

Result<Image> decode_image(std::span<const std::byte> bytes, const DecodeOptions& options) {
  HONE_ASSIGN(Decoded decoded, decode_stored(bytes, options));
  return upright(std::move(decoded.image), options.apply_orientation ? decoded.orientation : kUpright);
}

Result<Image> load_image(const std::string& path, const DecodeOptions& options) {
  const int64_t pixels = std::clamp<int64_t>(options.max_pixels, 0, Image::kMaxPixels);
  HONE_ASSIGN(const std::vector<std::byte> bytes, read_file(path, pixels * kMaxBytesPerPixel + kMaxOverheadBytes));
  return decode_image(bytes, options).with_context("picture '" + path + "'");
}

bool has_image_extension(const std::string& path) {
  const std::string extension = lower_extension(path);
  return is_jpeg_extension(extension) || extension == ".png";
}

Status save_image(const ImageView& image, const std::string& path, const EncodeOptions& options) {
  const std::string extension = lower_extension(path);
  if (extension != ".png" && !is_jpeg_extension(extension)) {
    return invalid_argument("can't write '" + path + "': the name must end in .png, .jpg or .jpeg");
  }
  auto encoded = extension == ".png" ? encode_png(image, options) : encode_jpeg(image, options);
  HONE_ASSIGN(const std::vector<std::byte> bytes, std::move(encoded).with_context("picture '" + path + "'"));
  return write_file_atomically(path, bytes);
}

}  // namespace hone
