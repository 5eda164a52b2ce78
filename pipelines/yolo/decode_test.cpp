#include "pipelines/yolo/decode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace hone {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

// The x whose sigmoid is p.
float logit(float p) { return std::log(p / (1 - p)); }

void expect_box(const Box& box, float x0, float y0, float x1, float y1) {
  EXPECT_NEAR(box.x0, x0, 1e-3);
  EXPECT_NEAR(box.y0, y0, 1e-3);
  EXPECT_NEAR(box.x1, x1, 1e-3);
  EXPECT_NEAR(box.y1, y1, 1e-3);
}

TEST(DecodeRows, TakesTheBestClassAboveTheConfidence) {
  const std::vector<float> rows = {
      100, 50, 20, 10, 0.9f, 0.2f, 0.8f,  // 0.72 of class 1
      100, 50, 20, 10, 0.3f, 0.2f, 0.9f,  // 0.27: the objectness is enough, the product isn't
      100, 50, 20, 10, 0.2f, 1.0f, 9.0f,  // the objectness isn't
      30,  40, 8,  6,  1.0f, 0.5f, 0.1f,  // 0.5 of class 0
  };
  std::vector<ScoredBox> out;
  decode_rows(rows, {.num_classes = 2}, {.confidence = 0.3f}, out);
  ASSERT_EQ(out.size(), 2u);
  expect_box(out[0].box, 90, 45, 110, 55);
  EXPECT_EQ(out[0].class_id, 1);
  EXPECT_FLOAT_EQ(out[0].score, 0.72f);
  EXPECT_EQ(out[1].class_id, 0);
  out.clear();
  const std::vector<int> only = {0};
  decode_rows(rows, {.num_classes = 2}, {.confidence = 0.3f, .classes = only}, out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].class_id, 0);
}

TEST(DecodeRows, ASingleClassMayHaveNoScoreOfItsOwn) {
  const std::vector<float> row = {10, 10, 4, 4, 0.8f, 0.5f};
  std::vector<ScoredBox> out;
  decode_rows(row, {.num_classes = 1, .single_class_is_objectness = true}, {}, out);
  decode_rows(row, {.num_classes = 1}, {}, out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_FLOAT_EQ(out[0].score, 0.8f);
  EXPECT_FLOAT_EQ(out[1].score, 0.4f);
}

TEST(DecodeRows, DropsWhatIsNotANumber) {
  const std::vector<float> rows = {
      kNan, 1, 1,    1, 0.9f, 0.9f,  //
      1,    1, kInf, 1, 0.9f, 0.9f,  //
      1,    1, 1,    1, kNan, 0.9f,  //
      1,    1, 1,    1, 0.9f, kNan,  //
      1,    1, 1,    1, 0.9f, 0.9f,  //
      7,    7, 7,                    // an incomplete row
  };
  std::vector<ScoredBox> out;
  decode_rows(rows, {.num_classes = 1}, {}, out);
  EXPECT_EQ(out.size(), 1u);
}

TEST(DecodeYolox, AddsTheCellAndScales) {
  constexpr int kHeight = 64, kWidth = 96;  // maps of 8 x 12, 4 x 6 and 2 x 3 cells
  constexpr size_t kRows = 96 + 24 + 6, kColumns = 7;
  std::vector<float> values(kRows * kColumns, 0.0f);
  const auto set = [&](size_t row, float x, float y, float log_width, float log_height) {
    const float numbers[] = {x, y, log_width, log_height, 0.9f, 0.1f, 1.0f};
    std::copy(std::begin(numbers), std::end(numbers), values.begin() + static_cast<ptrdiff_t>(row * kColumns));
  };
  set(12 * 3 + 5, 0.25f, 0.5f, std::log(2.0f), 0);   // stride 8, row 3, column 5
  set(96 + 6 * 2 + 1, 0.5f, -1, 0, std::log(3.0f));  // stride 16, row 2, column 1
  set(96 + 24 + 3 * 1 + 2, 0, 0, 0, 0);              // stride 32, row 1, column 2
  std::vector<ScoredBox> out;
  ASSERT_TRUE(decode_yolox(values, {.num_classes = 2}, kHeight, kWidth, {}, out).ok());
  ASSERT_EQ(out.size(), 3u);
  expect_box(out[0].box, 42 - 8, 28 - 4, 42 + 8, 28 + 4);
  expect_box(out[1].box, 24 - 8, 16 - 24, 24 + 8, 16 + 24);
  expect_box(out[2].box, 64 - 16, 32 - 16, 64 + 16, 32 + 16);
  EXPECT_EQ(out[0].class_id, 1);
  EXPECT_FLOAT_EQ(out[0].score, 0.9f);
}

TEST(DecodeYolox, RefusesOtherNumbersOfRows) {
  std::vector<ScoredBox> out;
  const std::vector<float> values(7 * 125);
  EXPECT_FALSE(decode_yolox(values, {.num_classes = 2}, 64, 96, {}, out).ok());
  EXPECT_FALSE(decode_yolox({}, {.num_classes = 2}, 64, 96, {}, out).ok());
  EXPECT_FALSE(decode_yolox(values, {.num_classes = 2}, 1, 1, {}, out).ok());
}

TEST(DecodeRawMap, ByHand) {
  constexpr int64_t kRows = 4, kColumns = 5;
  constexpr size_t kValues = 7, kCells = kRows * kColumns;
  std::vector<float> values(3 * kCells * kValues, -20.0f);
  const size_t at = (1 * kCells + 2 * kColumns + 3) * kValues;  // anchor 1, row 2, column 3
  const float numbers[] = {logit(0.75f), logit(0.5f), logit(0.25f), logit(0.5f), logit(0.8f), logit(0.9f), logit(0.3f)};
  std::copy(std::begin(numbers), std::end(numbers), values.begin() + static_cast<ptrdiff_t>(at));
  RawMap map = {.rows = kRows, .columns = kColumns, .stride_x = 16, .stride_y = 8};
  map.anchors[1] = {40, 60};
  std::vector<ScoredBox> out;
  decode_raw_map(values, {.num_classes = 2}, map, {}, out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_NEAR(out[0].score, 0.72f, 1e-5);
  EXPECT_EQ(out[0].class_id, 0);
  // centre ((1.5 + 3 - 0.5) * 16, (1 + 2 - 0.5) * 8) = (64, 20), size (0.5^2 * 40, 1^2 * 60)
  expect_box(out[0].box, 64 - 5, 20 - 30, 64 + 5, 20 + 30);
}

TEST(TakeSuppressed, CountsAreNotTrusted) {
  const std::vector<float> boxes = {0, 0, 1, 1, 2, 2, 3, 3}, scores = {0.9f, 0.8f}, classes = {3, 70};
  std::vector<ScoredBox> out;
  take_suppressed(1'000'000'000, boxes, scores, classes, {}, out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[1].class_id, 70);
  out.clear();
  take_suppressed(-5, boxes, scores, classes, {}, out);
  EXPECT_TRUE(out.empty());
  take_suppressed(1, boxes, scores, classes, {}, out);
  EXPECT_EQ(out.size(), 1u);
  out.clear();
  const std::vector<float> wild = {-1, 1e30f};
  take_suppressed(2, boxes, scores, wild, {}, out);
  EXPECT_TRUE(out.empty());
}

TEST(TakeListed, PicksThePictureAndTheConfident) {
  const std::vector<float> list = {
      0,    1, 2, 3, 4, 5,    0.9f,  //
      1,    5, 6, 7, 8, 9,    0.8f,  //
      1,    5, 6, 7, 8, 2,    0.1f,  //
      kNan, 5, 6, 7, 8, 2,    1,     //
      1,    5, 6, 7, 8, kNan, 1,     //
  };
  std::vector<ScoredBox> out;
  take_listed(list, 1, {}, out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].class_id, 9);
  expect_box(out[0].box, 5, 6, 7, 8);
}

}  // namespace
}  // namespace hone
