#include "ops/nms.h"

#include <cmath>

namespace hone {

using enum DataType;

namespace {

// What the TensorRT plugins ask of boxes and scores.
struct Detections {
  Dim batch, boxes, classes, box_classes;
};

Result<Detections> check_detections(InferContext& ctx) {
  HONE_TRY(ctx.expect_dtype(0, {kFloat32, kFloat16, kBFloat16, kFloat64}));
  HONE_TRY(ctx.expect_same_dtype(0, 1));
  const Shape &boxes = ctx.shape(0), &scores = ctx.shape(1);
  if (boxes.size() != 3 && boxes.size() != 4) {
    return invalid_model("operand 0 (boxes) has rank " + std::to_string(boxes.size()) +
                         ", must be [B,N,4], [B,N,1,4] or [B,N,C,4]");
  }
  if (scores.size() != 3 && scores.size() != 4) {
    return invalid_model("operand 1 (scores) has rank " + std::to_string(scores.size()) +
                         ", must be [B,N,C] or [B,N,C,1]");
  }
  HONE_TRY(ctx.require_equal(boxes.back(), Dim(4), "the number of coordinates of a box and 4"));
  if (scores.size() == 4) HONE_TRY(ctx.require_equal(scores[3], Dim(1), "the last dimension of scores and 1"));
  HONE_TRY(ctx.require_equal(boxes[0], scores[0], "the batch sizes of boxes and scores"));
  HONE_TRY(ctx.require_equal(boxes[1], scores[1], "the numbers of boxes and of scores"));
  return Detections{boxes[0], boxes[1], scores[2], boxes.size() == 4 ? boxes[2] : Dim(1)};
}

void set_detection_outputs(InferContext& ctx, const Dim& batch, int64_t most, DataType class_dtype) {
  ctx.set_output(0, kInt32, {batch, Dim(1)});
  ctx.set_output(1, ctx.dtype(0), {batch, Dim(most), Dim(4)});
  ctx.set_output(2, ctx.dtype(0), {batch, Dim(most)});
  ctx.set_output(3, class_dtype, {batch, Dim(most)});
}

Status missing(std::string_view name) { return invalid_model("attribute '" + std::string(name) + "' is missing"); }

Status out_of_range(std::string_view name, const std::string& found, std::string_view allowed) {
  return invalid_model("attribute '" + std::string(name) + "' is " + found + ", must be " + std::string(allowed));
}

Status check_integer(std::string_view name, const std::optional<int64_t>& value, int64_t low, int64_t high) {
  if (!value) return missing(name);
  if (*value >= low && *value <= high) return {};
  return out_of_range(name, std::to_string(*value), "in [" + std::to_string(low) + ", " + std::to_string(high) + "]");
}

Status check_threshold(std::string_view name, const std::optional<float>& value) {
  if (!value) return missing(name);
  return std::isnan(*value) || *value < 0 ? out_of_range(name, std::to_string(*value), "at least 0") : Status();
}

Status expect_outputs(const InferContext& ctx, size_t count) {
  if (ctx.num_outputs() == count) return {};
  return invalid_model("has " + std::to_string(ctx.num_outputs()) + " outputs, must have " + std::to_string(count));
}

}  // namespace

Status NonMaxSuppression::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 5));
  HONE_TRY(ctx.expect_dtype(kBoxes, {kFloat32}));
  HONE_TRY(ctx.expect_dtype(kScores, {kFloat32}));
  HONE_TRY(ctx.expect_rank(kBoxes, 3));
  HONE_TRY(ctx.expect_rank(kScores, 3));
  const Shape &boxes = ctx.shape(kBoxes), &scores = ctx.shape(kScores);
  HONE_TRY(ctx.require_equal(boxes[2], Dim(4), "the number of coordinates of a box and 4"));
  HONE_TRY(ctx.require_equal(boxes[0], scores[0], "the batch sizes of boxes and scores"));
  HONE_TRY(ctx.require_equal(boxes[1], scores[2], "the numbers of boxes and of scores"));
  for (const size_t operand : {kMaxOutput, kIouThreshold, kScoreThreshold}) {
    if (!ctx.has_input(operand)) continue;
    HONE_TRY(ctx.expect_dtype(operand, {operand == kMaxOutput ? kInt64 : kFloat32}));
    HONE_TRY(ctx.require_equal(element_count(ctx.shape(operand)), Dim(1),
                               "the number of elements of operand " + std::to_string(operand) + " and 1"));
  }
  Dim per_class = boxes[1];
  if (!ctx.has_input(kMaxOutput)) {
    per_class = Dim(0);
  } else if (const auto& most = ctx.known_elements(kMaxOutput); most && most->size() == 1) {
    per_class = min(per_class, max(most->front(), Dim(0)));
  }
  const Dim selected = ctx.counted(scores[0] * scores[1] * per_class, "selected");
  ctx.set_output(0, kInt64, {selected, Dim(3)});
  return {};
}

Status EfficientNMS::check() const {
  HONE_TRY(check_threshold("score_threshold", score_threshold));
  HONE_TRY(check_threshold("iou_threshold", iou_threshold));
  if (*iou_threshold == 0) return out_of_range("iou_threshold", "0", "above 0");
  HONE_TRY(check_integer("max_output_boxes", max_output_boxes, 1, INT32_MAX));
  HONE_TRY(check_integer("background_class", background_class, -1, INT32_MAX));
  HONE_TRY(check_integer("score_activation", score_activation, 0, 1));
  return check_integer("box_coding", box_coding, 0, 1);
}

Status EfficientNMS::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 3));
  HONE_TRY(expect_outputs(ctx, 4));
  HONE_ASSIGN(const Detections found, check_detections(ctx));
  HONE_ASSIGN(const Dim classes, ctx.broadcast_dim(found.box_classes, found.classes));
  HONE_TRY(ctx.require_equal(classes, found.classes, "the numbers of classes of boxes and scores"));
  if (ctx.has_input(2)) {
    HONE_TRY(ctx.expect_same_dtype(0, 2));
    HONE_TRY(ctx.expect_rank(2, 3));
    const Shape& anchors = ctx.shape(2);
    HONE_ASSIGN(const Dim batch, ctx.broadcast_dim(anchors[0], found.batch));
    HONE_TRY(ctx.require_equal(batch, found.batch, "the batch sizes of anchors and boxes"));
    HONE_TRY(ctx.require_equal(anchors[1], found.boxes, "the numbers of anchors and boxes"));
    HONE_TRY(ctx.require_equal(anchors[2], Dim(4), "the number of coordinates of an anchor and 4"));
  }
  set_detection_outputs(ctx, found.batch, *max_output_boxes, kInt32);
  return {};
}

template <class Self>
Status BatchedNMSBase<Self>::check() const {
  HONE_TRY(check_integer("numClasses", num_classes, 1, INT32_MAX));
  HONE_TRY(check_integer("backgroundLabelId", background_label, -1, INT32_MAX));
  HONE_TRY(check_integer("topK", top_k, 1, kMaxTopK));
  HONE_TRY(check_integer("keepTopK", keep_top_k, 1, *top_k));
  HONE_TRY(check_threshold("scoreThreshold", score_threshold));
  return check_threshold("iouThreshold", iou_threshold);
}

template <class Self>
Status BatchedNMSBase<Self>::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_outputs(ctx, 4));
  HONE_TRY(ctx.expect_rank(0, 4));
  HONE_ASSIGN(const Detections found, check_detections(ctx));
  HONE_TRY(ctx.require_equal(found.classes, Dim(*num_classes), "the number of classes of scores and numClasses"));
  HONE_TRY(ctx.require_equal(found.box_classes, Dim(share_location ? 1 : *num_classes),
                             "the number of classes of boxes and what shareLocation says"));
  set_detection_outputs(ctx, found.batch, *keep_top_k, ctx.dtype(0));
  return {};
}

template struct BatchedNMSBase<BatchedNMS>;
template struct BatchedNMSBase<BatchedNMSDynamic>;

}  // namespace hone
