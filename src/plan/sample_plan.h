// A small plan with everything that the file holds, for this folder's tests.
#pragma once

#include "hone/op.h"
#include "plan/engine_file.h"
#include "plan/plan.h"

namespace hone::test {

// Operators of the tests' own, so that they stand on no other folder's.

// Same shape; has an attribute of every kind.
struct Decorated final : OpBase<Decorated> {
  static constexpr const char* kName = "Decorated";
  int64_t number = 0;
  float real = 0;
  std::string text;
  Ints numbers;
  Floats reals;
  Strings texts;
  Tensor tensor, words;
  static void attributes(auto& self, auto& v) {
    v("number", self.number);
    v("real", self.real);
    v("text", self.text);
    v("numbers", self.numbers);
    v("reals", self.reals);
    v("texts", self.texts);
    v("tensor", self.tensor);
    v("words", self.words);
  }
  Status infer(InferContext& ctx) const override {
    HONE_TRY(ctx.expect_inputs(1, 1));
    ctx.set_output(0, ctx.input(0));
    return {};
  }
};

// [a, b, ...] -> [a*b*...].
struct Flat final : OpBase<Flat> {
  static constexpr const char* kName = "Flat";
  Status infer(InferContext& ctx) const override {
    HONE_TRY(ctx.expect_inputs(1, 1));
    ctx.set_output(0, ctx.dtype(0), {element_count(ctx.shape(0))});
    return {};
  }
};

// (data, sizes: int64[k]) -> float32 of the shape that `sizes` holds.
struct Fill final : OpBase<Fill> {
  static constexpr const char* kName = "Fill";
  Status infer(InferContext& ctx) const override {
    HONE_TRY(ctx.expect_inputs(2, 2));
    const std::optional<std::vector<Dim>> sizes = ctx.elements(1);
    if (!sizes) return unsupported("needs the number of sizes");
    Shape shape;
    for (const Dim& size : *sizes) shape.push_back(max(size, 0));
    ctx.set_output(0, DataType::kFloat32, std::move(shape));
    return {};
  }
};

// int64[1] -> int64[1], host arithmetic.
struct Twice final : OpBase<Twice> {
  static constexpr const char* kName = "Twice";
  Status infer(InferContext& ctx) const override {
    HONE_TRY(ctx.expect_inputs(1, 1));
    ctx.set_output(0, ctx.input(0));
    return {};
  }
};

// x -> (the positive elements of x: counted, a half of all: resolved later).
struct Select final : OpBase<Select> {
  static constexpr const char* kName = "Select";
  Status infer(InferContext& ctx) const override {
    HONE_TRY(ctx.expect_inputs(1, 1));
    ctx.set_output(0, ctx.dtype(0), {ctx.counted(element_count(ctx.shape(0)), "kept")});
    ctx.set_output(1, ctx.dtype(0), {ctx.resolved_later("half")});
    return {};
  }
};

inline std::unique_ptr<Op> make_test_op(std::string_view name) {
  if (name == Decorated::kName) return std::make_unique<Decorated>();
  if (name == Flat::kName) return std::make_unique<Flat>();
  if (name == Fill::kName) return std::make_unique<Fill>();
  if (name == Twice::kName) return std::make_unique<Twice>();
  if (name == Select::kName) return std::make_unique<Select>();
  return nullptr;
}

template <class T>
OpPtr test_op() {
  return std::make_shared<T>();
}

inline OpPtr decorated_op() {
  auto op = std::make_shared<Decorated>();
  op->number = -7;
  op->real = 1.5F;
  op->text = "caf\xc3\xa9";
  op->numbers = {1, -2, INT64_MAX};
  op->reals = {0.25F, -3};
  op->texts = {"", "b"};
  op->tensor = Tensor::vector<float>({1, 2, 3});
  op->words = Tensor::of_strings({2}, {"x", "yz"});
  return op;
}

inline std::shared_ptr<const Body> sample_body() {
  Body body{.num_inputs = 1, .constants = {Tensor::vector<int32_t>({4, 5})}, .steps = {}, .results = {3}};
  const Dim n = Dim::symbol(0, true);
  body.steps.push_back({test_op<Decorated>(), {0}, {{DataType::kFloat32, {n, 3}}}});
  body.steps.push_back({decorated_op(), {2}, {{DataType::kFloat32, {n, 3}}}});
  return std::make_shared<const Body>(std::move(body));
}

// Values: 0 x, 1 sizes, 2 scale (constant), 3 doubled, 4 decorated, 5 flat (view of 4), 6 filled, 7 kept, 8 half.
// Symbols: N of x; H = doubled[0]; K kept, counted; M half, resolved.
inline Plan sample_plan() {
  using StorageKind = PlanStorage::Kind;
  using SymbolKind = PlanSymbol::Kind;
  const Dim n = Dim::symbol(0, true), h = Dim::symbol(1, false), k = Dim::symbol(2, true), m = Dim::symbol(3, true);
  const auto f32 = DataType::kFloat32, i64 = DataType::kInt64;
  Plan plan;
  plan.profile.inputs["x"] = {{1, 4, 16}, {3, 3, 3}};
  plan.profile.values["sizes"] = {{-1, 2, 9}};
  plan.symbols = {{"N", SymbolKind::kInputDim, 0, 0, 0},
                  {"H", SymbolKind::kHostValue, 3, 0, 0},
                  {"K", SymbolKind::kCounted, 7, 0, n * 3},
                  {"M", SymbolKind::kResolved, 8, 0, 0}};
  plan.storages = {{StorageKind::kInput, 0, n * 12},  {StorageKind::kInput, 1, 8},
                   {StorageKind::kConstant, 1, 8},    {StorageKind::kArena, 0, 8},
                   {StorageKind::kArena, 0, n * 12},  {StorageKind::kOutput, 2, max(h, 0) * 4},
                   {StorageKind::kOutput, 3, n * 12}, {StorageKind::kArena, 0, m * 4}};
  plan.values = {
      {"x", {f32, {n, 3}}, 0, 0},           {"sizes", {i64, {1}}, 1, 0},        {"scale", {f32, {2}}, 2, 0},
      {"doubled", {i64, {1}}, 3, 0},        {"decorated", {f32, {n, 3}}, 4, 0}, {"flat", {f32, {n * 3}}, 4, 0},
      {"filled", {f32, {max(h, 0)}}, 5, 0}, {"kept", {f32, {k}}, 6, 0},         {"half", {f32, {m}}, 7, 0}};
  plan.bindings = {{"x", true, 0, false},
                   {"sizes", true, 1, true},
                   {"filled", false, 6, false},
                   {"kept", false, 7, false},
                   {"half", false, 8, false}};
  const Config config = {std::byte{1}, std::byte{2}};
  plan.steps = {
      {.name = "twice",
       .stage = Step::Stage::kShape,
       .op = test_op<Twice>(),
       .inputs = {1},
       .outputs = {3},
       .backend = "reference",
       .kernel = "Twice",
       .kernel_version = 1},
      {.name = "fused",
       .op = decorated_op(),
       .body = sample_body(),
       .inputs = {0},
       .outputs = {4},
       .backend = "cpu",
       .kernel = "cpu.body",
       .kernel_version = 3,
       .config = config,
       .requirements = {{DimRequirement::Kind::kBroadcastable, n, floor_div(n + 1, 2)}}},
      {.name = "view", .op = test_op<Flat>(), .inputs = {4}, .outputs = {5}},
      {.name = "fill",
       .op = test_op<Fill>(),
       .inputs = {2, 3},
       .outputs = {6},
       .backend = "reference",
       .kernel = "Fill",
       .kernel_version = 1},
      {.name = "select",
       .op = test_op<Select>(),
       .inputs = {5},
       .outputs = {7, 8},
       .backend = "reference",
       .kernel = "Select",
       .kernel_version = 1,
       .resolved = {3},
       .counted = {2}},
  };
  plan.tuning = {{1, "cpu.body", 12.5F, 1e-7F, ""}, {1, "cpu.other", 0, 0, "wants rank 4"}};
  return plan;
}

inline std::vector<WeightBlock> sample_blocks() { return {{0, 4}, {64, 8}}; }

// Weights are borrowed from `weights`, 72 bytes.
inline EngineImage sample_image(std::span<const std::byte> weights) {
  EngineImage image;
  image.metadata = {{"hone.version", "0.1.0"}, {"names", "{0: 'person'}"}};
  image.graph_text = "graph text\nof two lines\n";
  image.weight_blocks = sample_blocks();
  image.weights = weights;
  image.tuned.push_back({{"cpu", "Some CPU", "avx2", 2, int64_t{1} << 33}, {sample_plan(), sample_plan()}});
  image.tuned.push_back({{"reference", "", "", 1, 0}, {sample_plan()}});
  return image;
}

}  // namespace hone::test
