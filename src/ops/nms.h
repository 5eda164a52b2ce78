// Non-maximum suppression: ONNX's operator and the TensorRT plugins that detectors are exported with.
#pragma once

#include "hone/op.h"

namespace hone {

// Attributes of a TensorRT plugin that say how to find it, and nothing here: read and forgotten.
void forget_plugin_attributes(auto& self, auto& v) {
  if constexpr (!std::is_const_v<std::remove_reference_t<decltype(self)>>) {
    std::optional<std::string> forgotten;
    v("plugin_version", forgotten);
    v("plugin_namespace", forgotten);
  }
}

// Operands: boxes [B,N,4], scores [B,C,N], and optional scalars max_output_boxes_per_class (default 0),
// iou_threshold (default 0) and score_threshold (none). Output: rows (batch, class, box), as many as are selected: by
// batch, then class, then falling score; equal scores by box index, NaN last. A box is selected if its score is above
// the threshold and its intersection over union with no box selected before it in its class is above iou_threshold.
struct NonMaxSuppression final : OpBase<NonMaxSuppression> {
  static constexpr const char* kName = "NonMaxSuppression";
  enum Operand : size_t { kBoxes, kScores, kMaxOutput, kIouThreshold, kScoreThreshold };

  bool center_point_box = false;  // (x, y, width, height) instead of two opposite corners

  static void attributes(auto& self, auto& v) { v("center_point_box", self.center_point_box); }
  Status infer(InferContext& ctx) const override;
};

// TensorRT's EfficientNMS_TRT, version 1. Operands: boxes [B,N,4], [B,N,1,4] or [B,N,C,4]; scores [B,N,C] or
// [B,N,C,1]; optional anchors [1,N,4] or [B,N,4], all of one floating type T. Outputs: num_detections int32 [B,1],
// boxes T [B,max,4] as corners, scores T [B,max], classes int32 [B,max]; rows past the count are 0.
// Candidates are all (box, class) with score >= score_threshold, so that a box may come out under several classes. The
// best 5,000 of an image (kMaxCandidates, TensorRT's number on large GPUs) are walked by falling score, ties by box
// index and then class; one is kept unless its intersection over union with a kept one of its class (of any, if
// class_agnostic) is >= iou_threshold. Unlike TensorRT, nothing below a tiny threshold is ever emitted.
struct EfficientNMS final : OpBase<EfficientNMS> {
  static constexpr const char* kName = "EfficientNMS_TRT";
  static constexpr int64_t kMaxCandidates = 5000;

  // Required.
  std::optional<float> score_threshold, iou_threshold;
  std::optional<int64_t> max_output_boxes;  // per image
  std::optional<int64_t> background_class;  // skipped; -1: none
  std::optional<int64_t> score_activation;  // 1: scores are logits
  std::optional<int64_t> box_coding;        // 0: corners; 1: (centre, size)
  bool class_agnostic = false;

  static void attributes(auto& self, auto& v) {
    v("score_threshold", self.score_threshold);
    v("iou_threshold", self.iou_threshold);
    v("max_output_boxes", self.max_output_boxes);
    v("background_class", self.background_class);
    v("score_activation", self.score_activation);
    v("box_coding", self.box_coding);
    v("class_agnostic", self.class_agnostic);
    forget_plugin_attributes(self, v);
  }
  Status check() const;
  Status infer(InferContext& ctx) const override;
};

// TensorRT's BatchedNMS_TRT and BatchedNMSDynamic_TRT, version 1. Operands: boxes [B,N,C,4] or, with shareLocation,
// [B,N,1,4] (x1, y1, x2, y2); scores [B,N,C] or [B,N,C,1]; of one floating type T. Outputs: num_detections int32 [B,1],
// boxes T [B,keepTopK,4], scores T [B,keepTopK], classes T [B,keepTopK]; rows past the count have boxes and scores 0
// and class -1. In each class, the topK best of those above scoreThreshold are walked by falling score (ties by box
// index); one is kept unless its intersection over union with a kept one is above iouThreshold. The keepTopK best over
// all classes come out (ties by box index, then class).
template <class Self>
struct BatchedNMSBase : OpBase<Self> {
  static constexpr int64_t kMaxTopK = 4096;

  bool share_location = true;
  int64_t background_label = -1;  // skipped; -1: none
  // Required.
  std::optional<int64_t> num_classes, top_k, keep_top_k;
  std::optional<float> score_threshold, iou_threshold;
  bool is_normalized = true;    // false: a box's sides are one longer, as pixels count
  bool clip_boxes = true;       // to [0, 1], if normalized
  int64_t score_bits = 16;      // a speed hint of TensorRT; without effect
  bool caffe_semantics = true;  // not normalized: the sides of intersections are one longer too

  static void attributes(auto& self, auto& v) {
    v("shareLocation", self.share_location);
    v("backgroundLabelId", self.background_label);
    v("numClasses", self.num_classes);
    v("topK", self.top_k);
    v("keepTopK", self.keep_top_k);
    v("scoreThreshold", self.score_threshold);
    v("iouThreshold", self.iou_threshold);
    v("isNormalized", self.is_normalized);
    v("clipBoxes", self.clip_boxes);
    v("scoreBits", self.score_bits);
    v("caffeSemantics", self.caffe_semantics);
    forget_plugin_attributes(self, v);
  }
  Status check() const;
  Status infer(InferContext& ctx) const override;
};

struct BatchedNMS final : BatchedNMSBase<BatchedNMS> {
  static constexpr const char* kName = "BatchedNMS_TRT";
};
struct BatchedNMSDynamic final : BatchedNMSBase<BatchedNMSDynamic> {
  static constexpr const char* kName = "BatchedNMSDynamic_TRT";
};

}  // namespace hone
