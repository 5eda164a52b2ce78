// Detector: a YOLOv7 or YOLOX model in, pictures in, labelled boxes out.
//
//   HONE_ASSIGN(Detector detector, Detector::open("yolov7.onnx"));
//   HONE_ASSIGN(Image picture, load_image("street.jpg"));
//   HONE_ASSIGN(std::vector<Detection> found, detector.detect(picture.view(), {.confidence = 0.4f}));
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hone/engine.h"
#include "hone/status.h"
#include "pipelines/common/boxes.h"
#include "pipelines/common/engine_cache.h"
#include "pipelines/common/image.h"
#include "pipelines/yolo/head.h"

namespace hone {

struct DetectorOptions {
  // How the model file becomes an engine, cached or not; its `log` also gets the detector's remarks.
  OpenOptions engine;
  // What the model's metadata doesn't say, or says wrongly; see head.h.
  HeadOverrides head;
  std::string labels_file;  // empty: the model's "names", else COCO's for 80 classes, else "class N"
  // For models with dynamic height and width: the size that pictures are scaled into, rounded up to whole strides. 0:
  // the model's "imgsz", else the profile's optimum, else 640. Ignored for models of one size.
  int width = 0, height = 0;
  // Such models get the smallest rectangle of whole strides around a picture; true: the whole size.
  bool square = false;
  // For models with a dynamic batch: pictures of the same input size that run together.
  int batch = 1;
};

// For each call. Models that suppress boxes themselves have thresholds inside: what they dropped can't be had, so
// `confidence` can only be raised, and `iou` and `class_agnostic` have no effect.
struct DetectOptions {
  float confidence = 0.25f;  // scores must be above it
  float iou = 0.45f;         // boxes that overlap a better one by more are dropped
  int max_detections = 300;
  std::vector<int> classes;            // only these; empty: all
  std::optional<bool> class_agnostic;  // whether boxes of different classes suppress each other; unset: as the family
                                       // is published (YOLOv7 no, YOLOX yes)
};

// Milliseconds for the whole call.
struct DetectTiming {
  double pre_ms = 0, infer_ms = 0, post_ms = 0;
};

// One caller at a time; clone() gives another detector on the same engine for another thread.
class Detector {
 public:
  // `model` is an ONNX or engine file. Errors: of open_engine; kUnsupported for models that aren't such detectors;
  // kInvalidArgument for options that don't fit and where the caller must decide (message: how).
  static Result<Detector> open(const std::string& model, const DetectorOptions& options = {});
  static Result<Detector> from_engine(Engine engine, const DetectorOptions& options = {});

  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;
  ~Detector();
  Result<Detector> clone() const;

  // Boxes in the picture's pixels, clipped to it, best first.
  Result<std::vector<Detection>> detect(const ImageView& picture, const DetectOptions& options = {});
  // One list for each picture. Models with a fixed batch get as many at a time.
  Result<std::vector<std::vector<Detection>>> detect(std::span<const ImageView> pictures,
                                                     const DetectOptions& options = {});

  // Of the last detect().
  const DetectTiming& timing() const;
  // What was recognised, and what of it was guessed; one line, for showing to the user.
  std::string description() const;
  const std::vector<std::string>& labels() const;
  const Head& head() const;
  const Engine& engine() const;

 private:
  struct State;
  explicit Detector(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hone
