// The detector on models made here, whose answers are known, and on a real one.
#include "pipelines/yolo/detector.h"

#include <gtest/gtest.h>

#include <fstream>

#include <nlohmann/json.hpp>

#include "pipelines/common/codec.h"
#include "support/data.h"
#include "support/engines.h"

namespace hone::test {
namespace {

constexpr int kHeight = 64, kWidth = 96;  // of the made models' input
constexpr int64_t kCells = 8 * 12 + 4 * 6 + 2 * 3;

Tensor floats(const std::vector<float>& values, std::initializer_list<int64_t> dims) {
  return Tensor::of<float>(std::span<const float>(values), Extents(dims));
}
Tensor ints(const std::vector<int32_t>& values, std::initializer_list<int64_t> dims) {
  return Tensor::of<int32_t>(std::span<const int32_t>(values), Extents(dims));
}

// A model that gives the same outputs whatever the picture.
Engine model_with(const std::vector<std::pair<std::string, Tensor>>& outputs, DataType input = DataType::kFloat32,
                  const std::vector<std::string>& dims = {"1", "3", "64", "96"}) {
  GraphMaker maker;
  maker.input("images", input, dims);
  for (const auto& [name, tensor] : outputs) maker.output(maker.constant(name, tensor));
  Result<Engine> engine = make_engine(maker.graph());
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  return *engine;
}

// Rows of nothing but the given ones.
Tensor rows_with(int64_t rows, int64_t columns, const std::vector<std::vector<float>>& given, int64_t batch = 1) {
  std::vector<float> values(static_cast<size_t>(batch * rows * columns));
  for (int64_t b = 0; b < batch; ++b) {
    for (size_t i = 0; i < given.size(); ++i) {
      std::copy(given[i].begin(), given[i].end(), values.begin() + (b * rows + static_cast<int64_t>(7 * i)) * columns);
    }
  }
  return floats(values, {batch, rows, columns});
}

// A box in the upper left, a rival of the same class, one of another class at the same place, a weak one elsewhere.
const std::vector<std::vector<float>> kRows = {
    {30, 24, 20, 10, 0.9f, 1.0f, 0.1f},
    {31, 24, 20, 10, 0.8f, 1.0f, 0.1f},
    {30, 25, 20, 10, 0.7f, 0.1f, 1.0f},
    {70, 40, 10, 10, 0.3f, 1.0f, 0.1f},
};

Detector detector_for(Engine engine, const DetectorOptions& options = {}) {
  Result<Detector> detector = Detector::from_engine(std::move(engine), options);
  EXPECT_TRUE(detector.ok()) << detector.status().message();
  return *std::move(detector);
}

std::vector<Detection> detect(Detector& detector, const Image& picture, const DetectOptions& options = {}) {
  Result<std::vector<Detection>> found = detector.detect(picture.view(), options);
  EXPECT_TRUE(found.ok()) << found.status().message();
  return *std::move(found);
}

void expect_box(const Box& box, const Box& expected, float tolerance = 1e-3f) {
  EXPECT_NEAR(box.x0, expected.x0, tolerance);
  EXPECT_NEAR(box.y0, expected.y0, tolerance);
  EXPECT_NEAR(box.x1, expected.x1, tolerance);
  EXPECT_NEAR(box.y1, expected.y1, tolerance);
}

TEST(DetectorOnRows, SuppressesMapsBackAndNames) {
  Detector detector = detector_for(model_with({{"output", rows_with(3 * kCells, 7, kRows)}}));
  // 192 x 96 pixels fit in 96 x 64 at half size, 8 rows of padding above and below.
  const Image picture = *Image::make(192, 96, 50);
  const std::vector<Detection> found = detect(detector, picture);
  ASSERT_EQ(found.size(), 3u);
  expect_box(found[0].box, {40, 22, 80, 42});
  EXPECT_FLOAT_EQ(found[0].score, 0.9f);
  EXPECT_EQ(found[0].class_id, 0);
  EXPECT_EQ(found[0].label, "class 0");
  EXPECT_EQ(found[1].class_id, 1);
  expect_box(found[2].box, {130, 54, 150, 74});
  EXPECT_GT(detector.timing().pre_ms, 0);
  EXPECT_NE(detector.description().find("yolov7 (guessed from 378 rows)"), std::string::npos) << detector.description();
}

TEST(DetectorOnRows, ObeysTheCallsOptions) {
  Detector detector = detector_for(model_with({{"output", rows_with(3 * kCells, 7, kRows)}}));
  const Image picture = *Image::make(96, 64, 50);
  EXPECT_EQ(detect(detector, picture, {.confidence = 0.5f}).size(), 2u);
  EXPECT_EQ(detect(detector, picture, {.iou = 0.99f}).size(), 4u);
  EXPECT_EQ(detect(detector, picture, {.max_detections = 1}).size(), 1u);
  EXPECT_EQ(detect(detector, picture, {.max_detections = -1}).size(), 0u);
  EXPECT_EQ(detect(detector, picture, {.classes = {1}}).size(), 1u);
  EXPECT_EQ(detect(detector, picture, {.classes = {5}}).size(), 0u);
  EXPECT_EQ(detect(detector, picture, {.class_agnostic = true}).size(), 2u);
}

TEST(DetectorOnRows, BoxesAreClippedToThePicture) {
  Detector detector = detector_for(model_with({{"output", rows_with(3 * kCells, 7, {{5, 5, 60, 60, 1, 1, 0}})}}));
  const Image picture = *Image::make(96, 64, 50);
  expect_box(detect(detector, picture)[0].box, {0, 0, 35, 35});
}

TEST(DetectorOnRows, HalfPrecisionModels) {
  std::vector<Half> halves;
  const Tensor rows = rows_with(3 * kCells, 7, kRows);
  for (const float value : rows.values<float>()) halves.emplace_back(value);
  const Tensor tensor = Tensor::of<Half>(std::span<const Half>(halves), rows.dims());
  Detector detector = detector_for(model_with({{"output", tensor}}, DataType::kFloat16));
  EXPECT_EQ(detect(detector, *Image::make(96, 64, 50)).size(), 3u);
}

TEST(DetectorOnRawMaps, NeedsAFamilyAndDecodes) {
  const auto map = [](int64_t rows, int64_t columns) {
    return floats(std::vector<float>(static_cast<size_t>(3 * rows * columns * 7), -9.0f), {1, 3, rows, columns, 7});
  };
  Tensor coarse = map(2, 3);
  // Anchor 0, row 1, column 1: the centre of the cell, twice the anchor's size halved by the square of 2 * 0.5.
  const float numbers[] = {0, 0, 0, 0, 9, 9, -9};
  std::copy(std::begin(numbers), std::end(numbers), reinterpret_cast<float*>(coarse.mutable_data()) + (1 * 3 + 1) * 7);
  const Engine engine = model_with({{"a", map(8, 12)}, {"b", map(4, 6)}, {"c", coarse}});
  const Result<Detector> unknown = Detector::from_engine(engine);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.status().code(), Code::kInvalidArgument);
  Detector detector = detector_for(engine, {.head = {.anchors = "9,9 9,9 9,9 9,9 9,9 9,9 16,24 9,9 9,9"}});
  const std::vector<Detection> found = detect(detector, *Image::make(96, 64, 50));
  ASSERT_EQ(found.size(), 1u);
  expect_box(found[0].box, {48 - 8, 48 - 12, 48 + 8, 48 + 12});
}

TEST(DetectorOnSuppressed, TakesWhatIsThere) {
  const Engine engine = model_with({{"num_dets", ints({2}, {1, 1})},
                                    {"det_boxes", floats({8, 8, 40, 40, 9, 8, 41, 40, 0, 0, 0, 0}, {1, 3, 4})},
                                    {"det_scores", floats({0.9f, 0.8f, 0.7f}, {1, 3})},
                                    {"det_classes", ints({17, 17, 0}, {1, 3})}});
  Detector detector = detector_for(engine);
  const std::vector<Detection> found = detect(detector, *Image::make(96, 64, 50));
  ASSERT_EQ(found.size(), 2u) << "boxes that overlap aren't suppressed a second time; the third isn't there";
  expect_box(found[1].box, {9, 8, 41, 40});
  EXPECT_EQ(found[0].label, "horse");
  EXPECT_EQ(detect(detector, *Image::make(96, 64, 50), {.confidence = 0.85f}).size(), 1u);
}

TEST(DetectorOnAList, EveryPictureGetsItsOwn) {
  const Tensor list = floats({1, 1,  2, 31, 32, 3, 0.8f,  //
                              0, 5,  6, 35, 36, 2, 0.7f,  //
                              1, 40, 2, 71, 32, 4, 0.9f},
                             {3, 7});
  Detector detector = detector_for(model_with({{"output", list}}, DataType::kFloat32, {"2", "3", "64", "96"}));
  const Image a = *Image::make(96, 64, 50), b = *Image::make(192, 128, 50);
  const std::vector<ImageView> pictures = {a.view(), b.view(), b.view()};
  const auto found = detector.detect(pictures);
  ASSERT_TRUE(found.ok()) << found.status().message();
  ASSERT_EQ(found->size(), 3u);
  ASSERT_EQ((*found)[0].size(), 1u);
  ASSERT_EQ((*found)[1].size(), 2u);
  EXPECT_EQ((*found)[1][0].class_id, 4);  // best first
  expect_box((*found)[1][1].box, {2, 4, 62, 64});
  ASSERT_EQ((*found)[2].size(), 1u);
  expect_box((*found)[2][0].box, {10, 12, 70, 72});
}

TEST(DetectorOnYolox, DecodesCells) {
  Tensor rows = rows_with(kCells, 7, {});
  const float numbers[] = {0.5f, 0.5f, 0, 0, 0.9f, 0.9f, 0};
  std::copy(std::begin(numbers), std::end(numbers),
            reinterpret_cast<float*>(rows.mutable_data()) + (96 + 6 * 1 + 2) * 7);
  Detector detector = detector_for(model_with({{"output", rows}}));
  const std::vector<Detection> found = detect(detector, *Image::make(48, 32, 50));  // scaled to twice its size
  ASSERT_EQ(found.size(), 1u);
  expect_box(found[0].box, {(40 - 8) / 2.0f, (24 - 8) / 2.0f, (40 + 8) / 2.0f, (24 + 8) / 2.0f});
}

// The mean of the picture is the objectness: what the model sees.
TEST(Detector, PreparesPixelsAsTheFamilyWants) {
  GraphMaker maker;
  Value* images = maker.input("images", DataType::kFloat32, {"1", "3", "64", "96"});
  Value* axes = maker.constant("axes", Tensor::vector<int64_t>({2, 3}));
  Value* mean = maker.node("ReduceMean", {images, axes}, "mean", {{"keepdims", int64_t{0}}});
  Value* shape = maker.constant("shape", Tensor::vector<int64_t>({1, 1, 3}));
  Value* colors = maker.node("Reshape", {mean, shape}, "colors");
  Value* front = maker.constant("front", floats({20, 20, 10, 10, 1}, {1, 1, 5}));
  Value* row = maker.node("Concat", {front, colors}, "row", {{"axis", int64_t{2}}});
  Value* repeats = maker.constant("repeats", Tensor::vector<int64_t>({1, 3 * kCells, 1}));
  maker.output(maker.node("Tile", {row, repeats}, "output"));
  const Engine engine = *make_engine(maker.graph());
  Image picture = *Image::make(96, 64);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 96; ++x) {
      picture.pixel(x, y)[0] = 102;
      picture.pixel(x, y)[1] = 51;
      picture.pixel(x, y)[2] = 153;
    }
  }
  Detector detector = detector_for(engine);
  std::vector<Detection> found = detect(detector, picture);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].class_id, 2);
  EXPECT_NEAR(found[0].score, 0.6f, 1e-5);
  Detector other = detector_for(engine, {.head = {.norm = "0-255", .bgr = true}});
  found = detect(other, picture);
  EXPECT_EQ(found[0].class_id, 0);
  EXPECT_NEAR(found[0].score, 153, 1e-3);
}

TEST(Detector, DynamicSizesGetTheSmallestRectangle) {
  GraphMaker maker;
  maker.input("images", DataType::kFloat32, {"b", "3", "h", "w"});
  Value* shape = maker.node("Shape", {maker.graph().inputs()[0]}, "shape");
  // One box whose corners are the input's size: centre 0, size 2 * (w, h).
  Value* order = maker.constant("order", Tensor::vector<int64_t>({3, 2}));
  Value* sides = maker.node("Gather", {shape, order}, "sides");
  Value* size = maker.node("Cast", {sides}, "size", {{"to", int64_t{1}}});
  Value* zeros = maker.constant("zeros", floats({0, 0, 0}, {3}));
  Value* tail = maker.constant("tail", floats({0, 0.9f}, {2}));
  Value* list = maker.node("Concat", {zeros, size, tail}, "list", {{"axis", int64_t{0}}});
  Value* target = maker.constant("target", Tensor::vector<int64_t>({1, 7}));
  maker.output(maker.node("Reshape", {list, target}, "output"));
  const Result<Engine> engine = make_engine(maker.graph());
  ASSERT_TRUE(engine.ok()) << engine.status().message();
  Detector detector = detector_for(*engine, {.width = 300, .height = 320});  // rounded up to 320
  // 640 x 200 becomes 320 x 100 within 320 x 128: the input's lower right corner lies below the picture.
  const Image picture = *Image::make(640, 200, 9);
  expect_box(detect(detector, picture)[0].box, {0, 0, 640, 200});
  EXPECT_NE(detector.description().find("within 320 x 320"), std::string::npos) << detector.description();
  const Image square = *Image::make(100, 100, 9);
  expect_box(detect(detector, square)[0].box, {0, 0, 100, 100});
}

TEST(Detector, ClonesWorkAlone) {
  Detector detector = detector_for(model_with({{"output", rows_with(3 * kCells, 7, kRows)}}));
  Result<Detector> clone = detector.clone();
  ASSERT_TRUE(clone.ok()) << clone.status().message();
  const Image picture = *Image::make(96, 64, 50);
  EXPECT_EQ(detect(*clone, picture).size(), detect(detector, picture).size());
}

TEST(Detector, RefusesWhatItCannotUse) {
  const Tensor rows = rows_with(3 * kCells, 7, kRows);
  const auto error = [](Engine engine, const DetectorOptions& options = {}) {
    const Result<Detector> detector = Detector::from_engine(std::move(engine), options);
    EXPECT_FALSE(detector.ok());
    return detector.ok() ? "" : detector.status().message();
  };
  EXPECT_NE(error(model_with({{"output", rows}}, DataType::kFloat32, {"1", "64", "96", "3"})).find("channels first"),
            std::string::npos);
  EXPECT_NE(error(model_with({{"output", rows}}, DataType::kUint8)).find("float32"), std::string::npos);
  error(model_with({{"output", rows}}), {.batch = 0});
  error(model_with({{"output", rows}}), {.width = -5});
  error(model_with({{"output", rows}}), {.labels_file = "/nowhere/names.txt"});
  GraphMaker two;
  two.input("a", DataType::kFloat32, {"1", "3", "64", "96"});
  two.input("b", DataType::kFloat32, {"1", "3", "64", "96"});
  two.output(two.constant("output", rows));
  EXPECT_NE(error(*make_engine(two.graph())).find("one input"), std::string::npos);
  Detector detector = detector_for(model_with({{"output", rows}}));
  EXPECT_FALSE(detector.detect(ImageView{}).ok());
  EXPECT_TRUE(detector.detect(std::span<const ImageView>{}).ok());
}

float overlap(const nlohmann::json& expected, const Box& found, const Image& picture) {
  const auto clip = [](float value, int limit) { return std::clamp(value, 0.0f, static_cast<float>(limit)); };
  return iou({clip(expected[0], picture.width()), clip(expected[1], picture.height()),
              clip(expected[2], picture.width()), clip(expected[3], picture.height())},
             found);
}

// yolox_nano_boxes.json: what ONNX Runtime and YOLOX's published steps find (scripts/golden_yolox.py).
TEST(DetectorOnRealPictures, FindsWhatYoloxFinds) {
  const auto data = data_folder();
  if (!data) GTEST_SKIP() << "there is no data folder (HONE_DATA)";
  DetectorOptions options;
  options.engine.use_cache = false;
  options.engine.tune = false;
  Result<Detector> detector = Detector::open(*data / "models" / "yolox_nano.onnx", options);
  ASSERT_TRUE(detector.ok()) << detector.status().message();
  std::ifstream file(HONE_SOURCE_DIR "/tests/models/yolox_nano_boxes.json");
  const nlohmann::json golden = nlohmann::json::parse(file);
  for (const nlohmann::json& expected : golden["images"]) {
    const std::string name = expected["image"];
    const Result<Image> picture = load_image(*data / "images" / name);
    ASSERT_TRUE(picture.ok()) << picture.status().message();
    const std::vector<Detection> found =
        detect(*detector, *picture, {.confidence = golden["score"], .iou = golden["nms"]});
    ASSERT_EQ(found.size(), expected["boxes"].size()) << name;
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].class_id, expected["classes"][i]) << name;
      EXPECT_NEAR(found[i].score, static_cast<float>(expected["scores"][i]), 0.01f) << name;
      EXPECT_GT(overlap(expected["boxes"][i], found[i].box, *picture), 0.98f) << name;
    }
  }
}

}  // namespace
}  // namespace hone::test
