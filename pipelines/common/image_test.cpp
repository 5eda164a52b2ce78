#include "pipelines/common/image.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hone {
namespace {

// One letter a pixel, one string a row.
Image from_letters(const std::vector<std::string>& rows) {
  Image image = *Image::make(static_cast<int>(rows[0].size()), static_cast<int>(rows.size()));
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) image.pixel(x, y)[0] = static_cast<uint8_t>(rows[size_t(y)][size_t(x)]);
  }
  return image;
}

std::vector<std::string> to_letters(const Image& image) {
  std::vector<std::string> rows;
  for (int y = 0; y < image.height(); ++y) {
    rows.emplace_back();
    for (int x = 0; x < image.width(); ++x) rows.back() += static_cast<char>(image.pixel(x, y)[0]);
  }
  return rows;
}

// The letter F as EXIF's specification shows it, in each of the eight ways it may be stored.
TEST(Image, UprightUndoesEveryOrientation) {
  const std::vector<std::string> f = {"##", "#.", "##", "#.", "#."};
  const std::vector<std::vector<std::string>> stored = {
      {"##", "#.", "##", "#.", "#."},
      {"##", ".#", "##", ".#", ".#"},
      {".#", ".#", "##", ".#", "##"},
      {"#.", "#.", "##", "#.", "##"},
      {"#####", "#.#.."},
      {"#.#..", "#####"},
      {"..#.#", "#####"},
      {"#####", "..#.#"},
  };
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Result<Image> image = upright(from_letters(stored[static_cast<size_t>(orientation - 1)]), orientation);
    ASSERT_TRUE(image.ok());
    EXPECT_EQ(to_letters(*image), f) << "orientation " << orientation;
  }
  for (const int nonsense : {0, 9, -1}) EXPECT_EQ(to_letters(*upright(from_letters(f), nonsense)), f);
}

TEST(Image, RefusesImpossibleSizes) {
  EXPECT_EQ(Image::make(0, 5).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Image::make(5, -1).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Image::make(2'000'000'000, 2'000'000'000).status().code(), Code::kResource);
  EXPECT_FALSE(Image::copy_of({}).ok());
}

}  // namespace
}  // namespace hone
