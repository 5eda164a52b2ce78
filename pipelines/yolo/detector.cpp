#include "pipelines/yolo/detector.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <utility>

#include "pipelines/common/letterbox.h"
#include "pipelines/yolo/decode.h"
#include "pipelines/yolo/labels.h"

namespace hone {
namespace {

constexpr int kDefaultSize = 640;
constexpr int kLargestStride = 64;
constexpr int kMaxSide = 16384;
constexpr int kMaxBatch = 1024;
constexpr uint8_t kPadValue = 114;
// Models with this many classes are taken to be trained on COCO.
constexpr int kCocoClasses = 80;

int round_up(int64_t value, int64_t stride) { return static_cast<int>((value + stride - 1) / stride * stride); }

class Stopwatch {
 public:
  double lap_ms() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double, std::milli>(now - std::exchange(last_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Height and width from "640" or "[640, 480]"; zeros when there are none.
std::array<int, 2> parse_size(const std::string& text) {
  std::vector<int> numbers;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at < end && numbers.size() < 2;) {
    int number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error == std::errc() && number > 0) numbers.push_back(number);
    at = error == std::errc() ? next : at + 1;
  }
  if (numbers.empty()) return {0, 0};
  return {numbers.front(), numbers.back()};
}

// What the model takes: [batch, 3, height, width], -1 for dynamic sizes.
struct InputFacts {
  std::string name;
  DataType dtype = DataType::kFloat32;
  int64_t batch = 1, height = 0, width = 0;
};

Result<InputFacts> input_of(const Engine& engine) {
  std::vector<const Binding*> inputs;
  for (const Binding& binding : engine.bindings()) {
    if (binding.is_input) inputs.push_back(&binding);
  }
  if (inputs.size() != 1) {
    return unsupported("a detector has one input, the picture; this model has " + std::to_string(inputs.size()));
  }
  const Binding& input = *inputs[0];
  const std::string what = "input '" + input.name + "' " + std::string(name_of(input.dtype)) + to_string(input.shape);
  if (input.dtype != DataType::kFloat32 && input.dtype != DataType::kFloat16) {
    return unsupported(what + ": float32 or float16 pictures [B,3,H,W] are needed");
  }
  const bool planes = input.shape.size() == 4 && (input.shape[1] == 3 || input.shape[1] == -1);
  if (!planes) return unsupported(what + ": pictures [B,3,H,W] are needed (channels first)");
  if (std::max({input.shape[0], int64_t{0}}) > kMaxBatch || std::max(input.shape[2], input.shape[3]) > kMaxSide) {
    return unsupported(what + ": up to " + std::to_string(kMaxBatch) + " pictures of " + std::to_string(kMaxSide) +
                       " x " + std::to_string(kMaxSide) + " pixels are allowed");
  }
  return InputFacts{input.name, input.dtype, input.shape[0], input.shape[2], input.shape[3]};
}

// An output's numbers as floats; converted ones are kept here.
class Floats {
 public:
  static Result<Floats> of(const TensorView& view) {
    Floats floats;
    switch (view.dtype) {
      case DataType::kFloat32: floats.values_ = view.elements<const float>(); return floats;
      case DataType::kFloat16: floats.convert(view.elements<const Half>()); return floats;
      case DataType::kInt32: floats.convert(view.elements<const int32_t>()); return floats;
      case DataType::kInt64: floats.convert(view.elements<const int64_t>()); return floats;
      default: return unsupported("an output of type " + std::string(name_of(view.dtype)));
    }
  }

  std::span<const float> values() const { return converted_.empty() ? values_ : std::span<const float>(converted_); }

 private:
  template <class T>
  void convert(std::span<const T> values) {
    converted_.reserve(values.size());
    for (const T& value : values) converted_.push_back(static_cast<float>(value));
  }

  std::span<const float> values_;
  std::vector<float> converted_;
};

// The part of one picture in a tensor whose first dimension is the batch.
std::span<const float> part_of(std::span<const float> values, size_t picture, size_t batch) {
  const size_t count = values.size() / batch;
  return values.subspan(picture * count, count);
}

}  // namespace

struct Detector::State {
  State(Engine engine_in, ExecutionContext context_in, DetectorOptions options_in)
      : engine(std::move(engine_in)), context(std::move(context_in)), options(std::move(options_in)) {}

  Engine engine;
  ExecutionContext context;
  DetectorOptions options;
  InputFacts facts;
  Head head;
  std::vector<std::string> labels;
  std::string names_source;
  LetterboxOptions letterbox;
  std::optional<ShapeRange> range;  // allowed input shapes, when the engine has a profile
  DetectTiming timing;
  Tensor input;
  std::vector<float> planes;  // of one picture, before it becomes float16

  Status set_up();
  Status check_options() const;
  std::array<int, 2> wanted_size() const;
  Status set_input(int64_t batch, int64_t height, int64_t width);
  Result<ModelFacts> outputs_at(int height, int width);
  Status load_names();

  Result<Letterbox> plan(const ImageView& picture) const;
  Result<size_t> detect_some(std::span<const ImageView> pictures, const DetectOptions& call,
                             std::vector<std::vector<Detection>>& results);
  Status fill_input(std::span<const ImageView> pictures, std::span<const Letterbox> boxes);
  Result<std::vector<Floats>> read_outputs(std::vector<TensorView>& views) const;
  Status candidates(std::span<const TensorView> views, std::span<const Floats> outputs, size_t picture,
                    const ScoreFilter& filter, std::vector<ScoredBox>& out) const;
  std::vector<Detection> finish(std::span<const ScoredBox> boxes, const Letterbox& letterbox,
                                const DetectOptions& call) const;

  bool suppressed() const { return head.form == HeadForm::kSuppressed || head.form == HeadForm::kSuppressedList; }
  size_t batch() const { return static_cast<size_t>(facts.batch > 0 ? facts.batch : options.batch); }
};

Status Detector::State::check_options() const {
  const bool sizes_fit =
      options.width >= 0 && options.height >= 0 && options.width <= kMaxSide && options.height <= kMaxSide;
  if (!sizes_fit)
    return invalid_argument("the input's width and height must lie between 1 and " + std::to_string(kMaxSide));
  if (options.batch < 1 || options.batch > kMaxBatch) {
    return invalid_argument("the batch must lie between 1 and " + std::to_string(kMaxBatch));
  }
  return {};
}

// Height and width, as far as the model leaves them open.
std::array<int, 2> Detector::State::wanted_size() const {
  std::array<int, 2> size = {options.height, options.width};
  const auto imgsz = engine.metadata().find("imgsz");
  const std::array<int, 2> stored =
      imgsz != engine.metadata().end() ? parse_size(imgsz->second) : std::array<int, 2>{0, 0};
  const std::array<int64_t, 2> fixed = {facts.height, facts.width};
  for (size_t i = 0; i < 2; ++i) {
    const int64_t best = range ? range->opt[2 + i] : kDefaultSize;
    if (size[i] == 0) size[i] = std::min(stored[i], kMaxSide);
    if (size[i] == 0) size[i] = static_cast<int>(std::clamp<int64_t>(best, 1, kMaxSide));
    if (fixed[i] > 0) size[i] = static_cast<int>(fixed[i]);
  }
  return size;
}

Status Detector::State::set_up() {
  HONE_TRY(check_options());
  HONE_ASSIGN(facts, input_of(engine));
  range = engine.profile_range(0, facts.name);
  if (range && (range->min.size() != 4 || range->opt.size() != 4 || range->max.size() != 4)) range.reset();
  const auto [height, width] = wanted_size();
  const bool open_size = facts.height <= 0 && facts.width <= 0;
  const int first_stride = open_size && !range ? kLargestStride : 1;
  HONE_ASSIGN(const ModelFacts model, outputs_at(round_up(height, first_stride), round_up(width, first_stride)));
  HONE_ASSIGN(head, recognise_head(model, options.head));
  letterbox.stride = head.stride;
  letterbox.height = facts.height > 0 ? height : round_up(height, head.stride);
  letterbox.width = facts.width > 0 ? width : round_up(width, head.stride);
  letterbox.pad_value = kPadValue;
  if (head.top_left)
    letterbox.style = LetterboxStyle::kTopLeft;
  else if (open_size && !options.square)
    letterbox.style = LetterboxStyle::kMinimal;
  return load_names();
}

Status Detector::State::set_input(int64_t batch, int64_t height, int64_t width) {
  const Extents dims = {batch, 3, height, width};
  if (input.defined() && input.dims() == dims) return {};
  HONE_ASSIGN(input, Tensor::make(facts.dtype, dims));
  return context.set_tensor(facts.name, input.view());
}

// The outputs' shapes for a given size of the input.
Result<ModelFacts> Detector::State::outputs_at(int height, int width) {
  HONE_TRY(set_input(static_cast<int64_t>(batch()), height, width));
  HONE_TRY(context.prepare());
  ModelFacts model{.height = height, .width = width, .metadata = engine.metadata()};
  for (const Binding& binding : engine.bindings()) {
    if (binding.is_input) continue;
    HONE_ASSIGN(std::vector<int64_t> shape, context.shape(binding.name));
    model.outputs.push_back({binding.name, binding.dtype, std::move(shape)});
  }
  return model;
}

Status Detector::State::load_names() {
  names_source = "no names";
  if (!options.labels_file.empty()) {
    names_source = "names from " + options.labels_file;
    HONE_ASSIGN(labels, load_labels(options.labels_file));
  } else if (const auto names = engine.metadata().find("names"); names != engine.metadata().end()) {
    names_source = "names from the model's metadata";
    HONE_ASSIGN(labels, parse_labels(names->second).with_context("the model's metadata"));
  } else if (head.num_classes == kCocoClasses || head.num_classes == 0) {
    names_source = "COCO's names (guessed)";
    labels = coco_labels();
  }
  if (head.num_classes == 0 || labels.empty() || labels.size() == static_cast<size_t>(head.num_classes)) return {};
  const std::string counts =
      std::to_string(labels.size()) + " names for a model with " + std::to_string(head.num_classes) + " classes";
  if (!options.labels_file.empty()) return invalid_argument("'" + options.labels_file + "' has " + counts);
  if (options.engine.log) options.engine.log("warning: the model's metadata has " + counts);
  return {};
}

Result<Letterbox> Detector::State::plan(const ImageView& picture) const {
  HONE_ASSIGN(const Letterbox box, plan_letterbox(picture.width, picture.height, letterbox));
  const bool allowed = !range || (box.height >= range->min[2] && box.height <= range->max[2] &&
                                  box.width >= range->min[3] && box.width <= range->max[3]);
  if (allowed || letterbox.style != LetterboxStyle::kMinimal) return box;
  LetterboxOptions whole = letterbox;
  whole.style = LetterboxStyle::kCentred;
  return plan_letterbox(picture.width, picture.height, whole);
}

Status Detector::State::fill_input(std::span<const ImageView> pictures, std::span<const Letterbox> boxes) {
  const size_t count = 3 * static_cast<size_t>(boxes[0].height) * static_cast<size_t>(boxes[0].width);
  HONE_TRY(
      set_input(static_cast<int64_t>(facts.batch > 0 ? batch() : pictures.size()), boxes[0].height, boxes[0].width));
  for (size_t i = 0; i < pictures.size(); ++i) {
    HONE_ASSIGN(const Image padded, apply_letterbox(pictures[i], boxes[i], letterbox.pad_value));
    if (facts.dtype == DataType::kFloat32) {
      to_planes(padded.view(), head.normalization, {reinterpret_cast<float*>(input.mutable_data()) + i * count, count});
      continue;
    }
    planes.resize(count);
    to_planes(padded.view(), head.normalization, planes);
    std::copy(planes.begin(), planes.end(), reinterpret_cast<Half*>(input.mutable_data()) + i * count);
  }
  return {};
}

Result<std::vector<Floats>> Detector::State::read_outputs(std::vector<TensorView>& views) const {
  std::vector<Floats> outputs;
  for (const std::string& name : head.outputs) {
    HONE_ASSIGN(const TensorView view, context.output(name));
    HONE_ASSIGN(Floats floats, Floats::of(view).with_context("output '" + name + "'"));
    views.push_back(view);
    outputs.push_back(std::move(floats));
  }
  return outputs;
}

Status Detector::State::candidates(std::span<const TensorView> views, std::span<const Floats> outputs, size_t picture,
                                   const ScoreFilter& filter, std::vector<ScoredBox>& out) const {
  const size_t pictures = static_cast<size_t>(input.dims()[0]);
  const int height = static_cast<int>(input.dims()[2]), width = static_cast<int>(input.dims()[3]);
  const RowFormat format = {head.num_classes, head.family.starts_with("yolov7")};
  const auto part = [&](size_t output) { return part_of(outputs[output].values(), picture, pictures); };
  switch (head.form) {
    case HeadForm::kRows:
    case HeadForm::kYoloxDecoded: decode_rows(part(0), format, filter, out); return {};
    case HeadForm::kYolox: return decode_yolox(part(0), format, height, width, filter, out);
    case HeadForm::kSuppressedList: take_listed(outputs[0].values(), static_cast<int>(picture), filter, out); return {};
    case HeadForm::kSuppressed: {
      const int64_t count = part(0).empty() ? 0 : std::lround(std::clamp(part(0)[0], 0.0f, 1e6f));
      take_suppressed(count, part(1), part(2), part(3), filter, out);
      return {};
    }
    case HeadForm::kRawMaps: break;
  }
  for (size_t level = 0; level < outputs.size(); ++level) {
    RawMap map = {.rows = views[level].dims[2], .columns = views[level].dims[3], .anchors = head.anchors[level]};
    map.stride_x = static_cast<float>(width) / static_cast<float>(map.columns);
    map.stride_y = static_cast<float>(height) / static_cast<float>(map.rows);
    decode_raw_map(part(level), format, map, filter, out);
  }
  return {};
}

std::vector<Detection> Detector::State::finish(std::span<const ScoredBox> boxes, const Letterbox& where,
                                               const DetectOptions& call) const {
  NmsOptions nms;
  nms.max_kept = static_cast<size_t>(std::max(0, call.max_detections));
  nms.iou_threshold = suppressed() ? INFINITY : call.iou;
  nms.class_agnostic = call.class_agnostic.value_or(head.top_left);
  // YOLOX's published suppression counts both border pixels, in the picture's pixels.
  nms.extra = head.top_left ? static_cast<float>(where.scale) : 0;
  std::vector<Detection> found;
  for (const size_t i : suppress(boxes, nms)) {
    found.push_back(
        {where.to_picture(boxes[i].box), boxes[i].score, boxes[i].class_id, label_of(labels, boxes[i].class_id)});
  }
  return found;
}

// Runs the first pictures, as many as go together; says how many.
Result<size_t> Detector::State::detect_some(std::span<const ImageView> pictures, const DetectOptions& call,
                                            std::vector<std::vector<Detection>>& results) {
  Stopwatch watch;
  std::vector<Letterbox> boxes;
  while (boxes.size() < std::min(batch(), pictures.size())) {
    HONE_ASSIGN(const Letterbox box, plan(pictures[boxes.size()]));
    if (!boxes.empty() && (box.width != boxes[0].width || box.height != boxes[0].height)) break;
    boxes.push_back(box);
  }
  HONE_TRY(fill_input(pictures.first(boxes.size()), boxes));
  timing.pre_ms += watch.lap_ms();
  HONE_TRY(context.run());
  timing.infer_ms += watch.lap_ms();
  std::vector<TensorView> views;
  HONE_ASSIGN(const std::vector<Floats> outputs, read_outputs(views));
  const ScoreFilter filter = {call.confidence, call.classes};
  for (size_t i = 0; i < boxes.size(); ++i) {
    std::vector<ScoredBox> found;
    HONE_TRY(candidates(views, outputs, i, filter, found));
    results.push_back(finish(found, boxes[i], call));
  }
  timing.post_ms += watch.lap_ms();
  return boxes.size();
}

Detector::Detector(std::unique_ptr<State> state) : state_(std::move(state)) {}
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;
Detector::~Detector() = default;

Result<Detector> Detector::open(const std::string& model, const DetectorOptions& options) {
  HONE_ASSIGN(Engine engine, open_engine(model, options.engine));
  return from_engine(std::move(engine), options).with_context("model '" + model + "'");
}

Result<Detector> Detector::from_engine(Engine engine, const DetectorOptions& options) {
  HONE_ASSIGN(ExecutionContext context, engine.create_context());
  auto state = std::make_unique<State>(std::move(engine), std::move(context), options);
  HONE_TRY(state->set_up());
  return Detector(std::move(state));
}

Result<Detector> Detector::clone() const { return from_engine(state_->engine, state_->options); }

Result<std::vector<Detection>> Detector::detect(const ImageView& picture, const DetectOptions& options) {
  HONE_ASSIGN(auto lists, detect(std::span(&picture, 1), options));
  return std::move(lists[0]);
}

Result<std::vector<std::vector<Detection>>> Detector::detect(std::span<const ImageView> pictures,
                                                             const DetectOptions& options) {
  state_->timing = {};
  std::vector<std::vector<Detection>> results;
  while (results.size() < pictures.size()) {
    HONE_ASSIGN([[maybe_unused]] const size_t done,
                state_->detect_some(pictures.subspan(results.size()), options, results));
  }
  return results;
}

const DetectTiming& Detector::timing() const { return state_->timing; }

std::string Detector::description() const {
  const State& state = *state_;
  const LetterboxOptions& size = state.letterbox;
  std::string text(name_of(state.head.form));
  if (state.head.num_classes > 0) text += " with " + std::to_string(state.head.num_classes) + " classes";
  text += size.style == LetterboxStyle::kMinimal ? ", input within " : ", input ";
  return text + std::to_string(size.width) + " x " + std::to_string(size.height) + ", " + state.head.how + ", " +
         state.names_source;
}

const std::vector<std::string>& Detector::labels() const { return state_->labels; }
const Head& Detector::head() const { return state_->head; }
const Engine& Detector::engine() const { return state_->engine; }

}  // namespace hone
