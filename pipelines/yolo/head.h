// What a YOLO model gives: recognised from its outputs and metadata, without running it.
//
// | form                   | outputs (B pictures, nc classes) |
// |------------------------|-------------------------------------------------------------------------------------------|
// | raw maps               | 3 or 4 of [B,3,H,W,5+nc], before the sigmoid; anchors are needed | | rows | [B,N,5+nc]:
// cx, cy, w, h in input pixels, objectness, classes (after the sigmoid); N counts | |                        | three
// anchors in each cell. Further outputs (raw maps) are ignored                          | | YOLOX raw              |
// [B,N,5+nc], one row a cell: xy = (p + cell) * stride, wh = exp(p) * stride, scores final    | | YOLOX decoded | the
// same with boxes in input pixels; can't be told from the one above: name the family      | | suppressed             |
// count [B] or [B,1], boxes [B,K,4] (corners in input pixels), scores [B,K], classes [B,K]    | | suppressed in one
// list | [N,7]: picture, x0, y0, x1, y1, class, score                                                |
//
// Metadata keys that decide, in the model or as options: "hone.family" (see families()), "hone.norm" ("0-1", "0-255",
// "imagenet"), "hone.channels" ("rgb", "bgr"), "hone.anchors" (pixels, w,h for each anchor from small to large);
// "names", "stride" and "imgsz" as Ultralytics writes them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hone/status.h"
#include "hone/types.h"
#include "pipelines/common/letterbox.h"

namespace hone {

struct AnchorSize {
  float width = 0, height = 0;
};
// Of one output map.
using LevelAnchors = std::array<AnchorSize, 3>;

enum class HeadForm { kRawMaps, kRows, kYolox, kYoloxDecoded, kSuppressed, kSuppressedList };

// One tensor of the model; -1 for sizes that the data decides.
struct TensorFacts {
  std::string name;
  DataType dtype = DataType::kUndefined;
  std::vector<int64_t> shape;
};

struct ModelFacts {
  int64_t height = 0, width = 0;  // of the input for which the outputs' shapes are given
  std::vector<TensorFacts> outputs;
  std::map<std::string, std::string> metadata;
};

// What the caller decides; empty: metadata, else a guess.
struct HeadOverrides {
  std::string family, norm, anchors;
  std::optional<bool> bgr;
};

struct Head {
  HeadForm form = HeadForm::kRows;
  std::string family;
  int num_classes = 0;               // 0: the outputs don't tell
  std::vector<std::string> outputs;  // raw maps: fine to coarse; suppressed: count, boxes, scores, classes
  std::vector<LevelAnchors> anchors;
  Normalization normalization;
  bool top_left = false;  // letterbox as YOLOX does it
  int stride = 32;        // sides of the input must be multiples of it
  std::string how;        // "family yolov7 (from --family), 0-1 RGB (guessed)": what was decided and why
};

// Errors: kUnsupported for outputs of another kind, kInvalidArgument for wrong and contradicting options or metadata,
// and where only the caller can tell (YOLOv7 or YOLOv7-tiny in raw maps).
Result<Head> recognise_head(const ModelFacts& facts, const HeadOverrides& overrides);

// Names that --family and "hone.family" may have.
std::vector<std::string> families();

std::string_view name_of(HeadForm form);

}  // namespace hone
