#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>

#include <png.h>
#include <zlib.h>

#include "pipelines/common/codec_formats.h"

namespace hone {
namespace {

// libpng's functions jump back to setjmp on errors: what they need that has a destructor lives outside the functions
// that call them.
struct Job {
  std::span<const std::byte> in;
  std::vector<std::byte> out;
  bool out_of_memory = false;
  char message[200] = "";
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  Job& job = *static_cast<Job*>(png_get_error_ptr(png));
  std::snprintf(job.message, sizeof job.message, "%s", text);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep to, size_t bytes) {
  Job& job = *static_cast<Job*>(png_get_io_ptr(png));
  if (bytes > job.in.size()) png_error(png, "the file ends too early");
  std::memcpy(to, job.in.data(), bytes);
  job.in = job.in.subspan(bytes);
}

bool append(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  try {
    out.insert(out.end(), bytes.begin(), bytes.end());
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

void on_write(png_structp png, png_bytep data, size_t bytes) {
  Job& job = *static_cast<Job*>(png_get_io_ptr(png));
  job.out_of_memory = !append(job.out, std::as_bytes(std::span(data, bytes)));
  if (job.out_of_memory) png_error(png, "no memory");
}

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) { job_.in = bytes; }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  bool read_header() {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job_, on_error, on_warning);
    if (png_ == nullptr) return false;
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    info_ = png_create_info_struct(png_);
    png_set_read_fn(png_, &job_, on_read);
    png_read_info(png_, info_);
    return info_ != nullptr;
  }

  // `rows` points to one pointer for each row, 3 bytes a pixel.
  bool read_pixels(png_bytep* rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_expand(png_);    // palette to RGB, 1, 2 and 4 bits to 8, transparent colour to alpha
    png_set_scale_16(png_);  // 16 bits to 8, rounded
    png_set_gray_to_rgb(png_);
    png_set_strip_alpha(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != size_t{png_get_image_width(png_, info_)} * 3) return false;
    png_read_image(png_, rows);
    png_read_end(png_, info_);
    return true;
  }

  // Also found after the pixels, hence to be asked at the end.
  int orientation() {
    png_uint_32 bytes = 0;
    png_bytep exif = nullptr;
    if (png_get_eXIf_1(png_, info_, &bytes, &exif) == 0) return kUpright;
    return exif_orientation(std::as_bytes(std::span(exif, bytes)));
  }

  int64_t width() const { return png_get_image_width(png_, info_); }
  int64_t height() const { return png_get_image_height(png_, info_); }
  std::string error() const { return job_.message[0] != '\0' ? job_.message : "unexpected layout"; }

 private:
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  Job job_;
};

class Writer {
 public:
  Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { png_destroy_write_struct(&png_, &info_); }

  bool write(const ImageView& image, int level) {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, &job_, on_error, on_warning);
    if (png_ == nullptr) return false;
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    info_ = png_create_info_struct(png_);
    png_set_write_fn(png_, &job_, on_write, nullptr);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_compression_level(png_, level);
    png_set_IHDR(png_, info_, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height), 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png_, info_);
    for (int y = 0; y < image.height; ++y) png_write_row(png_, image.row(y));
    png_write_end(png_, info_);
    return true;
  }

  std::vector<std::byte> take_bytes() { return std::move(job_.out); }
  std::string error() const { return job_.message; }

 private:
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  Job job_;
};

}  // namespace

Result<Decoded> decode_png(std::span<const std::byte> bytes, const DecodeOptions& options) {
  Reader reader(bytes);
  if (!reader.read_header()) return invalid_argument("damaged PNG: " + reader.error());
  HONE_TRY(check_pixels(reader.width(), reader.height(), options));
  Decoded decoded;
  HONE_ASSIGN(decoded.image, Image::make(static_cast<int>(reader.width()), static_cast<int>(reader.height())));
  std::vector<png_bytep> rows(static_cast<size_t>(decoded.image.height()));
  for (int y = 0; y < decoded.image.height(); ++y) rows[static_cast<size_t>(y)] = decoded.image.row(y);
  if (!reader.read_pixels(rows.data())) return invalid_argument("damaged PNG: " + reader.error());
  decoded.orientation = reader.orientation();
  return decoded;
}

Result<std::vector<std::byte>> encode_png(const ImageView& image, const EncodeOptions& options) {
  if (image.empty()) return invalid_argument("an empty picture");
  Writer writer;
  if (!writer.write(image, std::clamp(options.png_level, 0, 9))) {
    return resource_error("writing the PNG failed: " + writer.error());
  }
  return writer.take_bytes();
}

}  // namespace hone
