#include "pipelines/common/font.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace hone {
namespace {

constexpr int kCurveSteps = 6;  // straight pieces of each curve piece

// Width and strokes of each character. A stroke is a list of points "x,y"; strokes are separated by "/". "~" before a
// stroke makes it a smooth curve from its first point to its last with the others as control points (a quadratic
// B-spline: it touches the middle of each control edge); "o" makes it a closed one without ends.
constexpr std::array<Glyph, 95> kGlyphs = {{
    /* space */ {2.6f, ""},
    /* ! */ {0, "0,0 0,8 / 0,11.6"},
    /* " */ {2.6f, "0,0 0,3.4 / 2.6,0 2.6,3.4"},
    /* # */ {8, "2.8,0.6 1.4,11.4 / 6.6,0.6 5.2,11.4 / 0.4,4.2 8,4.2 / 0,7.8 7.6,7.8"},
    /* $ */ {7.4f, "~7,2.8 5.8,0.6 0,0.6 0,5.8 7.4,6.2 7.4,11.4 1.2,11.4 0,9.2 / 3.7,-1.2 3.7,13.2"},
    /* % */ {9.5f, "o0,0 4,0 4,5.4 0,5.4 / o5.5,6.6 9.5,6.6 9.5,12 5.5,12 / 8.2,0 1.3,12"},
    /* & */ {8.8f, "~8.8,12 2.4,5.4 0.2,0 6.6,-0.6 6.4,4.4 0,5.6 0,12 7,12.6 8.2,6.8"},
    /* ' */ {0, "0,0 0,3.4"},
    /* ( */ {2.8f, "~2.8,-1 0,2 0,10.6 2.8,13.6"},
    /* ) */ {2.8f, "~0,-1 2.8,2 2.8,10.6 0,13.6"},
    /* * */ {5, "2.5,0 2.5,5.6 / 0.1,1.4 4.9,4.2 / 4.9,1.4 0.1,4.2"},
    /* + */ {7, "3.5,3 3.5,10 / 0,6.5 7,6.5"},
    /* , */ {1, "1,11.2 0,14"},
    /* - */ {4, "0,7.2 4,7.2"},
    /* . */ {0, "0,11.7"},
    /* / */ {5, "5,-0.6 0,13"},
    /* 0 */ {7, "o0,0 7,0 7,12 0,12"},
    /* 1 */ {7, "1.2,2.6 4.4,0 4.4,12"},
    /* 2 */ {7, "~0.2,3.4 0.2,0 7,0 7,4.4 4.4,7.6 0,12 / 0,12 7,12"},
    /* 3 */ {7, "~0.2,2.6 1,0 6.7,0 6.7,5.7 2.4,5.7 / ~2.4,5.7 7,5.7 7,12 1,12 0,9.4"},
    /* 4 */ {7, "5.3,12 5.3,0 0,8.7 7.2,8.7"},
    /* 5 */ {7, "6.4,0 1.2,0 0.6,5.5 / ~0.6,5.5 1.6,4.5 7,4 7,12 1,12 0,9.6"},
    /* 6 */ {7, "~6.6,2.2 5.6,0 0,0 0,6 0,8.3 / o0,4.6 7,4.6 7,12 0,12"},
    /* 7 */ {7, "0,0 7,0 2.4,12"},
    /* 8 */ {7, "o0.5,0 6.5,0 6.5,5.6 0.5,5.6 / o0,5.6 7,5.6 7,12 0,12"},
    /* 9 */ {7, "o0,0 7,0 7,7.4 0,7.4 / ~7,3.7 7,6 7,12 1.4,12 0.4,9.8"},
    /* : */ {0, "0,5 / 0,11.5"},
    /* ; */ {1, "0.8,5 / 1,11.2 0,14"},
    /* < */ {6.5f, "6.5,3 0,6.8 6.5,10.6"},
    /* = */ {7, "0,5 7,5 / 0,8.6 7,8.6"},
    /* > */ {6.5f, "0,3 6.5,6.8 0,10.6"},
    /* ? */ {6.2f, "~0,3 0,0 6.2,0 6.2,5 3,5 3,8.4 / 3,11.7"},
    /* @ */ {12, "~9.8,13.2 7,14.6 0,14.6 0,0 12,0 12,10 8.6,10.4 8.6,4.2 / o3.2,3.6 8.6,3.6 8.6,9.8 3.2,9.8"},
    /* A */ {8, "0,12 4,0 8,12 / 1.4,8 6.6,8"},
    /* B */ {7.4f, "0,0 0,12 / ~0,0 6.8,0 6.8,5.8 0,5.8 / ~0,5.8 7.4,5.8 7.4,12 0,12"},
    /* C */ {7.8f, "~7.8,2.8 6.6,0 0,0 0,12 6.6,12 7.8,9.2"},
    /* D */ {8, "0,0 0,12 / ~0,0 2,0 8,0 8,12 2,12 0,12"},
    /* E */ {6.3f, "6.3,0 0,0 0,12 6.3,12 / 0,5.8 5.4,5.8"},
    /* F */ {6.2f, "6.2,0 0,0 0,12 / 0,5.9 5.2,5.9"},
    /* G */ {8.2f, "~7.8,2.8 6.6,0 0,0 0,12 8.2,12 8.2,6.8 / 4.8,6.8 8.2,6.8"},
    /* H */ {8, "0,0 0,12 / 8,0 8,12 / 0,5.9 8,5.9"},
    /* I */ {0, "0,0 0,12"},
    /* J */ {5, "~5,0 5,6 5,12 0,12 0,8.6"},
    /* K */ {7.4f, "0,0 0,12 / 7.2,0 0,7.4 / 2.6,4.8 7.4,12"},
    /* L */ {6, "0,0 0,12 6,12"},
    /* M */ {9.4f, "0,12 0,0 4.7,8.4 9.4,0 9.4,12"},
    /* N */ {8, "0,12 0,0 8,12 8,0"},
    /* O */ {8.8f, "o0,0 8.8,0 8.8,12 0,12"},
    /* P */ {7.2f, "0,0 0,12 / ~0,0 2,0 7.2,0 7.2,6.6 2,6.6 0,6.6"},
    /* Q */ {8.8f, "o0,0 8.8,0 8.8,12 0,12 / 5.4,8.8 9,12.8"},
    /* R */ {7.4f, "0,0 0,12 / ~0,0 2,0 7.2,0 7.2,6.4 2,6.4 0,6.4 / 3.4,6.4 7.4,12"},
    /* S */ {7.4f, "~7,2.6 6,0 0,0 0,5.6 7.4,6.2 7.4,12 1,12 0,9.4"},
    /* T */ {8, "0,0 8,0 / 4,0 4,12"},
    /* U */ {8, "~0,0 0,5 0,12 8,12 8,5 8,0"},
    /* V */ {8, "0,0 4,12 8,0"},
    /* W */ {11, "0,0 2.75,12 5.5,1 8.25,12 11,0"},
    /* X */ {7.6f, "0,0 7.6,12 / 7.6,0 0,12"},
    /* Y */ {8, "0,0 4,6.2 8,0 / 4,6.2 4,12"},
    /* Z */ {7.4f, "0,0 7.4,0 0,12 7.4,12"},
    /* [ */ {3, "3,-1 0,-1 0,13.6 3,13.6"},
    /* \ */ {5, "0,-0.6 5,13"},
    /* ] */ {3, "0,-1 3,-1 3,13.6 0,13.6"},
    /* ^ */ {6, "0,5 3,0.4 6,5"},
    /* _ */ {7, "0,13.6 7,13.6"},
    /* ` */ {1.8f, "0,0 1.8,2.6"},
    /* a */ {6.2f, "~0.5,6.2 0.9,4 6.2,4 6.2,8 6.2,12 / ~6.2,7.5 0,7.1 0,12 4.4,12 6.2,9.8"},
    /* b */ {6.7f, "0,0 0,12 / o0,4 6.7,4 6.7,12 0,12"},
    /* c */ {5.8f, "~5.8,6 4.8,4 0,4 0,12 4.8,12 5.8,10"},
    /* d */ {6.7f, "6.7,0 6.7,12 / o0,4 6.7,4 6.7,12 0,12"},
    /* e */ {6.6f, "0,8 6.6,8 / ~6.6,8 6.6,4 0,4 0,12 5.2,12 6.3,10"},
    /* f */ {4.4f, "~4.6,0.1 1.7,-0.3 1.7,4 1.7,12 / 0,4.2 4.2,4.2"},
    /* g */ {6.7f, "o0,4 6.7,4 6.7,12 0,12 / ~6.7,4 6.7,11 6.7,15.6 0.9,15.6 0.3,14"},
    /* h */ {6.4f, "0,0 0,12 / ~0,8.4 0,4 6.4,4 6.4,8.4 6.4,12"},
    /* i */ {0, "0,4 0,12 / 0,0.8"},
    /* j */ {0.8f, "~0.8,4 0.8,11 0.8,15.6 -1.6,15.6 / 0.8,0.8"},
    /* k */ {6, "0,0 0,12 / 5.6,4 0,9 / 2.3,7.1 6,12"},
    /* l */ {2, "~0,0 0,9 0,12 2,12"},
    /* m */ {10.4f, "0,4 0,12 / ~0,8.4 0,4 5.2,4 5.2,8.4 5.2,12 / ~5.2,8.4 5.2,4 10.4,4 10.4,8.4 10.4,12"},
    /* n */ {6.4f, "0,4 0,12 / ~0,8.4 0,4 6.4,4 6.4,8.4 6.4,12"},
    /* o */ {6.9f, "o0,4 6.9,4 6.9,12 0,12"},
    /* p */ {6.7f, "0,4 0,15.6 / o0,4 6.7,4 6.7,12 0,12"},
    /* q */ {6.7f, "6.7,4 6.7,15.6 / o0,4 6.7,4 6.7,12 0,12"},
    /* r */ {3.9f, "0,4 0,12 / ~0,8.4 0,4.2 3.9,4.1"},
    /* s */ {5.6f, "~5.3,5.8 4.6,4 0,4 0,7.7 5.6,8.3 5.6,12 0.8,12 0,10.1"},
    /* t */ {4.4f, "~1.8,1 1.8,7 1.8,12 4.6,11.8 / 0,4.2 4.3,4.2"},
    /* u */ {6.4f, "~0,4 0,7.6 0,12 6.4,12 6.4,7.6 / 6.4,4 6.4,12"},
    /* v */ {6.4f, "0,4 3.2,12 6.4,4"},
    /* w */ {9.6f, "0,4 2.4,12 4.8,4.8 7.2,12 9.6,4"},
    /* x */ {6, "0,4 6,12 / 6,4 0,12"},
    /* y */ {6.4f, "0,4 3.3,12 / ~6.4,4 3.4,11.6 2.2,15.6 0.2,15.6"},
    /* z */ {5.8f, "0,4 5.8,4 0,12 5.8,12"},
    /* { */ {3.6f, "~3.6,-1 1.4,-1 2.4,6.3 0,6.3 / ~0,6.3 2.4,6.3 1.4,13.6 3.6,13.6"},
    /* | */ {0, "0,-1 0,13.6"},
    /* } */ {3.6f, "~0,-1 2.2,-1 1.2,6.3 3.6,6.3 / ~3.6,6.3 1.2,6.3 2.2,13.6 0,13.6"},
    /* ~ */ {7, "~0,8 1.4,4.6 3.5,6.5 5.6,8.4 7,5"},
}};
constexpr Glyph kFrame = {6, "0,0 6,0 6,12 0,12 0,0"};

Point middle(Point a, Point b) { return {(a.x + b.x) / 2, (a.y + b.y) / 2}; }

void add_curve(std::vector<Point>& out, Point from, Point control, Point to) {
  for (int i = 1; i <= kCurveSteps; ++i) {
    const float t = static_cast<float>(i) / kCurveSteps, s = 1 - t;
    out.push_back(
        {s * s * from.x + 2 * s * t * control.x + t * t * to.x, s * s * from.y + 2 * s * t * control.y + t * t * to.y});
  }
}

std::vector<Point> smooth_open(const std::vector<Point>& points) {
  if (points.size() < 3) return points;
  std::vector<Point> out = {points.front(), middle(points[0], points[1])};
  for (size_t i = 1; i + 1 < points.size(); ++i) {
    add_curve(out, out.back(), points[i], middle(points[i], points[i + 1]));
  }
  out.push_back(points.back());
  return out;
}

std::vector<Point> smooth_closed(const std::vector<Point>& points) {
  std::vector<Point> out = {middle(points.back(), points.front())};
  for (size_t i = 0; i < points.size(); ++i) {
    add_curve(out, out.back(), points[i], middle(points[i], points[(i + 1) % points.size()]));
  }
  return out;
}

// Reads one stroke and takes it off `text`.
std::vector<Point> read_stroke(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" /"), text.size()));
  std::string_view stroke = text.substr(0, text.find('/'));
  text.remove_prefix(stroke.size());
  const char kind = stroke.front();
  if (kind == '~' || kind == 'o') stroke.remove_prefix(1);
  std::vector<Point> points;
  const char* at = stroke.data();
  const char* const end = stroke.data() + stroke.size();
  while (at < end) {
    Point point;
    at = std::from_chars(at, end, point.x).ptr;
    at = std::from_chars(at + 1, end, point.y).ptr;
    points.push_back(point);
    while (at < end && *at == ' ') ++at;
  }
  if (kind == '~') return smooth_open(points);
  return kind == 'o' ? smooth_closed(points) : points;
}

}  // namespace

Glyph glyph_of(unsigned char character) {
  const size_t index = static_cast<size_t>(character) - 32;
  return index < kGlyphs.size() ? kGlyphs[index] : kFrame;
}

std::vector<std::vector<Point>> pen_strokes(const Glyph& glyph) {
  std::vector<std::vector<Point>> strokes;
  std::string_view text = glyph.strokes;
  while (!text.empty()) strokes.push_back(read_stroke(text));
  return strokes;
}

}  // namespace hone
