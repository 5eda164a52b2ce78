#include "pipelines/yolo/results.h"

#include <gtest/gtest.h>

#include <limits>

#include <nlohmann/json.hpp>

namespace hone {
namespace {

TEST(Results, JsonHoldsEverything) {
  std::vector<PictureResult> results(2);
  results[0] = {"a\xFF.jpg", 640, 480, {{{1.5f, 2, 3, 4}, 0.875f, 17, "ho\"rse"}}, {1.25, 2.5, 0.125}, {}};
  results[1].path = "b.jpg";
  results[1].status = invalid_argument("damaged");
  const nlohmann::json json = nlohmann::json::parse(results_to_json(results));
  const auto& first = json["images"][0];
  EXPECT_EQ(first["width"], 640);
  EXPECT_EQ(first["boxes"], nlohmann::json::parse("[[1.5, 2, 3, 4]]"));
  EXPECT_EQ(first["scores"][0], 0.875);
  EXPECT_EQ(first["classes"][0], 17);
  EXPECT_EQ(first["labels"][0], "ho\"rse");
  EXPECT_EQ(first["timing_ms"]["infer"], 2.5);
  EXPECT_EQ(json["images"][1]["error"], "damaged");
  EXPECT_FALSE(json["images"][1].contains("boxes"));
}

TEST(Results, JsonWithoutPictures) { EXPECT_EQ(nlohmann::json::parse(results_to_json({}))["images"].size(), 0u); }

TEST(Results, YoloText) {
  const std::vector<Detection> found = {{{10, 20, 30, 60}, 0.5f, 3, "x"}, {{0, 0, 100, 200}, 1, 0, "y"}};
  EXPECT_EQ(results_to_yolo_text(found, 100, 200),
            "3 0.200000 0.200000 0.200000 0.200000 0.500000\n0 0.500000 0.500000 1.000000 1.000000 1.000000\n");
}

}  // namespace
}  // namespace hone
