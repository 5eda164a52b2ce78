// TopK and the non-maximum suppressions. The oracles choose the best of what is left and strike what it suppresses,
// where the kernels walk a sorted list and look back.
#include <cmath>
#include <numeric>

#include "support/op_case.h"

namespace hone::test {

using enum DataType;

namespace {

// Quantized, so that many are equal, with some NaN.
Tensor few_scores(DataType dtype, const Extents& dims, Random& random) {
  return each([](Random& r) { return r.integer(0, 15) == 0 ? NAN : static_cast<double>(r.integer(0, 8)) / 8; })(
      dtype, dims, random);
}

std::vector<Tensor> sort_all(std::span<const Tensor> inputs, size_t axis, bool largest) {
  const Extents& dims = inputs[0].dims();
  const auto k = inputs[1].values<int64_t>()[0];
  Extents out_dims = dims;
  out_dims[axis] = k;
  const Extents from = row_major_strides(dims), to = row_major_strides(out_dims);
  const std::vector<double> x = to_doubles(inputs[0]);
  std::vector<double> values(static_cast<size_t>(count_of(out_dims))), indices(values.size());
  for (size_t first = 0; first < x.size(); ++first) {
    if (static_cast<int64_t>(first) / from[axis] % dims[axis] != 0) continue;  // not the start of a line
    const auto at = [&](int64_t i) { return x[first + static_cast<size_t>(i * from[axis])]; };
    std::vector<int64_t> order(static_cast<size_t>(dims[axis]));
    std::iota(order.begin(), order.end(), int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      if (std::isnan(at(a)) || std::isnan(at(b))) return !std::isnan(at(a));
      return largest ? at(a) > at(b) : at(a) < at(b);
    });
    const int64_t outer = static_cast<int64_t>(first) / (from[axis] * dims[axis]);
    const int64_t inner = static_cast<int64_t>(first) % from[axis];
    for (int64_t i = 0; i < k; ++i) {
      const auto out = static_cast<size_t>(outer * to[axis] * k + i * to[axis] + inner);
      values[out] = at(order[static_cast<size_t>(i)]);
      indices[out] = static_cast<double>(order[static_cast<size_t>(i)]);
    }
  }
  return {tensor_from_doubles(inputs[0].dtype(), out_dims, values), tensor_from_doubles(kInt64, out_dims, indices)};
}

OpCase topk_case(std::string name, CaseOperand x, int64_t axis, size_t normal_axis, bool largest, int64_t k) {
  return {.name = std::move(name),
          .op = "TopK",
          .attributes = {{"axis", axis}, {"largest", int64_t{largest}}},
          .inputs = {std::move(x), given(Tensor::vector<int64_t>({k}))},
          .num_outputs = 2,
          .independent = [=](auto inputs) { return sort_all(inputs, normal_axis, largest); }};
}

struct Box {
  double v[4];
};

Box box_at(const std::vector<double>& boxes, size_t index) {
  return {{boxes[index * 4], boxes[index * 4 + 1], boxes[index * 4 + 2], boxes[index * 4 + 3]}};
}

Box from_centre(const Box& box) {
  return {{box.v[0] - box.v[2] / 2, box.v[1] - box.v[3] / 2, box.v[0] + box.v[2] / 2, box.v[1] + box.v[3] / 2}};
}

double side(const Box& box, int axis) { return std::abs(box.v[axis + 2] - box.v[axis]); }

double shared_side(const Box& a, const Box& b, int axis) {
  return std::min(std::max(a.v[axis], a.v[axis + 2]), std::max(b.v[axis], b.v[axis + 2])) -
         std::max(std::min(a.v[axis], a.v[axis + 2]), std::min(b.v[axis], b.v[axis + 2]));
}

double overlap(const Box& a, const Box& b, double longer = 0, double shared_longer = 0) {
  if (shared_side(a, b, 0) < 0 || shared_side(a, b, 1) < 0) return 0;
  const double shared = (shared_side(a, b, 0) + shared_longer) * (shared_side(a, b, 1) + shared_longer);
  const double whole = (side(a, 0) + longer) * (side(a, 1) + longer) + (side(b, 0) + longer) * (side(b, 1) + longer);
  return shared > 0 ? shared / (whole - shared) : 0;
}

struct Detection {
  double score;
  size_t box, label;
  Box corners;
};

// Takes the best detection (ties: box, then label) and strikes what it suppresses, until `most` are taken.
std::vector<Detection> suppress(std::vector<Detection> all, size_t most,
                                const std::function<bool(const Detection&, const Detection&)>& suppresses) {
  std::vector<Detection> kept;
  while (!all.empty() && kept.size() < most) {
    size_t best = 0;
    for (size_t i = 1; i < all.size(); ++i) {
      const Detection &a = all[i], &b = all[best];
      const bool a_nan = std::isnan(a.score), b_nan = std::isnan(b.score);
      const bool tie = a.score == b.score || (a_nan && b_nan);
      const bool earlier = a.box < b.box || (a.box == b.box && a.label < b.label);
      if (tie ? earlier : (a.score > b.score || (b_nan && !a_nan))) best = i;
    }
    const Detection chosen = all[best];
    kept.push_back(chosen);
    std::vector<Detection> left;
    for (size_t i = 0; i < all.size(); ++i) {
      if (i != best && !suppresses(chosen, all[i])) left.push_back(all[i]);
    }
    all = std::move(left);
  }
  return kept;
}

std::vector<Tensor> onnx_nms(std::span<const Tensor> inputs, bool centre) {
  const std::vector<double> boxes = to_doubles(inputs[0]), scores = to_doubles(inputs[1]);
  const auto batches = static_cast<size_t>(inputs[1].dims()[0]), classes = static_cast<size_t>(inputs[1].dims()[1]);
  const auto count = static_cast<size_t>(inputs[1].dims()[2]);
  const auto most = inputs.size() > 2 ? static_cast<size_t>(to_doubles(inputs[2])[0]) : 0;
  const double iou = inputs.size() > 3 && inputs[3].defined() ? to_doubles(inputs[3])[0] : 0;
  std::vector<double> rows;
  for (size_t batch = 0; batch < batches; ++batch) {
    for (size_t label = 0; label < classes; ++label) {
      std::vector<Detection> all;
      for (size_t i = 0; i < count; ++i) {
        const double score = scores[(batch * classes + label) * count + i];
        if (inputs.size() > 4 && !(score > to_doubles(inputs[4])[0])) continue;
        const Box box = box_at(boxes, batch * count + i);
        all.push_back({score, i, 0, centre ? from_centre(box) : box});
      }
      const auto suppresses = [&](const Detection& a, const Detection& b) {
        return overlap(a.corners, b.corners) > iou;
      };
      for (const Detection& kept : suppress(all, most, suppresses)) {
        rows.insert(rows.end(),
                    {static_cast<double>(batch), static_cast<double>(label), static_cast<double>(kept.box)});
      }
    }
  }
  return {tensor_from_doubles(kInt64, Extents{static_cast<int64_t>(rows.size() / 3), 3}, rows)};
}

// What the TensorRT plugins are told, for both.
struct PluginRules {
  double score_threshold = 0, iou_threshold = 0.5;
  size_t most = 10, per_class = 100000;
  int64_t background = -1;
  bool batched = false;  // BatchedNMS: thresholds are exclusive, classes apart, the best of all at the end
  bool centre = false, logits = false, agnostic = false;
  double longer = 0, shared_longer = 0;
  bool clip = false;
};

std::vector<Detection> plugin_image(const PluginRules& rules, std::span<const Tensor> inputs, size_t image) {
  const std::vector<double> boxes = to_doubles(inputs[0]), scores = to_doubles(inputs[1]);
  const auto count = static_cast<size_t>(inputs[1].dims()[1]), classes = static_cast<size_t>(inputs[1].dims()[2]);
  const size_t own = inputs[0].dims().size() == 4 ? static_cast<size_t>(inputs[0].dims()[2]) : 1;
  std::vector<Detection> all;
  for (size_t i = 0; i < count * classes; ++i) {
    const size_t box = i / classes, label = i % classes;
    const double raw = scores[image * count * classes + i];
    const double score = rules.logits ? 1 / (1 + std::exp(-raw)) : raw;
    if (rules.batched ? !(score > rules.score_threshold) : !(score >= rules.score_threshold)) continue;
    if (static_cast<int64_t>(label) == rules.background) continue;
    const Box found = box_at(boxes, ((image * count) + box) * own + (own == 1 ? 0 : label));
    all.push_back({score, box, label, rules.centre ? from_centre(found) : found});
  }
  const auto suppresses = [&](const Detection& a, const Detection& b) {
    if (a.label != b.label && !rules.agnostic) return false;
    const double both = overlap(a.corners, b.corners, rules.longer, rules.shared_longer);
    return rules.batched ? both > rules.iou_threshold : both >= rules.iou_threshold;
  };
  const auto never = [](const Detection&, const Detection&) { return false; };
  if (!rules.batched) return suppress(all, rules.most, suppresses);
  std::vector<Detection> kept;
  for (size_t label = 0; label < classes; ++label) {
    std::vector<Detection> own_class;
    for (const Detection& detection : all) {
      if (detection.label == label) own_class.push_back(detection);
    }
    for (const Detection& detection : suppress(suppress(own_class, rules.per_class, never), 100000, suppresses)) {
      kept.push_back(detection);
    }
  }
  return suppress(kept, rules.most, never);
}

Independent plugin_nms(PluginRules rules) {
  return [rules](std::span<const Tensor> inputs) {
    const int64_t batch = inputs[0].dims()[0], most = static_cast<int64_t>(rules.most);
    std::vector<double> counts, boxes, scores, classes;
    for (int64_t image = 0; image < batch; ++image) {
      const std::vector<Detection> found = plugin_image(rules, inputs, static_cast<size_t>(image));
      counts.push_back(static_cast<double>(found.size()));
      for (const Detection& detection : found) {
        for (const double v : detection.corners.v) boxes.push_back(rules.clip ? std::clamp(v, 0.0, 1.0) : v);
        scores.push_back(detection.score);
        classes.push_back(static_cast<double>(detection.label));
      }
      scores.resize(static_cast<size_t>((image + 1) * most), 0);
      boxes.resize(scores.size() * 4, 0);
      classes.resize(scores.size(), rules.batched ? -1 : 0);
    }
    const DataType dtype = inputs[0].dtype();
    return std::vector<Tensor>{tensor_from_doubles(kInt32, Extents{batch, 1}, counts),
                               tensor_from_doubles(dtype, Extents{batch, most, 4}, boxes),
                               tensor_from_doubles(dtype, Extents{batch, most}, scores),
                               tensor_from_doubles(rules.batched ? dtype : kInt32, Extents{batch, most}, classes)};
  };
}

AttrMap efficient(AttrMap more = {}, int64_t most = 10, float score = 0.25f, float iou = 0.45f) {
  AttrMap attributes = {{"score_threshold", score},
                        {"iou_threshold", iou},
                        {"max_output_boxes", most},
                        {"background_class", Ints{-1}},
                        {"plugin_version", "1"}};
  for (auto& attribute : more) attributes.push_back(std::move(attribute));
  const auto has = [&](std::string_view name) {
    return std::any_of(attributes.begin(), attributes.end(), [&](const auto& a) { return a.first == name; });
  };
  for (const char* name : {"score_activation", "box_coding"}) {
    if (!has(name)) attributes.emplace_back(name, int64_t{0});
  }
  return attributes;
}

AttrMap batched(int64_t classes, int64_t top, int64_t keep, AttrMap more = {}) {
  AttrMap attributes = {{"numClasses", classes},   {"topK", top},          {"keepTopK", keep},
                        {"scoreThreshold", 0.25f}, {"iouThreshold", 0.5f}, {"plugin_version", "1"}};
  for (auto& attribute : more) attributes.push_back(std::move(attribute));
  return attributes;
}

// Equal boxes of a good score, and after them one elsewhere of a poor score.
struct OneApart {
  Tensor boxes, scores;
};

OneApart one_apart(int64_t equal) {
  std::vector<float> boxes, scores(static_cast<size_t>(equal), 0.75f);
  for (int64_t i = 0; i < equal; ++i) boxes.insert(boxes.end(), {0, 0, 1, 1});
  boxes.insert(boxes.end(), {5, 5, 6, 6});
  scores.push_back(0.5f);
  return {Tensor::of<float>(boxes, Extents{1, equal + 1, 4}), Tensor::of<float>(scores, Extents{1, equal + 1, 1})};
}

CaseOperand scalar(float value) { return given(Tensor::scalar(value)); }
CaseOperand most(int64_t value) { return given(Tensor::scalar(value)); }

}  // namespace

TEST(TopK, Cases) {
  check_cases({
      topk_case("last axis", random(kFloat32, {3, 17}), -1, 1, true, 5),
      topk_case("first axis, smallest", random(kFloat64, {9, 2, 3}), 0, 0, false, 4),
      topk_case("many equal", random(kInt32, {2, 40, 3}, choice({1, 2, 3})), 1, 1, true, 11),
      topk_case("all", random(kInt8, {7}), 0, 0, false, 7),
      topk_case("none", random(kUint16, {7}), 0, 0, false, 0),
      topk_case("NaN", random(kFloat32, {4, 30}, few_scores), 1, 1, true, 30),
      topk_case("NaN, smallest", random(kFloat16, {4, 30}, few_scores), 1, 1, false, 30),
      topk_case("special", random(kBFloat16, {4, 50}, special), 1, 1, true, 20),
      topk_case("empty rows", random(kFloat32, {0, 5}), 1, 1, true, 2),
      {.name = "64 bits",
       .op = "TopK",
       .inputs = {given(tensor<uint64_t>({3}, {UINT64_MAX - 1, UINT64_MAX, 1})), given(Tensor::vector<int64_t>({2}))},
       .num_outputs = 2,
       .expected = {tensor<uint64_t>({2}, {UINT64_MAX, UINT64_MAX - 1}), tensor<int64_t>({2}, {1, 0})}},
      {.name = "too many",
       .op = "TopK",
       .inputs = {random(kFloat32, {3}), given(Tensor::vector<int64_t>({4}))},
       .num_outputs = 2,
       .refused = "K is 4"},
      {.name = "negative",
       .op = "TopK",
       .inputs = {random(kFloat32, {3}), given(Tensor::vector<int64_t>({-1}))},
       .num_outputs = 2,
       .refused = "K is -1"},
      {.name = "two",
       .op = "TopK",
       .inputs = {random(kFloat32, {3}), given(Tensor::vector<int64_t>({1, 1}))},
       .num_outputs = 2,
       .refused = "number of elements of K"},
      {.name = "axis",
       .op = "TopK",
       .attributes = {{"axis", int64_t{1}}},
       .inputs = {random(kFloat32, {3}), given(Tensor::vector<int64_t>({1}))},
       .num_outputs = 2,
       .refused = "axis 1"},
  });
}

TEST(NonMaxSuppression, AgreesWithTheOracle) {
  const auto nms = [](bool centre) {
    return [centre](std::span<const Tensor> inputs) { return onnx_nms(inputs, centre); };
  };
  const CaseOperand boxes1 = random(kFloat32, {2, 40, 4}, boxes(10));
  const CaseOperand scores = random(kFloat32, {2, 3, 40}, uniform(0, 1));
  const CaseOperand equal = random(kFloat32, {2, 3, 40}, few_scores);
  const AttrMap centre = {{"center_point_box", int64_t{1}}};
  const std::string op = "NonMaxSuppression";
  check_cases(
      {
          {.name = "scores",
           .op = op,
           .inputs = {boxes1, scores, most(7), scalar(0.3f), scalar(0.2f)},
           .independent = nms(false)},
          {.name = "equal and NaN scores",
           .op = op,
           .inputs = {boxes1, equal, most(100), scalar(0.5f)},
           .independent = nms(false)},
          {.name = "NaN under a threshold",
           .op = op,
           .inputs = {boxes1, equal, most(100), scalar(0.5f), scalar(-1)},
           .independent = nms(false)},
          {.name = "centres",
           .op = op,
           .attributes = centre,
           .inputs = {random(kFloat32, {1, 30, 4}, uniform(1, 6)), random(kFloat32, {1, 2, 30}, few_scores), most(9),
                      scalar(0.4f)},
           .independent = nms(true)},
          {.name = "everything overlaps", .op = op, .inputs = {boxes1, scores, most(100)}, .independent = nms(false)},
          {.name = "nothing suppressed",
           .op = op,
           .inputs = {boxes1, scores, most(100), scalar(1)},
           .independent = nms(false)},
          {.name = "none wanted", .op = op, .inputs = {boxes1, scores}, .independent = nms(false)},
          {.name = "no boxes",
           .op = op,
           .inputs = {random(kFloat32, {1, 0, 4}), random(kFloat32, {1, 3, 0}), most(5), scalar(0.5f)},
           .independent = nms(false)},
          {.name = "none above",
           .op = op,
           .inputs = {boxes1, scores, most(5), scalar(0.5f), scalar(2)},
           .independent = nms(false)},
          {.name = "special boxes",
           .op = op,
           .inputs = {random(kFloat32, {1, 60, 4}, special), random(kFloat32, {1, 1, 60}, special), most(60),
                      scalar(0.5f)}},
          // The intersection over union is exactly one half: kept, unlike in EfficientNMS.
          {.name = "at the threshold",
           .op = op,
           .inputs = {given(tensor<float>({1, 2, 4}, {0, 0, 2, 2, 0, 0, 2, 1})),
                      given(tensor<float>({1, 1, 2}, {0.5f, 0.75f})), most(5), scalar(0.5f)},
           .expected = {tensor<int64_t>({2, 3}, {0, 0, 1, 0, 0, 0})}},
          {.name = "negative most",
           .op = op,
           .inputs = {boxes1, scores, most(INT64_MIN), scalar(0.5f)},
           .expected = {*Tensor::make(kInt64, Extents{0, 3})}},
          {.name = "huge most",
           .op = op,
           .inputs = {boxes1, scores, most(INT64_MAX), scalar(1)},
           .independent =
               [&](std::span<const Tensor> inputs) {
                 std::vector<Tensor> fewer(inputs.begin(), inputs.end());
                 fewer[2] = Tensor::scalar<int64_t>(40);
                 return onnx_nms(fewer, false);
               }},
          {.name = "threshold", .op = op, .inputs = {boxes1, scores, most(5), scalar(1.5f)}, .fails = "iou_threshold"},
          {.name = "NaN threshold",
           .op = op,
           .inputs = {boxes1, scores, most(5), scalar(NAN)},
           .fails = "iou_threshold"},
          {.name = "boxes and scores",
           .op = op,
           .inputs = {boxes1, random(kFloat32, {2, 3, 39})},
           .refused = "numbers of boxes"},
          {.name = "coordinates",
           .op = op,
           .inputs = {random(kFloat32, {1, 4, 5}), random(kFloat32, {1, 1, 4})},
           .refused = "coordinates"},
      });
}

TEST(EfficientNMS, AgreesWithTheOracle) {
  const std::string op = "EfficientNMS_TRT";
  const auto run = [&](std::string name, AttrMap attributes, std::vector<CaseOperand> inputs, PluginRules rules) {
    return OpCase{.name = std::move(name),
                  .op = op,
                  .attributes = std::move(attributes),
                  .inputs = std::move(inputs),
                  .num_outputs = 4,
                  .independent = plugin_nms(rules),
                  .tolerance = Tolerance{1e-5, 1e-5}};
  };
  const CaseOperand some_boxes = random(kFloat32, {2, 30, 4}, boxes(10));
  const CaseOperand centres = random(kFloat32, {2, 30, 4}, uniform(1, 6));
  const CaseOperand scores = random(kFloat32, {2, 30, 4}, uniform(0, 1));
  const PluginRules usual{.score_threshold = 0.25, .iou_threshold = 0.45f};
  PluginRules with_centres = usual, agnostic = usual, logits = usual, background = usual, single = usual;
  with_centres.centre = agnostic.agnostic = logits.logits = true;
  background.background = 2;
  single.most = 1;
  check_cases({
      run("shared boxes", efficient(), {some_boxes, scores}, usual),
      run("one box axis", efficient(),
          {random(kFloat32, {1, 20, 1, 4}, boxes(5)), random(kFloat32, {1, 20, 3}, few_scores)}, usual),
      run("boxes of classes", efficient(),
          {random(kFloat32, {1, 20, 3, 4}, boxes(5)), random(kFloat32, {1, 20, 3}, few_scores)}, usual),
      run("equal and NaN scores", efficient(), {some_boxes, random(kFloat32, {2, 30, 4}, few_scores)}, usual),
      run("centres", efficient({{"box_coding", Ints{1}}}), {centres, scores}, with_centres),
      run("agnostic", efficient({{"class_agnostic", int64_t{1}}}), {some_boxes, scores}, agnostic),
      run("logits", efficient({{"score_activation", int64_t{1}}}),
          {some_boxes, random(kFloat32, {2, 30, 4}, uniform(-5, 5))}, logits),
      run("one class, rank 4", efficient(), {some_boxes, random(kFloat32, {2, 30, 1}, uniform(0, 1))}, usual),
      run("one wanted", efficient({}, 1), {some_boxes, scores}, single),
      run("no boxes", efficient(), {random(kFloat32, {2, 0, 4}), random(kFloat32, {2, 0, 4})}, usual),
      run("no images", efficient(), {random(kFloat32, {0, 3, 4}), random(kFloat32, {0, 3, 4})}, usual),
      run("none above", efficient({}, 10, 2.f), {some_boxes, scores}, {.score_threshold = 2, .iou_threshold = 0.45f}),
      {.name = "background",
       .op = op,
       .attributes = {{"score_threshold", 0.25f},
                      {"iou_threshold", 0.45f},
                      {"max_output_boxes", int64_t{10}},
                      {"background_class", int64_t{2}},
                      {"score_activation", int64_t{0}},
                      {"box_coding", int64_t{0}}},
       .inputs = {some_boxes, scores},
       .num_outputs = 4,
       .independent = plugin_nms(background)},
      {.name = "float16",
       .op = op,
       .attributes = efficient(),
       .inputs = {random(kFloat16, {2, 30, 4}, boxes(10)), random(kFloat16, {2, 30, 4}, uniform(0, 1))},
       .num_outputs = 4,
       .independent = plugin_nms(usual)},
      {.name = "special",
       .op = op,
       .attributes = efficient(),
       .inputs = {random(kFloat32, {2, 30, 4}, special), random(kFloat32, {2, 30, 4}, special)},
       .num_outputs = 4},
  });
}

TEST(EfficientNMS, Contract) {
  const std::string op = "EfficientNMS_TRT";
  const CaseOperand two = given(tensor<float>({1, 2, 4}, {0, 0, 2, 2, 0, 0, 2, 1}));
  const CaseOperand scores = given(tensor<float>({1, 2, 1}, {0.5f, 0.75f}));
  AttrMap incomplete = efficient();
  incomplete.erase(incomplete.begin());
  check_cases({
      // The intersection over union is exactly one half: suppressed, unlike in ONNX's operator.
      {.name = "at the thresholds",
       .op = op,
       .attributes = efficient({}, 2, 0.5f, 0.5f),
       .inputs = {two, scores},
       .num_outputs = 4,
       .expected = {tensor<int32_t>({1, 1}, {1}), tensor<float>({1, 2, 4}, {0, 0, 2, 1, 0, 0, 0, 0}),
                    tensor<float>({1, 2}, {0.75f, 0}), tensor<int32_t>({1, 2}, {0, 0})}},
      {.name = "anchors of centres",
       .op = op,
       .attributes = efficient({{"box_coding", int64_t{1}}}, 1),
       .inputs = {given(tensor<float>({1, 1, 4}, {0.5f, 1, 0, 0})), given(tensor<float>({1, 1, 1}, {1})),
                  given(tensor<float>({1, 1, 4}, {10, 20, 4, 2}))},
       .num_outputs = 4,
       .expected = {tensor<int32_t>({1, 1}, {1}), tensor<float>({1, 1, 4}, {10, 21, 14, 23})}},
      {.name = "anchors of corners",
       .op = op,
       .attributes = efficient({}, 1),
       .inputs = {given(tensor<float>({1, 1, 4}, {1, 2, 3, 4})), given(tensor<float>({1, 1, 1}, {1})),
                  given(tensor<float>({1, 1, 4}, {10, 20, 30, 40}))},
       .num_outputs = 4,
       .expected = {tensor<int32_t>({1, 1}, {1}), tensor<float>({1, 1, 4}, {11, 22, 33, 44})}},
      {.name = "best 5000 only",
       .op = op,
       .attributes = efficient(),
       .inputs = {given(one_apart(5000).boxes), given(one_apart(5000).scores)},
       .num_outputs = 4,
       .expected = {tensor<int32_t>({1, 1}, {1})}},
      {.name = "the 5000th",
       .op = op,
       .attributes = efficient(),
       .inputs = {given(one_apart(4999).boxes), given(one_apart(4999).scores)},
       .num_outputs = 4,
       .expected = {tensor<int32_t>({1, 1}, {2})}},
      {.name = "missing",
       .op = op,
       .attributes = incomplete,
       .inputs = {two, scores},
       .num_outputs = 4,
       .refused = "'score_threshold' is missing"},
      {.name = "none wanted",
       .op = op,
       .attributes = efficient({}, 0),
       .inputs = {two, scores},
       .num_outputs = 4,
       .refused = "max_output_boxes"},
      {.name = "unknown attribute",
       .op = op,
       .attributes = efficient({{"clip", int64_t{1}}}),
       .inputs = {two, scores},
       .num_outputs = 4,
       .refused = "clip"},
      {.name = "rank",
       .op = op,
       .attributes = efficient(),
       .inputs = {random(kFloat32, {2, 4}), scores},
       .num_outputs = 4,
       .refused = "boxes"},
      {.name = "classes",
       .op = op,
       .attributes = efficient(),
       .inputs = {random(kFloat32, {1, 2, 3, 4}), random(kFloat32, {1, 2, 2})},
       .num_outputs = 4,
       .refused = ""
                  "dimensions"},
  });
}

TEST(BatchedNMS, AgreesWithTheOracle) {
  std::vector<OpCase> cases;
  for (const char* op : {"BatchedNMS_TRT", "BatchedNMSDynamic_TRT"}) {
    const auto run = [&](std::string name, AttrMap attributes, std::vector<CaseOperand> inputs, PluginRules rules) {
      rules.batched = true;
      cases.push_back({.name = std::move(name),
                       .op = op,
                       .attributes = std::move(attributes),
                       .inputs = std::move(inputs),
                       .num_outputs = 4,
                       .independent = plugin_nms(rules),
                       .tolerance = Tolerance{1e-5, 1e-5}});
    };
    const CaseOperand shared = random(kFloat32, {2, 30, 1, 4}, uniform(-0.3, 1.3));
    const CaseOperand pixels = random(kFloat32, {2, 30, 1, 4}, uniform(0, 9));
    const CaseOperand scores = random(kFloat32, {2, 30, 3}, few_scores);
    const PluginRules clipped{.score_threshold = 0.25, .most = 8, .per_class = 12, .clip = true};
    PluginRules unclipped = clipped, caffe = clipped, no_caffe = clipped, background = clipped;
    unclipped.clip = caffe.clip = no_caffe.clip = false;
    caffe.longer = caffe.shared_longer = no_caffe.longer = 1;
    background.background = 1;
    const AttrValue no = int64_t{0}, yes = int64_t{1};
    run("clipped", batched(3, 12, 8), {shared, scores}, clipped);
    run("not clipped", batched(3, 12, 8, {{"clipBoxes", no}}), {shared, scores}, unclipped);
    run("pixels", batched(3, 12, 8, {{"isNormalized", no}}), {pixels, scores}, caffe);
    run("pixels, not caffe", batched(3, 12, 8, {{"isNormalized", no}, {"caffeSemantics", no}}), {pixels, scores},
        no_caffe);
    run("background", batched(3, 12, 8, {{"backgroundLabelId", yes}}), {shared, scores}, background);
    run("boxes of classes", batched(3, 12, 8, {{"shareLocation", no}}),
        {random(kFloat32, {1, 25, 3, 4}, uniform(0, 1)), random(kFloat32, {1, 25, 3}, uniform(0, 1))}, clipped);
    run("few boxes", batched(2, 4096, 100),
        {random(kFloat32, {1, 3, 1, 4}, uniform(0, 1)), random(kFloat32, {1, 3, 2}, uniform(0, 1))},
        {.score_threshold = 0.25, .most = 100, .clip = true});
    run("no boxes", batched(2, 4, 4), {random(kFloat32, {2, 0, 1, 4}), random(kFloat32, {2, 0, 2})},
        {.score_threshold = 0.25, .most = 4});
    cases.push_back(
        {.name = "float16",
         .op = op,
         .attributes = batched(3, 12, 8, {{"scoreBits", int64_t{10}}}),
         .inputs = {random(kFloat16, {2, 30, 1, 4}, uniform(0, 1)), random(kFloat16, {2, 30, 3}, few_scores)},
         .num_outputs = 4});
    // Neither the score nor the overlap is above its threshold.
    cases.push_back(
        {.name = "at the thresholds",
         .op = op,
         .attributes = batched(1, 3, 3),
         .inputs = {given(tensor<float>({1, 3, 1, 4}, {0, 0, 1, 1, 0, 0, 1, 0.5f, 0, 0, 0.1f, 0.1f})),
                    given(tensor<float>({1, 3, 1}, {0.5f, 0.75f, 0.25f}))},
         .num_outputs = 4,
         .expected = {tensor<int32_t>({1, 1}, {2}), tensor<float>({1, 3, 4}, {0, 0, 1, 0.5f, 0, 0, 1, 1, 0, 0, 0, 0}),
                      tensor<float>({1, 3}, {0.75f, 0.5f, 0}), tensor<float>({1, 3}, {0, 0, -1})}});
    cases.push_back({.name = "keep more than top",
                     .op = op,
                     .attributes = batched(3, 4, 8),
                     .inputs = {shared, scores},
                     .num_outputs = 4,
                     .refused = "keepTopK"});
    cases.push_back({.name = "top",
                     .op = op,
                     .attributes = batched(3, 5000, 8),
                     .inputs = {shared, scores},
                     .num_outputs = 4,
                     .refused = "topK"});
    cases.push_back({.name = "classes",
                     .op = op,
                     .attributes = batched(4, 12, 8),
                     .inputs = {shared, scores},
                     .num_outputs = 4,
                     .refused = "numClasses"});
    cases.push_back({.name = "not shared",
                     .op = op,
                     .attributes = batched(3, 12, 8, {{"shareLocation", no}}),
                     .inputs = {shared, scores},
                     .num_outputs = 4,
                     .refused = "shareLocation"});
  }
  check_cases(cases);
}

}  // namespace hone::test
