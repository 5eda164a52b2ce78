#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <vector>

#include "pipelines/common/draw.h"

namespace hone {
namespace {

// Neighbours in the list differ in hue and lightness, since they are what data sets give to their first classes.
constexpr std::array<Color, 20> kPalette = {{
    {255, 82, 82},  {41, 182, 246}, {255, 202, 40}, {102, 187, 106}, {186, 104, 200}, {255, 138, 30}, {38, 166, 154},
    {236, 64, 122}, {158, 196, 28}, {92, 107, 232}, {0, 200, 222},   {214, 128, 88},  {126, 87, 214}, {240, 120, 196},
    {30, 156, 80},  {255, 112, 96}, {64, 224, 168}, {212, 170, 24},  {100, 181, 255}, {176, 60, 108},
}};

struct Sizes {
  int line = 2;
  float capital = 9;
};

Sizes sizes_for(const Image& image, const OverlayOptions& options) {
  const double diagonal = std::hypot(image.width(), image.height());
  Sizes sizes;
  sizes.line = options.line_width > 0 ? options.line_width : std::max(2, static_cast<int>(std::lround(diagonal / 640)));
  sizes.capital = options.capital_height > 0 ? options.capital_height
                                             : static_cast<float>(std::max(7.0, std::round(3.5 + diagonal * 0.0055)));
  return sizes;
}

float margin_x(const Sizes& sizes) { return std::round(sizes.capital * 0.5f); }
float margin_y(const Sizes& sizes) { return std::round(sizes.capital * 0.45f); }

std::string tag_of(const Detection& detection, const OverlayOptions& options) {
  std::string tag = options.labels ? detection.label : "";
  if (!options.scores) return tag;
  std::array<char, 64> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), detection.score, std::chars_format::fixed, 2);
  return tag + (tag.empty() ? "" : " ") + std::string(digits.data(), end.ptr);
}

struct Tag {
  std::string text;
  Box place;
  Color color;
};

bool overlaps(const Box& a, const Box& b) { return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1; }

// Above the box, else inside it, below it, or at its right end: the first place within the picture that no tag of a
// better box has. When all are taken, above it, moved into the picture.
Box tag_place(const Image& image, const Box& box, float width, float height, int line, std::span<const Tag> better) {
  const float before = static_cast<float>(line / 2), behind = static_cast<float>(line - line / 2);
  const float image_width = static_cast<float>(image.width()), image_height = static_cast<float>(image.height());
  const auto move_inside = [](float at, float size, float limit) { return std::max(0.0f, std::min(at, limit - size)); };
  const float left = move_inside(std::round(box.x0) - before, width, image_width);
  const float right = move_inside(std::round(box.x1) + behind - width, width, image_width);
  const float above = std::round(box.y0) - before - height, inside = std::round(box.y0) - before;
  const float below = std::round(box.y1) + behind;
  const std::array<Point, 6> corners = {
      {{left, above}, {left, inside}, {left, below}, {right, above}, {right, inside}, {right, below}}};
  for (const Point corner : corners) {
    const Box place = {corner.x, corner.y, corner.x + width, corner.y + height};
    const bool within = place.y0 >= 0 && place.y1 <= image_height;
    const bool taken =
        std::any_of(better.begin(), better.end(), [&](const Tag& tag) { return overlaps(place, tag.place); });
    if (within && !taken) return place;
  }
  const float top = move_inside(above >= 0 ? above : inside, height, image_height);
  return {left, top, left + width, top + height};
}

Tag make_tag(const Image& image, const Detection& detection, const Sizes& sizes, const OverlayOptions& options,
             std::span<const Tag> better) {
  Tag tag;
  tag.text = tag_of(detection, options);
  tag.color = class_color(detection.class_id);
  const float width = text_width(tag.text, sizes.capital) + 2 * margin_x(sizes) + 1;
  const float height = sizes.capital + 2 * margin_y(sizes) + 1;
  tag.place = tag_place(image, detection.box, width, height, sizes.line, better);
  return tag;
}

void draw_tag(Image& image, const Tag& tag, const Sizes& sizes) {
  fill_rectangle(image, tag.place, tag.color);
  draw_text(image, {tag.place.x0 + margin_x(sizes), tag.place.y0 + margin_y(sizes) + sizes.capital}, tag.text,
            sizes.capital, readable_on(tag.color));
}

// Indices of what can be drawn, best first.
std::vector<size_t> ranked(std::span<const Detection> detections) {
  std::vector<size_t> order(detections.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::erase_if(order, [&](size_t i) { return !is_finite(detections[i].box) || std::isnan(detections[i].score); });
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return detections[a].score > detections[b].score; });
  return order;
}

}  // namespace

Color class_color(int class_id) { return kPalette[static_cast<unsigned>(class_id) % kPalette.size()]; }

Color readable_on(Color background) {
  const double brightness = 0.299 * background.r + 0.587 * background.g + 0.114 * background.b;
  return brightness > 150 ? Color{16, 18, 22} : kWhite;
}

void draw_detections(Image& image, std::span<const Detection> detections, const OverlayOptions& options) {
  if (image.empty()) return;
  const Sizes sizes = sizes_for(image, options);
  const std::vector<size_t> best_first = ranked(detections);
  std::vector<Tag> tags;
  for (const size_t i : best_first) {
    if (options.labels || options.scores) tags.push_back(make_tag(image, detections[i], sizes, options, tags));
  }
  for (auto i = best_first.rbegin(); i != best_first.rend(); ++i) {
    draw_rectangle(image, detections[*i].box, class_color(detections[*i].class_id), sizes.line);
  }
  for (auto tag = tags.rbegin(); tag != tags.rend(); ++tag) draw_tag(image, *tag, sizes);
}

}  // namespace hone
