// What drawing lines and drawing text share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "pipelines/common/draw.h"

namespace hone {

// Whole pixels [x0, x1) x [y0, y1).
struct PixelRange {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};

inline PixelRange all_of(const Image& image) { return {0, 0, image.width(), image.height()}; }

// `value`, rounded down and clamped; any float goes.
inline int clamp_to_int(float value, int low, int high) {
  if (!(value > static_cast<float>(low))) return low;
  if (!(value < static_cast<float>(high))) return high;
  return static_cast<int>(std::floor(value));
}

// The pixels of `range` that the rectangle touches.
inline PixelRange touched(const PixelRange& range, float x0, float y0, float x1, float y1) {
  return {clamp_to_int(x0, range.x0, range.x1), clamp_to_int(y0, range.y0, range.y1),
          clamp_to_int(std::ceil(x1), range.x0, range.x1), clamp_to_int(std::ceil(y1), range.y0, range.y1)};
}

inline bool is_finite(Point point) { return std::isfinite(point.x) && std::isfinite(point.y); }

// Mixes a color into a pixel; `part` of 256.
inline void blend(uint8_t* pixel, Color color, int part) {
  const auto mix = [part](int from, int to) {
    return static_cast<uint8_t>((from * (256 - part) + to * part + 128) / 256);
  };
  pixel[0] = mix(pixel[0], color.r);
  pixel[1] = mix(pixel[1], color.g);
  pixel[2] = mix(pixel[2], color.b);
}

// Calls plot(x, y, coverage in (0, 1]) for the pixels within `radius` of the segment.
template <class Plot>
void cover_segment(const PixelRange& range, Point from, Point to, float radius, Plot plot) {
  const float reach = radius + 0.5f;
  const float dx = to.x - from.x, dy = to.y - from.y;
  const float length2 = dx * dx + dy * dy;
  const PixelRange rows = touched(range, std::min(from.x, to.x) - reach, std::min(from.y, to.y) - reach,
                                  std::max(from.x, to.x) + reach, std::max(from.y, to.y) + reach);
  // Along a row, the segment's band is this wide to each side of the line.
  const float half_band = std::abs(dy) > 1e-3f ? reach * std::sqrt(length2) / std::abs(dy) : INFINITY;
  for (int y = rows.y0; y < rows.y1; ++y) {
    const float py = static_cast<float>(y) + 0.5f;
    const float center = std::isfinite(half_band) ? from.x + (py - from.y) * dx / dy : 0;
    const int first = std::max(rows.x0, clamp_to_int(center - half_band, range.x0, range.x1));
    const int last = std::min(rows.x1, clamp_to_int(center + half_band + 1, range.x0, range.x1));
    for (int x = first; x < last; ++x) {
      const float px = static_cast<float>(x) + 0.5f;
      const float along = length2 > 0 ? ((px - from.x) * dx + (py - from.y) * dy) / length2 : 0;
      const float t = std::clamp(along, 0.0f, 1.0f);
      const float distance = std::hypot(px - from.x - t * dx, py - from.y - t * dy);
      if (distance < reach) plot(x, y, std::min(1.0f, reach - distance));
    }
  }
}

}  // namespace hone
