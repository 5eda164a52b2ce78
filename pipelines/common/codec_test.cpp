#include "pipelines/common/codec.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

// clang-format off
#include <jpeglib.h>  // needs <cstdio>
// clang-format on

#include "hone/file.h"

namespace hone {
namespace {

using Bytes = std::vector<std::byte>;

Bytes to_bytes(const std::string& text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

std::string big_endian(uint32_t value, size_t bytes) {
  std::string text;
  for (size_t i = bytes; i-- > 0;) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string little_endian(uint32_t value, size_t bytes) {
  const std::string text = big_endian(value, bytes);
  return {text.rbegin(), text.rend()};
}

// Smooth colors with a little noise: what JPEG is made for.
Image picture(int width, int height) {
  std::mt19937 random(11);
  Image image = *Image::make(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      uint8_t* pixel = image.pixel(x, y);
      pixel[0] = static_cast<uint8_t>(30 + 150 * x / width + int(random() % 8));
      pixel[1] = static_cast<uint8_t>(220 - 180 * y / height + int(random() % 8));
      pixel[2] = static_cast<uint8_t>(60 + 90 * (x + y) / (width + height) + int(random() % 8));
    }
  }
  return image;
}

int largest_difference(const Image& a, const Image& b) {
  if (a.width() != b.width() || a.height() != b.height()) return 256;
  int largest = 0;
  for (int y = 0; y < a.height(); ++y) {
    for (size_t i = 0; i < a.row_bytes(); ++i) largest = std::max(largest, std::abs(a.row(y)[i] - b.row(y)[i]));
  }
  return largest;
}

std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto crc =
      static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())));
  return big_endian(static_cast<uint32_t>(data.size()), 4) + body + big_endian(crc, 4);
}

struct PngForm {
  uint32_t width = 4, height = 2;
  int bits = 8, color_type = 0;
  std::string extra;  // chunks before the pixels
};

// A PNG of any form; `rows` are the unfiltered bytes of each row.
Bytes make_png(const PngForm& form, const std::vector<std::string>& rows) {
  std::string raw;
  for (const std::string& row : rows) raw += '\0' + row;
  std::string packed(compressBound(static_cast<uLong>(raw.size())), '\0');
  uLongf size = static_cast<uLongf>(packed.size());
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(raw.data()),
           static_cast<uLong>(raw.size()));
  packed.resize(size);
  const std::string header = big_endian(form.width, 4) + big_endian(form.height, 4) + static_cast<char>(form.bits) +
                             static_cast<char>(form.color_type) + std::string(3, '\0');
  return to_bytes("\x89PNG\r\n\x1A\n" + chunk("IHDR", header) + form.extra + chunk("IDAT", packed) + chunk("IEND", ""));
}

std::vector<int> colors(const Image& image) {
  std::vector<int> values;
  for (int y = 0; y < image.height(); ++y) values.insert(values.end(), image.row(y), image.row(y) + image.row_bytes());
  return values;
}

Bytes make_cmyk_jpeg() {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &data, &size);
  info.image_width = info.image_height = 8;
  info.input_components = 4;
  info.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_start_compress(&info, TRUE);
  std::vector<JSAMPLE> row(32, 99);
  JSAMPROW pointer = row.data();
  while (info.next_scanline < 8) jpeg_write_scanlines(&info, &pointer, 1);
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  const auto view = std::as_bytes(std::span(data, size));
  Bytes bytes(view.begin(), view.end());
  std::free(data);
  return bytes;
}

std::string exif_block(int orientation, bool big) {
  const auto number = [big](uint32_t value, size_t bytes) {
    return big ? big_endian(value, bytes) : little_endian(value, bytes);
  };
  return (big ? std::string("MM\0*", 4) : std::string("II*\0", 4)) + number(8, 4) + number(2, 2) +  //
         number(0x0100, 2) + number(4, 2) + number(1, 4) + number(77, 4) +                          //
         number(0x0112, 2) + number(3, 2) + number(1, 4) + number(static_cast<uint32_t>(orientation), 2) +
         number(0, 2) + number(0, 4);
}

TEST(Codec, PngKeepsEveryPixel) {
  const Image image = picture(37, 23);
  const Result<Image> back = decode_image(*encode_png(image.view()));
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(largest_difference(image, *back), 0);
}

TEST(Codec, JpegIsClose) {
  const Image image = picture(37, 23);
  const Result<Image> back = decode_image(*encode_jpeg(image.view()));
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_LE(largest_difference(image, *back), 12);
}

TEST(Codec, PngFormsBecomeRgb) {
  const auto decoded = [](const PngForm& form, const std::vector<std::string>& rows) {
    const Result<Image> image = decode_image(make_png(form, rows));
    EXPECT_TRUE(image.ok()) << image.status().message();
    return image.ok() ? colors(*image) : std::vector<int>();
  };
  const std::string palette = chunk("PLTE", "\x01\x02\x03\x10\x20\x30\x70\x60\x50");
  EXPECT_EQ(decoded({2, 1, 8, 0, ""}, {"\x07\x50"}), (std::vector<int>{7, 7, 7, 80, 80, 80})) << "grey";
  EXPECT_EQ(decoded({4, 1, 1, 0, ""}, {"\x50"}), (std::vector<int>{0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255}))
      << "1 bit";
  EXPECT_EQ(decoded({2, 1, 4, 3, palette}, {"\x21"}), (std::vector<int>{0x70, 0x60, 0x50, 0x10, 0x20, 0x30}))
      << "palette";
  EXPECT_EQ(decoded({2, 1, 8, 3, palette + chunk("tRNS", std::string("\0\x40", 2))}, {std::string("\0\1", 2)}),
            (std::vector<int>{1, 2, 3, 0x10, 0x20, 0x30}))
      << "transparent palette";
  EXPECT_EQ(decoded({1, 1, 8, 6, ""}, {std::string("\x0A\x0B\x0C\0", 4)}), (std::vector<int>{10, 11, 12}))
      << "alpha is dropped";
  EXPECT_EQ(decoded({1, 1, 8, 4, ""}, {std::string("\x0A\0", 2)}), (std::vector<int>{10, 10, 10})) << "grey with alpha";
  EXPECT_EQ(decoded({1, 1, 16, 2, ""}, {std::string("\x40\xFF\x01\x00\xFF\xFF", 6)}), (std::vector<int>{65, 1, 255}))
      << "16 bits, rounded";
  EXPECT_EQ(decoded({1, 2, 16, 0, ""}, {std::string("\x80\x80", 2), std::string(2, '\0')}),
            (std::vector<int>{128, 128, 128, 0, 0, 0}));
}

TEST(Codec, OrientationIsAppliedInBothFormatsAndByteOrders) {
  const Image image = picture(16, 8);
  const Bytes jpeg = *encode_jpeg(image.view()), png = *encode_png(image.view());
  const Image stored = *decode_image(jpeg);
  for (int orientation = 0; orientation <= 9; ++orientation) {
    for (const bool big : {false, true}) {
      const std::string exif = exif_block(orientation, big);
      Bytes tagged = jpeg;
      const Bytes marker = to_bytes("\xFF\xE1" + big_endian(static_cast<uint32_t>(exif.size() + 8), 2) +
                                    std::string("Exif\0\0", 6) + exif);
      tagged.insert(tagged.begin() + 2, marker.begin(), marker.end());
      EXPECT_EQ(largest_difference(*decode_image(tagged), *upright(stored, orientation)), 0) << orientation;
      EXPECT_EQ(largest_difference(*decode_image(tagged, {.apply_orientation = false}), stored), 0) << orientation;
      Bytes tagged_png = png;
      const Bytes exif_chunk = to_bytes(chunk("eXIf", exif));
      tagged_png.insert(tagged_png.begin() + 33, exif_chunk.begin(), exif_chunk.end());
      EXPECT_EQ(largest_difference(*decode_image(tagged_png), *upright(image, orientation)), 0) << orientation;
    }
  }
}

TEST(Codec, CmykIsRefused) {
  const Status status = decode_image(make_cmyk_jpeg()).status();
  EXPECT_EQ(status.code(), Code::kUnsupported);
  EXPECT_NE(status.message().find("CMYK"), std::string::npos);
}

TEST(Codec, TooManyPixelsAreRefusedBeforeMemoryIsTaken) {
  const Status png = decode_image(make_png({200000, 200000, 8, 2, ""}, {})).status();
  EXPECT_EQ(png.code(), Code::kResource) << png.message();
  EXPECT_NE(png.message().find("200000 x 200000"), std::string::npos);
  Bytes jpeg = *encode_jpeg(picture(8, 8).view());
  const std::string frame = "\xFF\xC0";
  const auto text = reinterpret_cast<const char*>(jpeg.data());
  const size_t at = std::string_view(text, jpeg.size()).find(frame);
  ASSERT_NE(at, std::string_view::npos);
  for (size_t i = 5; i < 9; ++i) jpeg[at + i] = std::byte{0xFD};  // 65021 x 65021
  EXPECT_EQ(decode_image(jpeg).status().code(), Code::kResource);
  EXPECT_EQ(decode_image(*encode_png(picture(20, 20).view()), {.max_pixels = 399}).status().code(), Code::kResource);
  EXPECT_TRUE(decode_image(*encode_png(picture(20, 20).view()), {.max_pixels = 400}).ok());
}

TEST(Codec, CutFilesAreErrors) {
  const Image image = picture(24, 18);
  for (const Bytes& whole : {*encode_png(image.view()), *encode_jpeg(image.view())}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      const Result<Image> cut = decode_image(std::span(whole).first(size));
      EXPECT_FALSE(cut.ok()) << size << " of " << whole.size() << " bytes";
    }
  }
}

TEST(Codec, DamagedFilesNeverDoHarm) {
  const Image image = picture(24, 18);
  for (const Bytes& whole : {*encode_png(image.view()), *encode_jpeg(image.view())}) {
    for (size_t i = 0; i < whole.size(); ++i) {
      for (const int flip : {0x01, 0x80, 0xFF}) {
        Bytes damaged = whole;
        damaged[i] ^= static_cast<std::byte>(flip);
        const Result<Image> decoded = decode_image(damaged, {.max_pixels = 1 << 20});
        EXPECT_TRUE(!decoded.ok() || decoded->width() > 0);
      }
    }
  }
}

TEST(Codec, TheContentsDecideNotTheName) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("hone_codec_" + std::to_string(getpid()) + ".jpg")).string();
  ASSERT_TRUE(write_file_atomically(path, *encode_png(picture(5, 4).view())).ok());
  const Result<Image> image = load_image(path);
  ASSERT_TRUE(image.ok()) << image.status().message();
  EXPECT_EQ(largest_difference(*image, picture(5, 4)), 0);
  for (const std::string& contents :
       {std::string(), std::string("plain text"), std::string("GIF89a"), std::string("II*\0", 4)}) {
    ASSERT_TRUE(write_file_atomically(path, to_bytes(contents)).ok());
    const Status status = load_image(path).status();
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.message().find(path), std::string::npos) << status.message();
  }
  std::filesystem::remove(path);
}

TEST(Codec, ExtensionsDecideWhatIsWritten) {
  const std::string base =
      (std::filesystem::temp_directory_path() / ("hone_save_" + std::to_string(getpid()))).string();
  const Image image = picture(9, 7);
  for (const std::string& extension : {std::string(".png"), std::string(".JPG"), std::string(".jpeg")}) {
    ASSERT_TRUE(save_image(image.view(), base + extension).ok());
    EXPECT_LE(largest_difference(image, *load_image(base + extension)), 12);
    std::filesystem::remove(base + extension);
  }
  EXPECT_FALSE(save_image(image.view(), base + ".bmp").ok());
  EXPECT_FALSE(save_image({}, base + ".png").ok());
  EXPECT_TRUE(has_image_extension("a/b.JPEG"));
  EXPECT_FALSE(has_image_extension("a.png/b"));
}

}  // namespace
}  // namespace hone
