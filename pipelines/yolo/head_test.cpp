#include "pipelines/yolo/head.h"

#include <gtest/gtest.h>

namespace hone {
namespace {

constexpr DataType kF = DataType::kFloat32;
constexpr DataType kI = DataType::kInt32;

ModelFacts facts(std::vector<TensorFacts> outputs, int64_t size = 640,
                 std::map<std::string, std::string> metadata = {}) {
  return {.height = size, .width = size, .outputs = std::move(outputs), .metadata = std::move(metadata)};
}

ModelFacts raw_maps() {
  return facts({{"a", kF, {1, 3, 20, 20, 85}}, {"b", kF, {1, 3, 80, 80, 85}}, {"c", kF, {1, 3, 40, 40, 85}}});
}

std::string error_of(const ModelFacts& model, const HeadOverrides& overrides = {}) {
  const Result<Head> head = recognise_head(model, overrides);
  EXPECT_FALSE(head.ok());
  return head.ok() ? "" : head.status().message();
}

TEST(Head, RowsOfYolov7) {
  const Result<Head> head = recognise_head(facts({{"output", kF, {1, 25200, 85}}}), {});
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->form, HeadForm::kRows);
  EXPECT_EQ(head->family, "yolov7");
  EXPECT_EQ(head->num_classes, 80);
  EXPECT_EQ(head->normalization.divisor, 255);
  EXPECT_FALSE(head->normalization.bgr);
  EXPECT_FALSE(head->top_left);
  EXPECT_EQ(head->stride, 32);
  EXPECT_NE(head->how.find("guessed"), std::string::npos);
  EXPECT_EQ(recognise_head(facts({{"output", kF, {1, 102000, 85}}}, 1280), {})->form, HeadForm::kRows);  // four levels
}

TEST(Head, RowsWithMapsBesideThem) {
  ModelFacts model = raw_maps();
  model.outputs.insert(model.outputs.begin(), {"output", kF, {1, 25200, 85}});
  const Result<Head> head = recognise_head(model, {});
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->form, HeadForm::kRows);
  EXPECT_EQ(head->outputs, std::vector<std::string>{"output"});
}

TEST(Head, YoloxByItsNumberOfRows) {
  const Result<Head> head = recognise_head(facts({{"output", kF, {1, 3549, 85}}}, 416), {});
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->form, HeadForm::kYolox);
  EXPECT_EQ(head->family, "yolox");
  EXPECT_EQ(head->normalization.divisor, 1);
  EXPECT_TRUE(head->normalization.bgr);
  EXPECT_TRUE(head->top_left);
  EXPECT_EQ(recognise_head(facts({{"output", kF, {1, 3549, 85}}}, 416), {.family = "yolox-decoded"})->form,
            HeadForm::kYoloxDecoded);
}

TEST(Head, RawMapsNeedAFamily) {
  const std::string error = error_of(raw_maps());
  EXPECT_NE(error.find("--family yolov7-tiny"), std::string::npos) << error;
  EXPECT_NE(error.find("hone.family"), std::string::npos) << error;
  const Result<Head> tiny = recognise_head(raw_maps(), {.family = "YOLOv7-tiny"});
  ASSERT_TRUE(tiny.ok()) << tiny.status().message();
  EXPECT_EQ(tiny->form, HeadForm::kRawMaps);
  EXPECT_EQ(tiny->outputs, (std::vector<std::string>{"b", "c", "a"}));  // fine to coarse
  ASSERT_EQ(tiny->anchors.size(), 3u);
  EXPECT_EQ(tiny->anchors[0][0].width, 10);
  EXPECT_EQ(tiny->anchors[2][2].height, 326);
  ModelFacts named = raw_maps();
  named.metadata["hone.family"] = "yolov7";
  EXPECT_EQ(recognise_head(named, {})->anchors[2][2].width, 459);
  EXPECT_EQ(recognise_head(named, {.family = "yolov7-tiny"})->anchors[2][2].width, 373);  // the caller wins
}

TEST(Head, FourRawMapsAreTheLargeFamily) {
  ModelFacts model = facts({{"a", kF, {1, 3, 160, 160, 85}},
                            {"b", kF, {1, 3, 80, 80, 85}},
                            {"c", kF, {1, 3, 40, 40, 85}},
                            {"d", kF, {1, 3, 20, 20, 85}}},
                           1280);
  const Result<Head> head = recognise_head(model, {});
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->anchors[3][2].width, 925);
  EXPECT_EQ(head->stride, 64);
  EXPECT_NE(error_of(model, {.family = "yolov7"}).find("3 output maps"), std::string::npos);
}

TEST(Head, AnchorsOfOnesOwn) {
  std::string anchors = "[";
  for (int i = 1; i <= 18; ++i) anchors += std::to_string(i) + (i % 2 ? "," : " ");
  const Result<Head> head = recognise_head(raw_maps(), {.anchors = anchors});
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->anchors[1][2].width, 11);
  EXPECT_EQ(head->anchors[1][2].height, 12);
  error_of(raw_maps(), {.anchors = "1 2 3"});
  error_of(raw_maps(), {.anchors = "0" + anchors.substr(2)});
}

TEST(Head, SuppressedOutputsInAnyOrderAndType) {
  const Result<Head> efficient = recognise_head(facts({{"num_dets", kI, {1, 1}},
                                                       {"det_boxes", kF, {1, 100, 4}},
                                                       {"det_scores", kF, {1, 100}},
                                                       {"det_classes", kI, {1, 100}}}),
                                                {});
  ASSERT_TRUE(efficient.ok()) << efficient.status().message();
  EXPECT_EQ(efficient->form, HeadForm::kSuppressed);
  EXPECT_EQ(efficient->outputs, (std::vector<std::string>{"num_dets", "det_boxes", "det_scores", "det_classes"}));
  const Result<Head> batched = recognise_head(facts({{"nmsed_classes", kF, {4, 100}},
                                                     {"nmsed_scores", kF, {4, 100}},
                                                     {"nmsed_boxes", kF, {4, 100, 4}},
                                                     {"n", kI, {4}}}),
                                              {});
  ASSERT_TRUE(batched.ok()) << batched.status().message();
  EXPECT_EQ(batched->outputs, (std::vector<std::string>{"n", "nmsed_boxes", "nmsed_scores", "nmsed_classes"}));
  const Result<Head> one_box = recognise_head(
      facts({{"n", kI, {1, 1}}, {"boxes", kF, {1, 1, 4}}, {"scores", kF, {1, 1}}, {"classes", kI, {1, 1}}}), {});
  ASSERT_TRUE(one_box.ok()) << one_box.status().message();
  EXPECT_EQ(one_box->outputs, (std::vector<std::string>{"n", "boxes", "scores", "classes"}));
}

TEST(Head, AListOfSuppressedBoxes) {
  const Result<Head> head = recognise_head(facts({{"output", kF, {-1, 7}}}), {});
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->form, HeadForm::kSuppressedList);
}

TEST(Head, MetadataAndOptionsDecideTheInput) {
  ModelFacts model = facts({{"output", kF, {1, 25200, 6}}}, 640,
                           {{"hone.norm", "imagenet"}, {"hone.channels", "BGR"}, {"stride", "64"}});
  const Head head = *recognise_head(model, {});
  EXPECT_EQ(head.num_classes, 1);
  EXPECT_TRUE(head.normalization.bgr);
  EXPECT_FLOAT_EQ(head.normalization.mean[0], 0.406f);  // the tensor's first channel is blue
  EXPECT_EQ(head.stride, 64);
  const Head other = *recognise_head(model, {.norm = "0-255", .bgr = false});
  EXPECT_EQ(other.normalization.divisor, 1);
  EXPECT_EQ(other.normalization.mean[0], 0);
  EXPECT_FALSE(other.normalization.bgr);
  EXPECT_NE(error_of(model, {.norm = "2-3"}).find("0-255"), std::string::npos);
  model.metadata["hone.channels"] = "cmyk";
  error_of(model);
  model.metadata["hone.channels"] = "rgb";
  model.metadata["stride"] = "-4";
  error_of(model);
}

TEST(Head, WhatCannotBeToldIsAnError) {
  EXPECT_NE(error_of(facts({{"output", kF, {1, 1234, 85}}})).find("--family"), std::string::npos);
  EXPECT_NE(error_of(facts({{"output", kF, {1, -1, 85}}})).find("--family"), std::string::npos);
  EXPECT_EQ(recognise_head(facts({{"output", kF, {1, 1234, 85}}}), {.family = "yolov7"})->form, HeadForm::kRows);
  EXPECT_NE(error_of(facts({{"output", kF, {1, 25200, 85}}}), {.family = "yolox"}).find("doesn't fit"),
            std::string::npos);
  EXPECT_NE(error_of(facts({{"output", kF, {1, 8400, 85}}}), {.family = "yolov7"}).find("doesn't fit"),
            std::string::npos);
  EXPECT_NE(error_of(facts({{"output", kF, {1, 25200, 85}}}), {.family = "yolov9000"}).find("known are"),
            std::string::npos);
}

TEST(Head, OtherModelsAreNamedAsSuch) {
  EXPECT_NE(error_of(facts({{"output0", kF, {1, 84, 8400}}})).find("YOLOv8"), std::string::npos);
  EXPECT_NE(error_of(facts({{"prob", kF, {1, 1000}}})).find("prob float32[1,1000]"), std::string::npos);
  error_of(facts({}));
  error_of(facts({{"output", kF, {1, 25200, 5}}}));
  error_of(facts({{"output", kF, {1, 25200, 1 << 20}}}));
  error_of(facts({{"a", kF, {1, 2, 20, 20, 85}}, {"b", kF, {1, 3, 80, 80, 85}}}));
  error_of(facts({{"a", kF, {1, 3, 20, 20, 85}}, {"b", kF, {1, 3, 80, 80, 7}}}));
}

}  // namespace
}  // namespace hone
