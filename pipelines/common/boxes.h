// Boxes in pictures: overlap, and non-maximum suppression.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace hone {

// Corners in pixels: (x0, y0) top left, (x1, y1) bottom right.
struct Box {
  float x0 = 0, y0 = 0, x1 = 0, y1 = 0;

  float width() const { return x1 - x0; }
  float height() const { return y1 - y0; }
  friend bool operator==(const Box&, const Box&) = default;
};

bool is_finite(const Box& box);

// Intersection over union; 0 where there is no union. `extra` is added to widths and heights: 1 for corners that are
// pixels which belong to the box, as YOLOX's published suppression takes them.
float iou(const Box& a, const Box& b, float extra = 0);

// A box that a detector proposes or found.
struct ScoredBox {
  Box box;
  float score = 0;
  int class_id = 0;
};

struct NmsOptions {
  float iou_threshold = 0.45f;    // a box dies when it overlaps a better one by more than this
  bool class_agnostic = false;    // false: only boxes of the same class kill each other
  size_t max_candidates = 30000;  // the best ones are looked at
  size_t max_kept = 300;
  float extra = 0;  // see iou()
};

// Greedy suppression: indices of the boxes kept, best first. Among equal scores the one that comes first in `boxes`
// wins, so that results never depend on the sort. Boxes with a NaN score or corner are dropped.
std::vector<size_t> suppress(std::span<const ScoredBox> boxes, const NmsOptions& options);

// What a detector found in a picture; in the picture's pixels.
struct Detection {
  Box box;
  float score = 0;
  int class_id = 0;
  std::string label;
};

}  // namespace hone
