// The non-maximum suppressions of TensorRT's plugins. All arithmetic is in float32, whatever the type of the operands.

#include <cmath>

#include "backends/reference/candidates.h"
#include "backends/reference/kernels.h"
#include "backends/reference/numbers.h"
#include "base/dispatch.h"
#include "ops/nms.h"

namespace hone::reference {

namespace {

struct Box {
  float v[4];
};

// Boxes and scores of one problem, element access by image, box and class.
template <class T>
struct Operands {
  const T *boxes, *scores;
  int64_t num_boxes, num_classes, box_classes;

  explicit Operands(const KernelArgs& args)
      : boxes(args.inputs[0].as<T>()),
        scores(args.inputs[1].as<T>()),
        num_boxes(args.inputs[1].dims[1]),
        num_classes(args.inputs[1].dims[2]),
        box_classes(args.inputs[0].rank() == 4 ? args.inputs[0].dims[2] : 1) {}

  float score(int64_t image, int64_t box, int64_t label) const {
    return static_cast<float>(scores[(image * num_boxes + box) * num_classes + label]);
  }
  Box box(int64_t image, int64_t index, int64_t label) const {
    const int64_t own = box_classes == 1 ? 0 : label;
    const T* const from = boxes + ((image * num_boxes + index) * box_classes + own) * 4;
    return {static_cast<float>(from[0]), static_cast<float>(from[1]), static_cast<float>(from[2]),
            static_cast<float>(from[3])};
  }
};

// Rows of the outputs of one image.
template <class T, class Class>
struct Rows {
  int32_t* count;
  T *boxes, *scores;
  Class* classes;
  int64_t capacity;

  Rows(const KernelArgs& args, int64_t image)
      : count(args.outputs[0].as<int32_t>() + image), capacity(args.outputs[2].dims[1]) {
    boxes = args.outputs[1].as<T>() + image * capacity * 4;
    scores = args.outputs[2].as<T>() + image * capacity;
    classes = args.outputs[3].as<Class>() + image * capacity;
  }
  bool full() const { return *count >= capacity; }
  void clear(Class no_class) {
    *count = 0;
    std::fill_n(boxes, capacity * 4, T(0.f));
    std::fill_n(scores, capacity, T(0.f));
    std::fill_n(classes, capacity, no_class);
  }
  void add(const Box& box, float score, Class label) {
    for (int i = 0; i < 4; ++i) boxes[*count * 4 + i] = T(box.v[i]);
    scores[*count] = T(score);
    classes[*count] = label;
    ++*count;
  }
};

// Intersection over union of boxes given by opposite corners. `longer`: added to the sides of boxes and, separately,
// of the intersection. 0 where there is nothing to intersect.
float intersection_over_union(const Box& a, const Box& b, float box_longer, float intersection_longer) {
  float intersection = 1, area_a = 1, area_b = 1;
  for (int i = 0; i < 2; ++i) {
    const float a1 = std::min(a.v[i], a.v[i + 2]), a2 = std::max(a.v[i], a.v[i + 2]);
    const float b1 = std::min(b.v[i], b.v[i + 2]), b2 = std::max(b.v[i], b.v[i + 2]);
    const float low = std::max(a1, b1), high = std::min(a2, b2);
    if (high < low) return 0;
    intersection *= high - low + intersection_longer;
    area_a *= a2 - a1 + box_longer;
    area_b *= b2 - b1 + box_longer;
  }
  const float whole = area_a + area_b - intersection;
  if (area_a <= 0 || area_b <= 0 || intersection <= 0 || whole <= 0) return 0;
  return intersection / whole;
}

// Fused decoder: `anchor` is in the same coding as `box`.
Box apply_anchor(const Box& box, const Box& anchor, bool centre_size) {
  Box out;
  for (int i = 0; i < 2; ++i) {
    if (centre_size) {
      out.v[i] = box.v[i] * anchor.v[i + 2] + anchor.v[i];
      out.v[i + 2] = std::exp(box.v[i + 2]) * anchor.v[i + 2];
    } else {
      out.v[i] = box.v[i] + anchor.v[i];
      out.v[i + 2] = box.v[i + 2] + anchor.v[i + 2];
    }
  }
  return out;
}

Box as_corners(const Box& box) {
  const float half_x = box.v[2] * 0.5f, half_y = box.v[3] * 0.5f;
  return {{box.v[0] - half_x, box.v[1] - half_y, box.v[0] + half_x, box.v[1] + half_y}};
}

int64_t efficient_candidates(const KernelArgs& args) {
  return std::min(args.inputs[1].count() / std::max<int64_t>(args.inputs[1].dims[0], 1), EfficientNMS::kMaxCandidates);
}

// [candidates][boxes of those kept, as corners]
size_t efficient_workspace(const EfficientNMS& op, const KernelArgs& args) {
  const int64_t candidates = efficient_candidates(args), kept = std::min(candidates, *op.max_output_boxes);
  return static_cast<size_t>(candidates) * sizeof(Candidate) + static_cast<size_t>(kept) * sizeof(Box);
}

// The threshold in the type and the domain of the scores.
template <class T>
float efficient_threshold(const EfficientNMS& op) {
  float threshold = *op.score_threshold;
  if (*op.score_activation == 1) threshold = threshold <= 0 ? -32768.f : std::log(threshold / (1 - threshold));
  return static_cast<float>(T(threshold));
}

template <class T>
void efficient_image(const EfficientNMS& op, const KernelArgs& args, int64_t image) {
  const Operands<T> operands(args);
  const bool centre_size = *op.box_coding == 1;
  const auto corners_of = [&](const Candidate& candidate) {
    Box box = operands.box(image, candidate.box, candidate.label);
    if (args.inputs.size() > 2 && args.inputs[2].present()) {
      const int64_t set = args.inputs[2].dims[0] == 1 ? 0 : image;
      const T* const from = args.inputs[2].as<T>() + (set * operands.num_boxes + candidate.box) * 4;
      const Box anchor{{static_cast<float>(from[0]), static_cast<float>(from[1]), static_cast<float>(from[2]),
                        static_cast<float>(from[3])}};
      box = apply_anchor(box, anchor, centre_size);
    }
    return centre_size ? as_corners(box) : box;
  };

  const int64_t capacity = efficient_candidates(args);
  auto* const memory = reinterpret_cast<Candidate*>(args.workspace);
  BestCandidates best(memory, capacity);
  const float threshold = efficient_threshold<T>(op);
  for (int64_t box = 0; box < operands.num_boxes; ++box) {
    for (int64_t label = 0; label < operands.num_classes; ++label) {
      const float score = operands.score(image, box, label);
      if (label != *op.background_class && score >= threshold) best.add({score, static_cast<int32_t>(label), box});
    }
  }

  auto* const kept = reinterpret_cast<Box*>(memory + capacity);
  Rows<T, int32_t> rows(args, image);
  rows.clear(0);
  for (const Candidate& candidate : best.sorted()) {
    if (rows.full()) break;
    const Box box = corners_of(candidate);
    bool dies = false;
    for (int32_t i = 0; i < *rows.count && !dies; ++i) {
      const bool rival = op.class_agnostic || rows.classes[i] == candidate.label;
      dies = rival && intersection_over_union(kept[i], box, 0, 0) >= *op.iou_threshold;
    }
    if (dies) continue;
    kept[*rows.count] = box;
    rows.add(box, *op.score_activation == 1 ? 1 / (1 + std::exp(-candidate.score)) : candidate.score, candidate.label);
  }
}

Status efficient_nms(const EfficientNMS& op, const KernelArgs& args) {
  return visit_type(args.inputs[0].dtype, FloatTypes{}, [&]<class T>() {
    for (int64_t image = 0; image < args.outputs[0].dims[0]; ++image) efficient_image<T>(op, args, image);
    return Status();
  });
}

// [one class's candidates][boxes of those kept in it][the best over all classes]
template <class OpT>
size_t batched_workspace(const OpT& op, const KernelArgs& args) {
  const int64_t per_class = std::min(args.inputs[1].dims[1], *op.top_k);
  return static_cast<size_t>(per_class) * (sizeof(Candidate) + sizeof(Box)) +
         static_cast<size_t>(*op.keep_top_k) * sizeof(Candidate);
}

template <class T, class OpT>
void batched_image(const OpT& op, const KernelArgs& args, int64_t image) {
  const Operands<T> operands(args);
  const int64_t per_class = std::min(operands.num_boxes, *op.top_k);
  auto* const candidates = reinterpret_cast<Candidate*>(args.workspace);
  auto* const kept = reinterpret_cast<Box*>(candidates + per_class);
  BestCandidates best_of_all(reinterpret_cast<Candidate*>(kept + per_class), *op.keep_top_k);
  const float threshold = static_cast<float>(T(*op.score_threshold));
  const float box_longer = op.is_normalized ? 0 : 1;
  const float intersection_longer = !op.is_normalized && op.caffe_semantics ? 1 : 0;

  for (int64_t label = 0; label < operands.num_classes; ++label) {
    if (label == op.background_label) continue;
    BestCandidates best(candidates, per_class);
    for (int64_t box = 0; box < operands.num_boxes; ++box) {
      const float score = operands.score(image, box, label);
      if (score > threshold) best.add({score, static_cast<int32_t>(label), box});
    }
    int64_t num_kept = 0;
    for (const Candidate& candidate : best.sorted()) {
      const Box box = operands.box(image, candidate.box, label);
      const bool dies = std::any_of(kept, kept + num_kept, [&](const Box& other) {
        return intersection_over_union(other, box, box_longer, intersection_longer) > *op.iou_threshold;
      });
      if (dies) continue;
      kept[num_kept++] = box;
      best_of_all.add(candidate);
    }
  }

  Rows<T, T> rows(args, image);
  rows.clear(T(-1.f));
  for (const Candidate& candidate : best_of_all.sorted()) {
    Box box = operands.box(image, candidate.box, candidate.label);
    if (op.clip_boxes && op.is_normalized) {
      for (float& v : box.v) v = std::clamp(v, 0.f, 1.f);
    }
    rows.add(box, candidate.score, T(static_cast<float>(candidate.label)));
  }
}

template <class OpT>
Status batched_nms(const OpT& op, const KernelArgs& args) {
  return visit_type(args.inputs[0].dtype, FloatTypes{}, [&]<class T>() {
    for (int64_t image = 0; image < args.outputs[0].dims[0]; ++image) batched_image<T>(op, args, image);
    return Status();
  });
}

}  // namespace

const KernelDef kEfficientNMS = kReferenceKernel<EfficientNMS, efficient_nms, efficient_workspace>;
const KernelDef kBatchedNMS = kReferenceKernel<BatchedNMS, batched_nms<BatchedNMS>, batched_workspace<BatchedNMS>>;
const KernelDef kBatchedNMSDynamic =
    kReferenceKernel<BatchedNMSDynamic, batched_nms<BatchedNMSDynamic>, batched_workspace<BatchedNMSDynamic>>;

}  // namespace hone::reference
