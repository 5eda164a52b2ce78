#include "pipelines/yolo/decode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace hone {
namespace {

constexpr size_t kScoreColumn = 4, kFirstClassColumn = 5;
constexpr std::array kYoloxStrides = {8, 16, 32, 64};
constexpr size_t kListColumns = 7;
constexpr float kMaxClassId = 1e6f;

float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

Box from_centre(float x, float y, float width, float height) {
  return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
}

size_t best_of(std::span<const float> scores) {
  return static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

// Class indices that a model computed; -1 for what can't be one.
int to_class_id(float value) { return value >= 0 && value < kMaxClassId ? static_cast<int>(value + 0.5f) : -1; }

void add(const Box& box, float score, int class_id, const ScoreFilter& filter, std::vector<ScoredBox>& out) {
  if (score > filter.confidence && class_id >= 0 && filter.accepts(class_id) && is_finite(box)) {
    out.push_back({box, score, class_id});
  }
}

bool score_is_objectness(const RowFormat& format) {
  return format.num_classes == 1 && format.single_class_is_objectness;
}

// Calls box_of(row, index) for the rows that may count.
template <class BoxOf>
void scan_rows(std::span<const float> values, const RowFormat& format, const ScoreFilter& filter,
               std::vector<ScoredBox>& out, BoxOf box_of) {
  const size_t columns = kFirstClassColumn + static_cast<size_t>(format.num_classes);
  for (size_t row = 0; row < values.size() / columns; ++row) {
    const std::span<const float> numbers = values.subspan(row * columns, columns);
    const float objectness = numbers[kScoreColumn];
    if (!(objectness > filter.confidence)) continue;
    const std::span<const float> classes = numbers.subspan(kFirstClassColumn);
    const size_t best = best_of(classes);
    const float score = score_is_objectness(format) ? objectness : objectness * classes[best];
    if (score > filter.confidence) add(box_of(numbers, row), score, static_cast<int>(best), filter, out);
  }
}

struct YoloxLevel {
  size_t first_row = 0;
  int columns = 0, stride = 0;
};

// The maps of an input with as many cells as there are rows; none if no number of maps fits.
std::vector<YoloxLevel> yolox_levels(size_t rows, int height, int width) {
  std::vector<YoloxLevel> levels;
  size_t cells = 0;
  for (const int stride : kYoloxStrides) {
    levels.push_back({cells, width / stride, stride});
    cells += static_cast<size_t>(height / stride) * static_cast<size_t>(width / stride);
    if (cells == rows) return levels;
  }
  return {};
}

}  // namespace

bool ScoreFilter::accepts(int class_id) const {
  return classes.empty() || std::find(classes.begin(), classes.end(), class_id) != classes.end();
}

void decode_rows(std::span<const float> values, const RowFormat& format, const ScoreFilter& filter,
                 std::vector<ScoredBox>& out) {
  scan_rows(values, format, filter, out,
            [](std::span<const float> row, size_t) { return from_centre(row[0], row[1], row[2], row[3]); });
}

Status decode_yolox(std::span<const float> values, const RowFormat& format, int height, int width,
                    const ScoreFilter& filter, std::vector<ScoredBox>& out) {
  const size_t rows = values.size() / (kFirstClassColumn + static_cast<size_t>(format.num_classes));
  const std::vector<YoloxLevel> levels = yolox_levels(rows, height, width);
  if (levels.empty()) {
    return invalid_model("YOLOX output with " + std::to_string(rows) + " rows doesn't fit an input of " +
                         std::to_string(height) + " x " + std::to_string(width));
  }
  scan_rows(values, format, filter, out, [&](std::span<const float> row, size_t index) {
    size_t level = levels.size() - 1;
    while (index < levels[level].first_row) --level;
    const auto [first_row, columns, stride] = levels[level];
    const int cell = static_cast<int>(index - first_row);
    const float scale = static_cast<float>(stride);
    return from_centre((row[0] + static_cast<float>(cell % columns)) * scale,
                       (row[1] + static_cast<float>(cell / columns)) * scale, std::exp(row[2]) * scale,
                       std::exp(row[3]) * scale);
  });
  return {};
}

void decode_raw_map(std::span<const float> values, const RowFormat& format, const RawMap& map,
                    const ScoreFilter& filter, std::vector<ScoredBox>& out) {
  const size_t row_values = kFirstClassColumn + static_cast<size_t>(format.num_classes);
  const size_t columns = static_cast<size_t>(map.columns), cells = static_cast<size_t>(map.rows) * columns;
  const size_t count = std::min(values.size() / row_values, cells * map.anchors.size());
  for (size_t i = 0; i < count; ++i) {
    const std::span<const float> numbers = values.subspan(i * row_values, row_values);
    const float objectness = sigmoid(numbers[kScoreColumn]);
    if (!(objectness > filter.confidence)) continue;
    const std::span<const float> classes = numbers.subspan(kFirstClassColumn);
    const size_t best = best_of(classes);
    const float score = score_is_objectness(format) ? objectness : objectness * sigmoid(classes[best]);
    const float column = static_cast<float>(i % cells % columns), row = static_cast<float>(i % cells / columns);
    const AnchorSize anchor = map.anchors[i / cells];
    const float side_x = 2 * sigmoid(numbers[2]), side_y = 2 * sigmoid(numbers[3]);
    const Box box = from_centre((2 * sigmoid(numbers[0]) + column - 0.5f) * map.stride_x,
                                (2 * sigmoid(numbers[1]) + row - 0.5f) * map.stride_y, side_x * side_x * anchor.width,
                                side_y * side_y * anchor.height);
    add(box, score, static_cast<int>(best), filter, out);
  }
}

void take_suppressed(int64_t count, std::span<const float> boxes, std::span<const float> scores,
                     std::span<const float> classes, const ScoreFilter& filter, std::vector<ScoredBox>& out) {
  const size_t room = std::min({boxes.size() / 4, scores.size(), classes.size()});
  const size_t there = std::min(static_cast<size_t>(std::max<int64_t>(count, 0)), room);
  for (size_t i = 0; i < there; ++i) {
    add({boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]}, scores[i], to_class_id(classes[i]),
        filter, out);
  }
}

void take_listed(std::span<const float> list, int picture, const ScoreFilter& filter, std::vector<ScoredBox>& out) {
  for (size_t at = 0; at + kListColumns <= list.size(); at += kListColumns) {
    const std::span<const float> entry = list.subspan(at, kListColumns);
    if (entry[0] != static_cast<float>(picture)) continue;
    add({entry[1], entry[2], entry[3], entry[4]}, entry[6], to_class_id(entry[5]), filter, out);
  }
}

}  // namespace hone
