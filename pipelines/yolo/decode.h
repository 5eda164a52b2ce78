// From a model's output numbers to candidate boxes in input pixels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pipelines/common/boxes.h"
#include "pipelines/yolo/head.h"

namespace hone {

// Which candidates count.
struct ScoreFilter {
  float confidence = 0.25f;           // scores must be above it
  std::span<const int> classes = {};  // empty: all
  bool accepts(int class_id) const;
};

struct RowFormat {
  int num_classes = 0;
  // The score of a single class is the objectness: YOLOv7 doesn't train the class column of such models.
  bool single_class_is_objectness = false;
};

// One picture's rows [rows, 5 + classes] with boxes as centre and size. A row counts when its objectness and its best
// class's score, objectness times class, are above the confidence; only the best class is taken.
void decode_rows(std::span<const float> values, const RowFormat& format, const ScoreFilter& filter,
                 std::vector<ScoredBox>& out);

// YOLOX: rows as above, one for each cell of the maps with strides 8, 16, 32 (and 64 when there are as many rows),
// box centre (p + cell) * stride, size exp(p) * stride. Error: the number of rows doesn't fit the input's size.
Status decode_yolox(std::span<const float> values, const RowFormat& format, int height, int width,
                    const ScoreFilter& filter, std::vector<ScoredBox>& out);

struct RawMap {
  int64_t rows = 0, columns = 0;
  float stride_x = 0, stride_y = 0;
  LevelAnchors anchors;
};

// One map [3, rows, columns, 5 + classes] of YOLOv7 before the sigmoid s: centre (2 s + cell - 0.5) * stride, size
// (2 s)^2 * anchor.
void decode_raw_map(std::span<const float> values, const RowFormat& format, const RawMap& map,
                    const ScoreFilter& filter, std::vector<ScoredBox>& out);

// One picture's boxes after suppression: `count` of `scores.size()` entries are there.
void take_suppressed(int64_t count, std::span<const float> boxes, std::span<const float> scores,
                     std::span<const float> classes, const ScoreFilter& filter, std::vector<ScoredBox>& out);

// The entries of a picture in a list [n, 7] of picture, x0, y0, x1, y1, class, score.
void take_listed(std::span<const float> list, int picture, const ScoreFilter& filter, std::vector<ScoredBox>& out);

}  // namespace hone
