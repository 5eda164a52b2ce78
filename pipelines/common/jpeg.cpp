#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "pipelines/common/codec_formats.h"
// In this order: jpeglib.h needs <cstdio>, and says which messages jerror.h has.
// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

namespace hone {
namespace {

// A progressive file may repeat its scans without end; real ones have about ten.
constexpr int kMaxScans = 200;
constexpr char kExifHeader[] = "Exif\0";  // and the terminating zero: six bytes

// libjpeg reports errors by a function that mustn't return: it jumps back. Between setjmp and the jump there must be
// no object with a destructor, so functions that call libjpeg keep all such objects outside, behind pointers.
struct ErrorManager {
  jpeg_error_mgr base{};  // first, so that libjpeg's pointer to it is a pointer to this
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX] = "";
};

ErrorManager& manager_of(j_common_ptr info) { return *reinterpret_cast<ErrorManager*>(info->err); }

[[noreturn]] void on_error(j_common_ptr info) {
  ErrorManager& manager = manager_of(info);
  info->err->format_message(info, manager.message);
  std::longjmp(manager.back, 1);
}

// Warnings that mean lost picture data are errors here; harmless oddities of writers pass.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC: on_error(info);
    default: return;
  }
}

void use_errors_of(ErrorManager& manager, jpeg_error_mgr*& slot) {
  slot = jpeg_std_error(&manager.base);
  manager.base.error_exit = on_error;
  manager.base.emit_message = on_message;
}

struct ScanLimit {
  jpeg_progress_mgr base{};  // first, as above
};

void on_progress(j_common_ptr info) {
  if (!info->is_decompressor) return;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMaxScans) return;
  std::snprintf(manager_of(info).message, JMSG_LENGTH_MAX, "more than %d scans", kMaxScans);
  std::longjmp(manager_of(info).back, 1);
}

class Decompressor {
 public:
  Decompressor() {
    use_errors_of(errors_, info_.err);
    limit_.base.progress_monitor = on_progress;
  }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { jpeg_destroy_decompress(&info_); }

  // False: error() says why.
  bool read_header(std::span<const std::byte> bytes) {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_create_decompress(&info_);
    info_.progress = &limit_.base;
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&info_, TRUE);
    return true;
  }

  bool read_pixels(Image& image) {
    if (setjmp(errors_.back) != 0) return false;
    info_.out_color_space = JCS_RGB;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = image.row(static_cast<int>(info_.output_scanline));
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  const jpeg_decompress_struct& info() const { return info_; }
  std::string error() const { return errors_.message; }

 private:
  jpeg_decompress_struct info_{};
  ErrorManager errors_;
  ScanLimit limit_;
};

int orientation_of(const jpeg_decompress_struct& info) {
  for (const jpeg_marker_struct* marker = info.marker_list; marker != nullptr; marker = marker->next) {
    const std::span bytes(reinterpret_cast<const std::byte*>(marker->data), marker->data_length);
    if (bytes.size() < sizeof kExifHeader || std::memcmp(bytes.data(), kExifHeader, sizeof kExifHeader) != 0) continue;
    return exif_orientation(bytes.subspan(sizeof kExifHeader));
  }
  return kUpright;
}

class Compressor {
 public:
  Compressor() { use_errors_of(errors_, info_.err); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ~Compressor() {
    jpeg_destroy_compress(&info_);
    std::free(data_);
  }

  bool write(const ImageView& image, int quality) {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_create_compress(&info_);
    jpeg_mem_dest(&info_, &data_, &bytes_);
    info_.image_width = static_cast<JDIMENSION>(image.width);
    info_.image_height = static_cast<JDIMENSION>(image.height);
    info_.input_components = 3;
    info_.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info_);
    jpeg_set_quality(&info_, quality, TRUE);
    // Full colour resolution: thin coloured lines would smear otherwise.
    info_.comp_info[0].h_samp_factor = info_.comp_info[0].v_samp_factor = 1;
    info_.optimize_coding = TRUE;
    jpeg_start_compress(&info_, TRUE);
    while (info_.next_scanline < info_.image_height) {
      JSAMPROW row = const_cast<JSAMPROW>(image.row(static_cast<int>(info_.next_scanline)));
      jpeg_write_scanlines(&info_, &row, 1);
    }
    jpeg_finish_compress(&info_);
    return true;
  }

  std::span<const std::byte> bytes() const { return {reinterpret_cast<const std::byte*>(data_), bytes_}; }
  std::string error() const { return errors_.message; }

 private:
  jpeg_compress_struct info_{};
  ErrorManager errors_;
  unsigned char* data_ = nullptr;
  unsigned long bytes_ = 0;
};

}  // namespace

Result<Decoded> decode_jpeg(std::span<const std::byte> bytes, const DecodeOptions& options) {
  Decompressor decompressor;
  if (!decompressor.read_header(bytes)) return invalid_argument("damaged JPEG: " + decompressor.error());
  const jpeg_decompress_struct& info = decompressor.info();
  if (info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK) {
    return unsupported("a CMYK JPEG (made for print); convert it to RGB first");
  }
  if (info.jpeg_color_space == JCS_UNKNOWN) {
    return unsupported("a JPEG with " + std::to_string(info.num_components) +
                       " unknown components; grey and RGB are read");
  }
  HONE_TRY(check_pixels(info.image_width, info.image_height, options));
  Decoded decoded;
  HONE_ASSIGN(decoded.image, Image::make(static_cast<int>(info.image_width), static_cast<int>(info.image_height)));
  decoded.orientation = orientation_of(info);
  if (!decompressor.read_pixels(decoded.image)) return invalid_argument("damaged JPEG: " + decompressor.error());
  return decoded;
}

Result<std::vector<std::byte>> encode_jpeg(const ImageView& image, const EncodeOptions& options) {
  if (image.empty()) return invalid_argument("an empty picture");
  if (image.width > JPEG_MAX_DIMENSION || image.height > JPEG_MAX_DIMENSION) {
    return unsupported("JPEG allows sides up to " + std::to_string(JPEG_MAX_DIMENSION) + " pixels; write a PNG");
  }
  Compressor compressor;
  if (!compressor.write(image, std::clamp(options.jpeg_quality, 1, 100))) {
    return resource_error("writing the JPEG failed: " + compressor.error());
  }
  return std::vector<std::byte>(compressor.bytes().begin(), compressor.bytes().end());
}

}  // namespace hone
