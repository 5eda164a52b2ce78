#include "pipelines/common/boxes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace hone {
namespace {

std::vector<ScoredBox> random_boxes(size_t count, std::mt19937& random) {
  std::uniform_real_distribution<float> place(0, 100), size(0, 40);
  std::uniform_int_distribution<int> score(0, 20), class_id(0, 3);  // many equal scores
  std::vector<ScoredBox> boxes;
  for (size_t i = 0; i < count; ++i) {
    const float x = place(random), y = place(random);
    boxes.push_back(
        {{x, y, x + size(random), y + size(random)}, static_cast<float>(score(random)) / 20, class_id(random)});
  }
  return boxes;
}

// The definition, in the plainest words: take the best that is left, cross out what it suppresses, repeat.
std::vector<size_t> plain_suppression(const std::vector<ScoredBox>& boxes, const NmsOptions& options) {
  std::vector<bool> left(boxes.size(), true);
  std::vector<size_t> kept;
  while (kept.size() < options.max_kept) {
    size_t best = boxes.size();
    for (size_t i = 0; i < boxes.size(); ++i) {
      if (left[i] && (best == boxes.size() || boxes[i].score > boxes[best].score)) best = i;
    }
    if (best == boxes.size()) return kept;
    kept.push_back(best);
    left[best] = false;
    for (size_t i = 0; i < boxes.size(); ++i) {
      const bool rivals = options.class_agnostic || boxes[i].class_id == boxes[best].class_id;
      if (rivals && iou(boxes[i].box, boxes[best].box, options.extra) > options.iou_threshold) left[i] = false;
    }
  }
  return kept;
}

TEST(Iou, ByHand) {
  EXPECT_FLOAT_EQ(iou({0, 0, 2, 2}, {1, 1, 3, 3}), 1.0f / 7);
  EXPECT_FLOAT_EQ(iou({0, 0, 2, 2}, {0, 0, 2, 2}), 1);
  EXPECT_EQ(iou({0, 0, 2, 2}, {2, 0, 4, 2}), 0);
  EXPECT_EQ(iou({0, 0, 0, 0}, {0, 0, 0, 0}), 0);
  EXPECT_FLOAT_EQ(iou({0, 0, 1, 1}, {1, 1, 2, 2}, 1), 1.0f / 7);  // border pixels are part of both
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(iou({nan, 0, 1, 1}, {0, 0, 1, 1}), 0);
}

TEST(Suppress, EqualsThePlainDefinition) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const std::vector<ScoredBox> boxes = random_boxes(static_cast<size_t>(round), random);
    NmsOptions options;
    options.iou_threshold = 0.1f * static_cast<float>(round % 9);
    options.class_agnostic = round % 2 == 0;
    options.max_kept = round % 3 == 0 ? 5 : 300;
    options.extra = round % 5 == 0 ? 1.0f : 0.0f;
    EXPECT_EQ(suppress(boxes, options), plain_suppression(boxes, options)) << "round " << round;
  }
}

TEST(Suppress, TiesKeepTheirOrder) {
  std::vector<ScoredBox> boxes;
  for (int i = 0; i < 50; ++i) {
    const float x = 10 * static_cast<float>(i);
    boxes.push_back({{x, 0, x + 5, 5}, 0.5f, 0});
  }
  const std::vector<size_t> kept = suppress(boxes, {});
  ASSERT_EQ(kept.size(), boxes.size());
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end()));
}

TEST(Suppress, DropsWhatIsNotANumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const std::vector<ScoredBox> boxes = {
      {{0, 0, 1, 1}, nan, 0}, {{0, 0, inf, 1}, 1, 0}, {{0, nan, 1, 1}, 1, 0}, {{0, 0, 1, 1}, inf, 0}};
  EXPECT_EQ(suppress(boxes, {}), std::vector<size_t>{3});
}

TEST(Suppress, KeepsToItsLimits) {
  std::mt19937 random(3);
  const std::vector<ScoredBox> boxes = random_boxes(1000, random);
  EXPECT_TRUE(suppress({}, {}).empty());
  EXPECT_TRUE(suppress(boxes, {.max_kept = 0}).empty());
  EXPECT_EQ(suppress(boxes, {.iou_threshold = INFINITY, .max_kept = 300}).size(), 300u);
  EXPECT_EQ(suppress(boxes, {.iou_threshold = INFINITY, .max_candidates = 17}).size(), 17u);
}

}  // namespace
}  // namespace hone
