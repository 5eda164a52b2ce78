#include "pipelines/yolo/results.h"

#include <array>
#include <charconv>
#include <cmath>

#include <nlohmann/json.hpp>

namespace hone {
namespace {

using Json = nlohmann::ordered_json;

// Few digits, and what a reader takes for the same float; JSON has no NaN.
Json number(double value, double steps) {
  return std::isfinite(value) ? Json(std::round(value * steps) / steps) : Json(nullptr);
}

Json to_json(const PictureResult& result) {
  Json json = {{"image", result.path}};
  if (!result.status.ok()) {
    json["error"] = result.status.message();
    return json;
  }
  Json boxes = Json::array(), scores = Json::array(), classes = Json::array(), labels = Json::array();
  for (const Detection& found : result.detections) {
    const Box& box = found.box;
    boxes.push_back({number(box.x0, 1e3), number(box.y0, 1e3), number(box.x1, 1e3), number(box.y1, 1e3)});
    scores.push_back(number(found.score, 1e6));
    classes.push_back(found.class_id);
    labels.push_back(found.label);
  }
  json["width"] = result.width;
  json["height"] = result.height;
  json["boxes"] = std::move(boxes);
  json["scores"] = std::move(scores);
  json["classes"] = std::move(classes);
  json["labels"] = std::move(labels);
  const DetectTiming& timing = result.timing;
  json["timing_ms"] = {{"pre", number(timing.pre_ms, 1e3)},
                       {"infer", number(timing.infer_ms, 1e3)},
                       {"post", number(timing.post_ms, 1e3)}};
  return json;
}

}  // namespace

std::string results_to_json(std::span<const PictureResult> results) {
  Json images = Json::array();
  for (const PictureResult& result : results) images.push_back(to_json(result));
  return Json{{"images", std::move(images)}}.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string results_to_yolo_text(std::span<const Detection> detections, int width, int height) {
  std::string text;
  for (const Detection& found : detections) {
    const Box& box = found.box;
    const std::array<double, 5> numbers = {(box.x0 + box.x1) / 2.0 / width, (box.y0 + box.y1) / 2.0 / height,
                                           box.width() / static_cast<double>(width),
                                           box.height() / static_cast<double>(height), found.score};
    text += std::to_string(found.class_id);
    for (const double value : numbers) {
      std::array<char, 64> digits;
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed, 6);
      text.append(1, ' ').append(digits.data(), end.ptr);
    }
    text += "\n";
  }
  return text;
}

}  // namespace hone
