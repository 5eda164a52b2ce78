#include "pipelines/common/draw.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "pipelines/common/draw_internal.h"

namespace hone {
namespace {

constexpr int kSubRows = 4;  // samples of a pixel row, for smooth polygon edges

int parts_of_256(float opacity) { return clamp_to_int(opacity * 256 + 0.5f, 0, 256); }

void fill_pixels(Image& image, const PixelRange& range, Color color, int part) {
  for (int y = range.y0; y < range.y1; ++y) {
    for (int x = range.x0; x < range.x1; ++x) blend(image.pixel(x, y), color, part);
  }
}

// Where the polygon's edges cross the height `y`, from left to right.
std::vector<float> crossings(std::span<const Point> points, float y) {
  std::vector<float> xs;
  for (size_t i = 0; i < points.size(); ++i) {
    const Point a = points[i], b = points[(i + 1) % points.size()];
    if ((a.y <= y) == (b.y <= y)) continue;
    xs.push_back(a.x + (y - a.y) * (b.x - a.x) / (b.y - a.y));
  }
  std::sort(xs.begin(), xs.end());
  return xs;
}

// Adds `weight` times the covered part of each pixel between two places of a row.
void add_span(std::vector<float>& row, float from, float to, float weight) {
  const float end = static_cast<float>(row.size());
  from = std::clamp(from, 0.0f, end);
  to = std::clamp(to, 0.0f, end);
  for (int x = static_cast<int>(from); static_cast<float>(x) < to; ++x) {
    const float left = std::max(from, static_cast<float>(x));
    const float right = std::min(to, static_cast<float>(x + 1));
    row[static_cast<size_t>(x)] += weight * (right - left);
  }
}

}  // namespace

void draw_line(Image& image, Point from, Point to, Color color, float width, float opacity) {
  if (!is_finite(from) || !is_finite(to)) return;
  cover_segment(all_of(image), from, to, width / 2, [&](int x, int y, float coverage) {
    blend(image.pixel(x, y), color, parts_of_256(coverage * opacity));
  });
}

void draw_path(Image& image, std::span<const Point> points, bool closed, Color color, float width) {
  for (size_t i = 1; i < points.size(); ++i) draw_line(image, points[i - 1], points[i], color, width);
  if (closed && points.size() > 2) draw_line(image, points.back(), points.front(), color, width);
}

void draw_disc(Image& image, Point center, float radius, Color color, float opacity) {
  draw_line(image, center, center, color, 2 * radius, opacity);
}

void fill_polygon(Image& image, std::span<const Point> points, Color color, float opacity) {
  if (points.size() < 3 || !std::all_of(points.begin(), points.end(), [](Point p) { return is_finite(p); })) return;
  const auto [top, bottom] =
      std::minmax_element(points.begin(), points.end(), [](Point a, Point b) { return a.y < b.y; });
  const PixelRange rows = touched(all_of(image), 0, top->y, 0, bottom->y);
  std::vector<float> coverage(static_cast<size_t>(image.width()));
  for (int y = rows.y0; y < rows.y1; ++y) {
    std::fill(coverage.begin(), coverage.end(), 0.0f);
    for (int sub = 0; sub < kSubRows; ++sub) {
      const std::vector<float> xs =
          crossings(points, static_cast<float>(y) + (static_cast<float>(sub) + 0.5f) / kSubRows);
      for (size_t i = 0; i + 1 < xs.size(); i += 2) add_span(coverage, xs[i], xs[i + 1], 1.0f / kSubRows);
    }
    for (int x = 0; x < image.width(); ++x) {
      const float part = coverage[static_cast<size_t>(x)];
      if (part > 0) blend(image.pixel(x, y), color, parts_of_256(part * opacity));
    }
  }
}

void fill_rectangle(Image& image, const Box& box, Color color, float opacity) {
  if (!is_finite(box)) return;
  const PixelRange range =
      touched(all_of(image), std::round(box.x0), std::round(box.y0), std::round(box.x1), std::round(box.y1));
  fill_pixels(image, range, color, parts_of_256(opacity));
}

void draw_rectangle(Image& image, const Box& box, Color color, int width) {
  if (!is_finite(box) || width < 1) return;
  const float before = static_cast<float>(width / 2), behind = static_cast<float>(width - width / 2);
  const Box outer = {std::round(box.x0) - before, std::round(box.y0) - before, std::round(box.x1) + behind,
                     std::round(box.y1) + behind};
  const Box inner = {std::round(box.x0) + behind, std::round(box.y0) + behind, std::round(box.x1) - before,
                     std::round(box.y1) - before};
  fill_rectangle(image, {outer.x0, outer.y0, outer.x1, inner.y0}, color);
  fill_rectangle(image, {outer.x0, std::max(inner.y0, inner.y1), outer.x1, outer.y1}, color);
  fill_rectangle(image, {outer.x0, inner.y0, inner.x0, inner.y1}, color);
  fill_rectangle(image, {std::max(inner.x0, inner.x1), inner.y0, outer.x1, inner.y1}, color);
}

}  // namespace hone
