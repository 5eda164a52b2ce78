// Detections as text, for programs that come after.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "hone/status.h"
#include "pipelines/common/boxes.h"
#include "pipelines/yolo/detector.h"

namespace hone {

// One picture of a run: what was found, or why nothing could be.
struct PictureResult {
  std::string path;
  int width = 0, height = 0;
  std::vector<Detection> detections;
  DetectTiming timing;
  Status status;
};

// {"images": [{"image": "a.jpg", "width": 640, "height": 480, "boxes": [[x0, y0, x1, y1], ...], "scores": [...],
// "classes": [...], "labels": [...], "timing_ms": {"pre": ..., "infer": ..., "post": ...}}]}, boxes in pixels; a failed
// picture has "image" and "error". Bytes of names that aren't UTF-8 are replaced.
std::string results_to_json(std::span<const PictureResult> results);

// YOLO's text form, a line each: class, centre x, centre y, width, height as parts of the picture's size, and the
// score.
std::string results_to_yolo_text(std::span<const Detection> detections, int width, int height);

}  // namespace hone
