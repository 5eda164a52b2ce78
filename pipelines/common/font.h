// A small stroke font for labels, of our own: each character is a few pen strokes, so that it can be drawn at any size.
#pragma once

#include <string_view>
#include <vector>

#include "pipelines/common/draw.h"

namespace hone {

// Units: a capital letter stands between y = 0 (top) and y = kCapitalUnits (the baseline); small letters begin at 4,
// descenders end at 15.6; x begins at 0.
inline constexpr float kCapitalUnits = 12;
inline constexpr float kDescenderUnits = 3.6f;
inline constexpr float kSpacingUnits = 3.4f;  // between two characters

struct Glyph {
  float width = 0;
  const char* strokes = "";
};

// Characters outside ASCII 32 to 126 give a frame.
Glyph glyph_of(unsigned char character);

// The pen's ways of a glyph as broken lines, in units; a way of a single point is a dot.
std::vector<std::vector<Point>> pen_strokes(const Glyph& glyph);

}  // namespace hone
