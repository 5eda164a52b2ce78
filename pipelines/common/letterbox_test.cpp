#include "pipelines/common/letterbox.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

namespace hone {
namespace {

struct Case {
  int width, height, to_width, to_height;
  bool minimal, scale_up;
  int expected[6];  // input width and height, left, top, picture width and height
};

// YOLOv7's rules, worked out in Python, whose round() is half to even.
constexpr Case kYolov7[] = {
    {773, 512, 640, 640, false, true, {640, 640, 0, 108, 640, 424}},
    {773, 512, 640, 640, false, false, {640, 640, 0, 108, 640, 424}},
    {773, 512, 640, 640, true, true, {640, 448, 0, 12, 640, 424}},
    {773, 512, 640, 640, true, false, {640, 448, 0, 12, 640, 424}},
    {810, 1080, 640, 640, false, true, {640, 640, 80, 0, 480, 640}},
    {810, 1080, 640, 640, false, false, {640, 640, 80, 0, 480, 640}},
    {810, 1080, 640, 640, true, true, {480, 640, 0, 0, 480, 640}},
    {810, 1080, 640, 640, true, false, {480, 640, 0, 0, 480, 640}},
    {1280, 720, 640, 640, false, true, {640, 640, 0, 140, 640, 360}},
    {1280, 720, 640, 640, false, false, {640, 640, 0, 140, 640, 360}},
    {1280, 720, 640, 640, true, true, {640, 384, 0, 12, 640, 360}},
    {1280, 720, 640, 640, true, false, {640, 384, 0, 12, 640, 360}},
    {333, 777, 640, 640, false, true, {640, 640, 183, 0, 274, 640}},
    {333, 777, 640, 640, false, false, {640, 640, 183, 0, 274, 640}},
    {333, 777, 640, 640, true, true, {288, 640, 7, 0, 274, 640}},
    {333, 777, 640, 640, true, false, {288, 640, 7, 0, 274, 640}},
    {1, 1, 640, 640, false, true, {640, 640, 0, 0, 640, 640}},
    {1, 1, 640, 640, false, false, {640, 640, 319, 319, 1, 1}},
    {1, 1, 640, 640, true, true, {640, 640, 0, 0, 640, 640}},
    {1, 1, 640, 640, true, false, {32, 32, 15, 15, 1, 1}},
    {640, 640, 640, 640, false, true, {640, 640, 0, 0, 640, 640}},
    {640, 640, 640, 640, false, false, {640, 640, 0, 0, 640, 640}},
    {640, 640, 640, 640, true, true, {640, 640, 0, 0, 640, 640}},
    {640, 640, 640, 640, true, false, {640, 640, 0, 0, 640, 640}},
    {641, 479, 640, 640, false, true, {640, 640, 0, 81, 640, 478}},
    {641, 479, 640, 640, false, false, {640, 640, 0, 81, 640, 478}},
    {641, 479, 640, 640, true, true, {640, 480, 0, 1, 640, 478}},
    {641, 479, 640, 640, true, false, {640, 480, 0, 1, 640, 478}},
    {500, 375, 416, 416, false, true, {416, 416, 0, 52, 416, 312}},
    {500, 375, 416, 416, false, false, {416, 416, 0, 52, 416, 312}},
    {500, 375, 416, 416, true, true, {416, 320, 0, 4, 416, 312}},
    {500, 375, 416, 416, true, false, {416, 320, 0, 4, 416, 312}},
    {101, 67, 320, 192, false, true, {320, 192, 15, 0, 289, 192}},
    {101, 67, 320, 192, false, false, {320, 192, 109, 62, 101, 67}},
    {101, 67, 320, 192, true, true, {320, 192, 15, 0, 289, 192}},
    {101, 67, 320, 192, true, false, {128, 96, 13, 14, 101, 67}},
    {64, 48, 640, 640, false, true, {640, 640, 0, 80, 640, 480}},
    {64, 48, 640, 640, false, false, {640, 640, 288, 296, 64, 48}},
    {64, 48, 640, 640, true, true, {640, 480, 0, 0, 640, 480}},
    {64, 48, 640, 640, true, false, {64, 64, 0, 8, 64, 48}},
};

TEST(Letterbox, PlacesPicturesAsYolov7Does) {
  for (const Case& c : kYolov7) {
    LetterboxOptions options;
    options.style = c.minimal ? LetterboxStyle::kMinimal : LetterboxStyle::kCentred;
    options.width = c.to_width;
    options.height = c.to_height;
    options.scale_up = c.scale_up;
    const Result<Letterbox> box = plan_letterbox(c.width, c.height, options);
    ASSERT_TRUE(box.ok());
    const std::vector<int> found = {box->width, box->height,        box->left,
                                    box->top,   box->picture_width, box->picture_height};
    EXPECT_EQ(found, std::vector<int>(c.expected, c.expected + 6))
        << c.width << "x" << c.height << (c.minimal ? " minimal" : "");
  }
}

TEST(Letterbox, YoloxRoundsDownIntoTheTopLeftCorner) {
  LetterboxOptions options;
  options.style = LetterboxStyle::kTopLeft;
  options.width = options.height = 416;
  const Letterbox box = *plan_letterbox(773, 512, options);
  EXPECT_EQ(std::pair(box.left, box.top), std::pair(0, 0));
  EXPECT_EQ(std::pair(box.picture_width, box.picture_height), std::pair(415, 275));
  // 275.53 rounded down; and 773 * (416.0 / 773) is a little less than 416, there as here.
  EXPECT_EQ(box.shift_x, 0);
  EXPECT_EQ(box.shift_y, 0);
}

TEST(Letterbox, ExtremeShapesKeepAtLeastOnePixel) {
  for (const auto& [width, height] : {std::pair(65535, 1), std::pair(1, 65535)}) {
    for (const auto style : {LetterboxStyle::kCentred, LetterboxStyle::kMinimal, LetterboxStyle::kTopLeft}) {
      const Letterbox box = *plan_letterbox(width, height, {.style = style});
      const Image picture = *Image::make(width, height, 9);
      const Result<Image> padded = apply_letterbox(picture.view(), box);
      ASSERT_TRUE(padded.ok()) << padded.status().message();
      EXPECT_EQ(padded->width(), box.width);
      EXPECT_GE(box.picture_width, 1);
      EXPECT_GE(box.picture_height, 1);
    }
  }
}

TEST(Letterbox, PadsWithTheGivenValue) {
  const Image picture = *Image::make(20, 10, 200);
  const Letterbox box = *plan_letterbox(20, 10, {.width = 40, .height = 40});
  const Image padded = *apply_letterbox(picture.view(), box, 114);
  EXPECT_EQ(padded.pixel(0, 9)[1], 114);
  EXPECT_EQ(padded.pixel(0, 10)[1], 200);
  EXPECT_EQ(padded.pixel(39, 29)[2], 200);
  EXPECT_EQ(padded.pixel(39, 30)[2], 114);
}

TEST(Letterbox, BoxesComeBackToWhereTheyWere) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> part(0, 1);
  for (const auto style : {LetterboxStyle::kCentred, LetterboxStyle::kMinimal, LetterboxStyle::kTopLeft}) {
    const Letterbox letterbox = *plan_letterbox(773, 512, {.style = style});
    for (int i = 0; i < 100; ++i) {
      const Box there = {part(random) * 300, part(random) * 200, 300 + part(random) * 473, 200 + part(random) * 312};
      const auto x = [&](float value) { return static_cast<float>(value * letterbox.scale + letterbox.shift_x); };
      const auto y = [&](float value) { return static_cast<float>(value * letterbox.scale + letterbox.shift_y); };
      const Box back = letterbox.to_picture({x(there.x0), y(there.y0), x(there.x1), y(there.y1)});
      EXPECT_NEAR(back.x0, there.x0, 1e-3);
      EXPECT_NEAR(back.y0, there.y0, 1e-3);
      EXPECT_NEAR(back.x1, there.x1, 1e-3);
      EXPECT_NEAR(back.y1, there.y1, 1e-3);
    }
    const Box clipped = letterbox.to_picture({-1e9f, -50, 1e9f, 5000});
    EXPECT_EQ(clipped, (Box{0, 0, 773, 512}));
  }
}

TEST(Letterbox, RefusesNonsense) {
  EXPECT_FALSE(plan_letterbox(0, 5, {}).ok());
  EXPECT_FALSE(plan_letterbox(5, 5, {.width = 0}).ok());
  EXPECT_FALSE(plan_letterbox(5, 5, {.stride = 0}).ok());
  const Image picture = *Image::make(5, 5);
  EXPECT_FALSE(apply_letterbox(picture.view(), *plan_letterbox(6, 5, {})).ok());
}

TEST(ToPlanes, SeparatesAndNormalizesChannels) {
  Image picture = *Image::make(2, 1);
  for (int i = 0; i < 6; ++i) picture.row(0)[i] = static_cast<uint8_t>(40 * i + 5);
  std::vector<float> out(6);
  to_planes(picture.view(), {}, out);
  EXPECT_EQ(out, (std::vector<float>{5 / 255.f, 125 / 255.f, 45 / 255.f, 165 / 255.f, 85 / 255.f, 205 / 255.f}));
  to_planes(picture.view(), {.divisor = 1, .bgr = true}, out);
  EXPECT_EQ(out, (std::vector<float>{85, 205, 45, 165, 5, 125}));
  to_planes(picture.view(), {.divisor = 1, .mean = {1, 2, 3}, .deviation = {2, 4, 8}}, out);
  EXPECT_EQ(out, (std::vector<float>{2, 62, 10.75f, 40.75f, 10.25f, 25.25f}));
}

}  // namespace
}  // namespace hone
