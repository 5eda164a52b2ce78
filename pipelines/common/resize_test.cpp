#include "pipelines/common/resize.h"

#include <gtest/gtest.h>

namespace hone {
namespace {

// Noise that any program can repeat: the top bytes of a linear congruential generator.
Image noise(int width, int height, uint32_t seed) {
  Image image = *Image::make(width, height);
  for (int y = 0; y < height; ++y) {
    for (int i = 0; i < width * 3; ++i) {
      seed = seed * 1664525u + 1013904223u;
      image.row(y)[i] = static_cast<uint8_t>(seed >> 24);
    }
  }
  return image;
}

uint64_t fnv1a(const Image& image) {
  uint64_t hash = 0xcbf29ce484222325;
  for (int y = 0; y < image.height(); ++y) {
    for (int i = 0; i < image.width() * 3; ++i) hash = (hash ^ image.row(y)[i]) * 0x100000001b3;
  }
  return hash;
}

struct Case {
  int width, height, to_width, to_height;
  uint64_t hash;
};

// Hashes of what OpenCV 4.12 makes of noise(width, height, case number from 1) with INTER_LINEAR.
constexpr Case kOpenCv[] = {
    {1, 1, 5, 3, 0x929e83b30f584778},      {7, 1, 3, 4, 0x4b8a507db5e06d05},     {1, 9, 6, 2, 0x2fac970d5100e94b},
    {64, 48, 32, 24, 0x7d7b483dd3129464},  {64, 48, 32, 25, 0x510037f5d25b96de}, {66, 48, 33, 48, 0xdfdeb32de9c48ccf},
    {61, 47, 122, 94, 0xac87b3b2fef549e5}, {5, 5, 5, 5, 0xd7ed4402f46d5fff},     {3, 2, 17, 31, 0xc1aaeda18ef940f7},
    {100, 80, 25, 20, 0xeeb8ba8d14189262}, {90, 60, 30, 20, 0x1a645c3d1190ed43}, {50, 40, 49, 39, 0x843cf00f730ef3d1},
    {60, 72, 3, 72, 0xc0203bf32e60310e},   {42, 46, 57, 26, 0xfbbf7848b317c614}, {88, 5, 25, 35, 0x2f7afbc243e5559b},
    {51, 37, 12, 5, 0xca0a61073a4bdc34},   {1, 5, 14, 89, 0x2194641f539db231},   {17, 59, 67, 21, 0xea3b524cda6cc0c5},
    {26, 39, 24, 87, 0x4840daef5fce0f44},  {16, 80, 71, 76, 0x8c627b8d8bc1ed31}, {11, 35, 56, 44, 0xb3a0f9b3c04d066d},
    {60, 61, 60, 6, 0xc0d90e0ce692194c},   {86, 50, 81, 25, 0x7f62cbc8a26bcb49}, {33, 79, 17, 6, 0x2d2241ebbb370e3d},
    {34, 61, 11, 78, 0x644e1dd2d06c39a1},  {31, 21, 49, 80, 0x2fb77c37d2868684}, {79, 78, 28, 2, 0x86e630ea8f75fc41},
    {70, 63, 69, 1, 0x743bcba380ca1265},   {4, 45, 30, 39, 0x3724b23d50ea42c4},  {83, 19, 47, 29, 0xa432e7c6237795ec},
    {27, 72, 14, 29, 0x6d8016c40c989062},  {11, 14, 26, 63, 0x88d2e87a2545911c}, {52, 40, 16, 72, 0x904658f85542dee3},
    {72, 21, 6, 29, 0xae417ac7d7894d21},   {13, 72, 47, 46, 0x5fd82a60313d98b1}, {26, 46, 87, 22, 0xc5a4dd8faa7ceb87},
    {69, 2, 28, 84, 0x9d82c2e61aea9008},   {78, 8, 76, 76, 0xee3976819d61cfbc},  {41, 33, 88, 85, 0x6c45a65d9413496f},
    {61, 36, 19, 84, 0xcb04dd8b786a3c4c},
};

TEST(Resize, EqualsOpenCvBitForBit) {
  uint32_t seed = 0;
  for (const Case& c : kOpenCv) {
    const Image from = noise(c.width, c.height, ++seed);
    const Result<Image> to = resize(from.view(), c.to_width, c.to_height);
    ASSERT_TRUE(to.ok()) << to.status().message();
    EXPECT_EQ(fnv1a(*to), c.hash) << c.width << "x" << c.height << " to " << c.to_width << "x" << c.to_height;
  }
}

TEST(Resize, LeavesTheRestOfThePictureAlone) {
  const Image from = noise(13, 9, 7);
  Image to = *Image::make(40, 30, 114);
  ASSERT_TRUE(resize_into(from.view(), to, 5, 6, 20, 10).ok());
  for (int y = 0; y < 30; ++y) {
    for (int x = 0; x < 40; ++x) {
      const bool inside = x >= 5 && x < 25 && y >= 6 && y < 16;
      ASSERT_TRUE(inside || to.pixel(x, y)[0] == 114) << x << "," << y;
    }
  }
}

TEST(Resize, RowsMayHaveGaps) {
  const Image whole = noise(50, 20, 3);
  const ImageView part = {whole.pixel(10, 4), 21, 11, whole.row_bytes()};
  const Image copy = *Image::copy_of(part);
  EXPECT_EQ(fnv1a(*resize(part, 33, 8)), fnv1a(*resize(copy.view(), 33, 8)));
}

TEST(Resize, RefusesEmptyPicturesAndPlacesOutside) {
  Image to = *Image::make(10, 10);
  EXPECT_FALSE(resize_into({}, to, 0, 0, 5, 5).ok());
  const Image from = noise(4, 4, 1);
  EXPECT_FALSE(resize_into(from.view(), to, 6, 0, 5, 5).ok());
  EXPECT_FALSE(resize_into(from.view(), to, -1, 0, 5, 5).ok());
  EXPECT_FALSE(resize_into(from.view(), to, 0, 0, 0, 5).ok());
  EXPECT_FALSE(resize(from.view(), 1 << 20, 1 << 20).ok());
}

}  // namespace
}  // namespace hone
