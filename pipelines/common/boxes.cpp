#include "pipelines/common/boxes.h"

#include <algorithm>
#include <cmath>

namespace hone {
namespace {

// Indices of sound boxes, best first, at most `limit` of them.
std::vector<size_t> ranked(std::span<const ScoredBox> boxes, size_t limit) {
  std::vector<size_t> order;
  order.reserve(boxes.size());
  for (size_t i = 0; i < boxes.size(); ++i) {
    if (!std::isnan(boxes[i].score) && is_finite(boxes[i].box)) order.push_back(i);
  }
  const auto better = [&](size_t a, size_t b) {
    return boxes[a].score != boxes[b].score ? boxes[a].score > boxes[b].score : a < b;
  };
  const size_t count = std::min(limit, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(count), order.end(), better);
  order.resize(count);
  return order;
}

}  // namespace

bool is_finite(const Box& box) {
  return std::isfinite(box.x0) && std::isfinite(box.y0) && std::isfinite(box.x1) && std::isfinite(box.y1);
}

float iou(const Box& a, const Box& b, float extra) {
  const float width = std::min(a.x1, b.x1) - std::max(a.x0, b.x0) + extra;
  const float height = std::min(a.y1, b.y1) - std::max(a.y0, b.y0) + extra;
  if (!(width > 0) || !(height > 0)) return 0;
  const float common = width * height;
  const float area_a = (a.width() + extra) * (a.height() + extra);
  const float area_b = (b.width() + extra) * (b.height() + extra);
  const float all = area_a + area_b - common;
  return all > 0 ? common / all : 0;
}

std::vector<size_t> suppress(std::span<const ScoredBox> boxes, const NmsOptions& options) {
  std::vector<size_t> kept;
  for (const size_t candidate : ranked(boxes, options.max_candidates)) {
    if (kept.size() >= options.max_kept) break;
    const bool dies = std::any_of(kept.begin(), kept.end(), [&](size_t better) {
      if (!options.class_agnostic && boxes[better].class_id != boxes[candidate].class_id) return false;
      return iou(boxes[better].box, boxes[candidate].box, options.extra) > options.iou_threshold;
    });
    if (!dies) kept.push_back(candidate);
  }
  return kept;
}

}  // namespace hone
