#include "ops/nms.h"

#include "backends/reference/candidates.h"
#include "backends/reference/kernels.h"

namespace hone::reference {

namespace {

struct Limits {
  int64_t per_class = 0;
  float iou = 0;
  bool has_score = false;
  float score = 0;
};

struct Corners {
  float x1, y1, x2, y2;
};

Corners corners(const NonMaxSuppression& op, const float* box) {
  if (op.center_point_box) {
    const float half_width = box[2] / 2, half_height = box[3] / 2;
    return {box[0] - half_width, box[1] - half_height, box[0] + half_width, box[1] + half_height};
  }
  return {std::min(box[0], box[2]), std::min(box[1], box[3]), std::max(box[0], box[2]), std::max(box[1], box[3])};
}

// In float32 throughout, so that boxes right at the threshold fall as in other engines.
bool overlap_above(const Corners& a, const Corners& b, float threshold) {
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  if (!(width > 0) || !(height > 0)) return false;
  const float intersection = width * height;
  const float area_a = (a.x2 - a.x1) * (a.y2 - a.y1), area_b = (b.x2 - b.x1) * (b.y2 - b.y1);
  const float whole = area_a + area_b - intersection;
  if (!(intersection > 0) || !(area_a > 0) || !(area_b > 0) || !(whole > 0)) return false;
  return intersection / whole > threshold;
}

Result<Limits> read_limits(const KernelArgs& args) {
  const auto given = [&](size_t i) { return i < args.inputs.size() && args.inputs[i].present(); };
  Limits limits;
  if (given(NonMaxSuppression::kMaxOutput)) {
    limits.per_class = *args.inputs[NonMaxSuppression::kMaxOutput].as<int64_t>();
  }
  if (given(NonMaxSuppression::kIouThreshold)) limits.iou = *args.inputs[NonMaxSuppression::kIouThreshold].as<float>();
  limits.has_score = given(NonMaxSuppression::kScoreThreshold);
  if (limits.has_score) limits.score = *args.inputs[NonMaxSuppression::kScoreThreshold].as<float>();
  if (!(limits.iou >= 0 && limits.iou <= 1)) {
    return runtime_error("iou_threshold is " + std::to_string(limits.iou) + ", must be in [0, 1]");
  }
  return limits;
}

size_t nms_workspace(const NonMaxSuppression&, const KernelArgs& args) {
  return static_cast<size_t>(args.inputs[0].dims[1]) * sizeof(Candidate);
}

struct Row {
  int64_t batch, label, box;
};

// Appends one class's boxes to `rows`, of which `count` are there; returns how many there are then.
int64_t select_class(const NonMaxSuppression& op, const KernelArgs& args, const Limits& limits, int64_t batch,
                     int64_t label, std::span<Row> rows, int64_t count) {
  const int64_t num_boxes = args.inputs[0].dims[1], num_classes = args.inputs[1].dims[1];
  const float* const boxes = args.inputs[0].as<float>() + batch * num_boxes * 4;
  const float* const scores = args.inputs[1].as<float>() + (batch * num_classes + label) * num_boxes;
  BestCandidates best(reinterpret_cast<Candidate*>(args.workspace), num_boxes);
  for (int64_t i = 0; i < num_boxes; ++i) {
    if (!limits.has_score || scores[i] > limits.score) best.add({scores[i], 0, i});
  }
  const int64_t first = count;
  for (const Candidate& candidate : best.sorted()) {
    if (count - first >= limits.per_class || count >= static_cast<int64_t>(rows.size())) break;
    const Corners box = corners(op, boxes + candidate.box * 4);
    const auto kept = rows.subspan(static_cast<size_t>(first), static_cast<size_t>(count - first));
    const bool dies = std::any_of(kept.begin(), kept.end(), [&](const Row& row) {
      return overlap_above(corners(op, boxes + row.box * 4), box, limits.iou);
    });
    if (!dies) rows[static_cast<size_t>(count++)] = {batch, label, candidate.box};
  }
  return count;
}

Status nms(const NonMaxSuppression& op, const KernelArgs& args) {
  HONE_ASSIGN(const Limits limits, read_limits(args));
  const std::span rows(reinterpret_cast<Row*>(args.outputs[0].data), static_cast<size_t>(args.outputs[0].dims[0]));
  int64_t count = 0;
  for (int64_t batch = 0; batch < args.inputs[1].dims[0]; ++batch) {
    for (int64_t label = 0; label < args.inputs[1].dims[1]; ++label) {
      count = select_class(op, args, limits, batch, label, rows, count);
    }
  }
  args.counts[0] = count;
  return {};
}

}  // namespace

const KernelDef kNonMaxSuppression = kReferenceKernel<NonMaxSuppression, nms, nms_workspace>;

}  // namespace hone::reference
