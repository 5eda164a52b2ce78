// Drawing on pictures: anti-aliased lines, discs, polygons and text, crisp upright rectangles. Coordinates are pixels;
// the centre of the top left pixel is (0.5, 0.5). Whatever lies outside the picture is clipped; shapes with corners
// that aren't finite are left out.
#pragma once

#include <span>
#include <string_view>

#include "pipelines/common/boxes.h"
#include "pipelines/common/image.h"

namespace hone {

struct Color {
  uint8_t r = 0, g = 0, b = 0;
  friend bool operator==(const Color&, const Color&) = default;
};

inline constexpr Color kWhite = {255, 255, 255};
inline constexpr Color kBlack = {0, 0, 0};

struct Point {
  float x = 0, y = 0;
};

// A color of its own for each of the first 20 classes; they repeat after that.
Color class_color(int class_id);
// Black or white, whichever is easier to read on `background`.
Color readable_on(Color background);

// `opacity` is between 0 (nothing happens) and 1.
void draw_line(Image& image, Point from, Point to, Color color, float width, float opacity = 1);
// Through the points, and back to the first if `closed`.
void draw_path(Image& image, std::span<const Point> points, bool closed, Color color, float width);
void draw_disc(Image& image, Point center, float radius, Color color, float opacity = 1);
// Even-odd filling.
void fill_polygon(Image& image, std::span<const Point> points, Color color, float opacity = 1);
// Edges on whole pixels, `width` pixels thick, half of it inside.
void draw_rectangle(Image& image, const Box& box, Color color, int width);
void fill_rectangle(Image& image, const Box& box, Color color, float opacity = 1);

// The height of a capital letter in pixels says how large text is; at least 5 is readable.
float text_width(std::string_view text, float capital_height);
// UTF-8; characters other than ASCII's become a small frame. `baseline` is the left end of the line the letters stand
// on.
void draw_text(Image& image, Point baseline, std::string_view text, float capital_height, Color color);

struct OverlayOptions {
  bool labels = true;
  bool scores = true;
  int line_width = 0;        // 0: by the picture's size
  float capital_height = 0;  // 0: by the picture's size
};

// Boxes with "label 0.93" tags, the best ones on top.
void draw_detections(Image& image, std::span<const Detection> detections, const OverlayOptions& options = {});

}  // namespace hone
