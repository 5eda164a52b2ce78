#include <algorithm>
#include <cmath>
#include <vector>

#include "pipelines/common/draw_internal.h"
#include "pipelines/common/font.h"

namespace hone {
namespace {

// Pen width as a part of a capital letter's height.
constexpr float kPenWidth = 0.135f;
constexpr float kMinPenPixels = 1.15f;

// Calls `visit` for each character of UTF-8 text: ASCII ones as they are, each other one once as 0x7F.
template <class Visit>
void for_each_character(std::string_view text, Visit visit) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool continues = (byte & 0xC0) == 0x80;
    if (!continues) visit(byte < 0x80 ? byte : static_cast<unsigned char>(0x7F));
  }
}

// From the start of one character to the start of the next: whole pixels, so that upright strokes look alike.
float advance(const Glyph& glyph, float scale) { return std::round((glyph.width + kSpacingUnits) * scale); }

// How much of each pixel the pen covers; where strokes meet, the larger part counts.
class Stencil {
 public:
  explicit Stencil(const PixelRange& range)
      : range_(range), width_(range.x1 - range.x0), parts_(size_t(width_) * size_t(range.y1 - range.y0)) {}

  void add_segment(Point from, Point to, float radius) {
    cover_segment(range_, from, to, radius, [this](int x, int y, float coverage) {
      uint8_t& part = parts_[index(x, y)];
      part = std::max(part, static_cast<uint8_t>(coverage * 255));
    });
  }

  void paint(Image& image, Color color) const {
    for (int y = range_.y0; y < range_.y1; ++y) {
      for (int x = range_.x0; x < range_.x1; ++x) {
        const int part = parts_[index(x, y)];
        if (part > 0) blend(image.pixel(x, y), color, part + 1);
      }
    }
  }

 private:
  size_t index(int x, int y) const { return size_t(y - range_.y0) * size_t(width_) + size_t(x - range_.x0); }

  PixelRange range_;
  int width_;
  std::vector<uint8_t> parts_;
};

void add_glyph(Stencil& stencil, const Glyph& glyph, Point origin, float scale, float radius) {
  const auto place = [&](Point p) { return Point{origin.x + p.x * scale, origin.y + (p.y - kCapitalUnits) * scale}; };
  for (const std::vector<Point>& stroke : pen_strokes(glyph)) {
    if (stroke.size() == 1) stencil.add_segment(place(stroke[0]), place(stroke[0]), radius * 1.25f);
    for (size_t i = 1; i < stroke.size(); ++i) stencil.add_segment(place(stroke[i - 1]), place(stroke[i]), radius);
  }
}

}  // namespace

float text_width(std::string_view text, float capital_height) {
  const float scale = capital_height / kCapitalUnits;
  float width = 0;
  for_each_character(text, [&](unsigned char c) { width += advance(glyph_of(c), scale); });
  return std::max(0.0f, width - std::round(kSpacingUnits * scale));
}

void draw_text(Image& image, Point baseline, std::string_view text, float capital_height, Color color) {
  if (!is_finite(baseline) || !(capital_height > 0) || !std::isfinite(capital_height)) return;
  const float scale = capital_height / kCapitalUnits;
  const float radius = std::max(kMinPenPixels, capital_height * kPenWidth) / 2;
  const float above = capital_height * 1.3f + 2, below = capital_height * 0.4f + 2;
  const PixelRange range = touched(all_of(image), baseline.x - capital_height, baseline.y - above,
                                   baseline.x + text_width(text, capital_height) + capital_height, baseline.y + below);
  if (range.x0 >= range.x1 || range.y0 >= range.y1) return;
  Stencil stencil(range);
  Point at = {std::floor(baseline.x) + 0.5f, std::floor(baseline.y) + 0.5f};
  for_each_character(text, [&](unsigned char c) {
    const Glyph glyph = glyph_of(c);
    if (at.x < static_cast<float>(range.x1)) add_glyph(stencil, glyph, at, scale, radius);
    at.x += advance(glyph, scale);
  });
  stencil.paint(image, color);
}

}  // namespace hone
