#include "pipelines/common/draw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <tuple>

#include "pipelines/common/font.h"

namespace hone {
namespace {

constexpr uint8_t kPaper = 250;
constexpr Color kInk = {10, 20, 30};

Image paper(int width, int height) { return *Image::make(width, height, kPaper); }

bool touched(const Image& image, int x, int y) { return image.pixel(x, y)[0] != kPaper; }

int touched_count(const Image& image) {
  int count = 0;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) count += touched(image, x, y) ? 1 : 0;
  }
  return count;
}

TEST(Draw, RectanglesHaveCrispEdges) {
  Image image = paper(30, 30);
  draw_rectangle(image, {5, 6, 20, 25}, kInk, 2);
  for (int y = 0; y < 30; ++y) {
    for (int x = 0; x < 30; ++x) {
      const bool outer = x >= 4 && x < 21 && y >= 5 && y < 26;
      const bool inner = x >= 6 && x < 19 && y >= 7 && y < 24;
      EXPECT_EQ(touched(image, x, y), outer && !inner) << x << "," << y;
      EXPECT_EQ(image.pixel(x, y)[2], outer && !inner ? kInk.b : kPaper);
    }
  }
}

TEST(Draw, TinyRectanglesAreFilled) {
  Image image = paper(20, 20);
  draw_rectangle(image, {10, 10, 11, 11}, kInk, 4);
  EXPECT_EQ(touched_count(image), 5 * 5);
}

TEST(Draw, LinesCoverTheirArea) {
  Image image = paper(100, 100);
  draw_line(image, {20.5f, 50}, {80.5f, 50}, kBlack, 4);
  EXPECT_FALSE(touched(image, 50, 47));
  for (int y = 48; y < 52; ++y) EXPECT_EQ(image.pixel(50, y)[0], 0);
  EXPECT_FALSE(touched(image, 50, 52));
  double ink = 0;
  Image slanted = paper(100, 100);
  draw_line(slanted, {20, 30}, {80, 75}, kBlack, 3);
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 100; ++x) ink += 1 - slanted.pixel(x, y)[0] / static_cast<double>(kPaper);
  }
  EXPECT_NEAR(ink, 75 * 3 + 3.14159 * 1.5 * 1.5, 5);  // length 75, round ends
}

TEST(Draw, PolygonsCoverTheirArea) {
  const std::vector<Point> points = {{10, 10}, {60.5f, 20.25f}, {50, 70}, {15, 55}};
  double area = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const Point a = points[i], b = points[(i + 1) % points.size()];
    area += (a.x * b.y - b.x * a.y) / 2.0;
  }
  Image image = paper(80, 80);
  fill_polygon(image, points, kBlack);
  double ink = 0;
  for (int y = 0; y < 80; ++y) {
    for (int x = 0; x < 80; ++x) ink += 1 - image.pixel(x, y)[0] / static_cast<double>(kPaper);
  }
  EXPECT_NEAR(ink, area, area * 0.01);
}

TEST(Draw, OpacityMixes) {
  Image image = *Image::make(4, 4, 100);
  fill_rectangle(image, {0, 0, 4, 4}, {200, 100, 0}, 0.5f);
  EXPECT_EQ(image.pixel(1, 1)[0], 150);
  EXPECT_EQ(image.pixel(1, 1)[1], 100);
  EXPECT_EQ(image.pixel(1, 1)[2], 50);
}

TEST(Draw, WhateverIsOutsideIsClipped) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const float wild[] = {-1e30f, -3, 0, 7.5f, 20, 1e9f, nan, inf, -inf};
  Image image = paper(16, 12);
  for (const float x0 : wild) {
    for (const float y0 : wild) {
      for (const float x1 : wild) {
        const Box box = {x0, y0, x1, 5};
        draw_rectangle(image, box, kInk, 3);
        fill_rectangle(image, box, kInk, x1);
        draw_line(image, {x0, y0}, {x1, 3}, kInk, 2);
        draw_disc(image, {x0, y0}, x1, kInk);
        const Point points[] = {{x0, y0}, {x1, y0}, {5, x1}};
        fill_polygon(image, points, kInk, 0.5f);
        draw_text(image, {x0, y0}, "Ag", 9, kInk);
        draw_detections(image, std::vector<Detection>{{box, x1, -5, "thing"}});
      }
    }
  }
  draw_text(image, {2, 10}, "text", inf, kInk);
  draw_text(image, {2, 10}, "text", -1, kInk);
}

TEST(Text, EveryCharacterLooksDifferentAndStaysInItsCell) {
  std::set<std::string> looks;
  for (int c = 33; c < 127; ++c) {
    Image image = paper(60, 60);
    const std::string text(1, static_cast<char>(c));
    draw_text(image, {15, 40}, text, 24, kBlack);
    EXPECT_GT(touched_count(image), 8) << text;
    const int right = 15 + static_cast<int>(std::ceil(text_width(text, 24))) + 4;
    std::string look;
    for (int y = 0; y < 60; ++y) {
      for (int x = 0; x < 60; ++x) {
        look += static_cast<char>(image.pixel(x, y)[0]);
        const bool in_cell = x >= 10 && x < right && y >= 10 && y < 50;
        EXPECT_TRUE(in_cell || !touched(image, x, y)) << text << " at " << x << "," << y;
      }
    }
    EXPECT_TRUE(looks.insert(look).second) << text << " looks like another one";
  }
}

TEST(Text, OtherCharactersAreFrames) {
  EXPECT_EQ(text_width("\xC3\xA4", 12), text_width("\x01", 12));          // one character of two bytes
  EXPECT_EQ(text_width("\xF0\x9F\x90\xB4", 12), text_width("\x7F", 12));  // one of four
  EXPECT_GT(text_width("ab", 12), text_width("a", 12));
  EXPECT_EQ(text_width("", 12), 0);
}

TEST(Detections, DrawBoxesAndTags) {
  Image image = paper(200, 150);
  draw_detections(image, std::vector<Detection>{{{40, 60, 120, 130}, 0.87f, 3, "cat"}});
  const Color color = class_color(3);
  const uint8_t* edge = image.pixel(80, 60);
  EXPECT_EQ((Color{edge[0], edge[1], edge[2]}), color);
  const uint8_t* tag = image.pixel(40, 57);
  EXPECT_EQ((Color{tag[0], tag[1], tag[2]}), color);
  EXPECT_FALSE(touched(image, 80, 100));
}

TEST(Detections, TheFirstTwentyClassesHaveColorsOfTheirOwn) {
  std::set<std::tuple<int, int, int>> colors;
  for (int i = 0; i < 20; ++i) colors.insert({class_color(i).r, class_color(i).g, class_color(i).b});
  EXPECT_EQ(colors.size(), 20u);
  EXPECT_EQ(class_color(20), class_color(0));
}

}  // namespace
}  // namespace hone
