// What run() allocates once its shapes were seen: nothing of ours, ever; nothing at all where no kernel calls oneDNN.
#include <gtest/gtest.h>

#include <cmath>

#include "hone/builder.h"
#include "onnx/test_model.h"
#include "ops/op_list.h"
#include "plan/engine_file.h"
#include "support/alloc_counter.h"
#include "support/data.h"
#include "support/tensors.h"

namespace hone::test {
namespace {

using Inputs = std::map<std::string, Tensor>;

// The data folder's input arrays of a model; none without the folder.
Inputs inputs_of(const std::string& model) {
  Inputs inputs;
  const auto folder = data_folder();
  if (!folder) return inputs;
  for (const auto& [name, tensor] : read_arrays(*folder / "models" / (model + ".npz"))) {
    if (name.starts_with("in__")) inputs.emplace(name.substr(4), tensor);
  }
  return inputs;
}

// Convolutions plain, grouped and strided, one of a row of channels, a transposed one, a pool, and a product at the
// end.
std::string convolution_model() {
  using namespace onnx::test;
  Random random(3);
  onnx::test::TestModel model;
  const auto weights = [&](const std::string& name, const std::vector<int64_t>& dims) {
    std::vector<float> values(static_cast<size_t>(count_of(dims)));
    for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
    model.graph.initializers.push_back(floats(name, dims, values));
  };
  const auto add = [&](const std::string& op, const std::vector<std::string>& inputs, const std::string& output,
                       const std::vector<Message>& attributes = {}) {
    model.graph.nodes.push_back(node(op, inputs, {output}, attributes));
  };
  const auto same = attr("pads", std::vector<int64_t>{1, 1, 1, 1});
  weights("w0", {32, 3, 3, 3});
  weights("b0", {32});
  weights("w1", {32, 1, 3, 3});
  weights("w2", {48, 32, 1, 1});
  weights("w3", {48, 16, 2, 2});
  weights("w4", {16, 10});
  add("Conv", {"x", "w0", "b0"}, "c0", {same});
  add("Relu", {"c0"}, "r0");
  add("Conv", {"r0", "w1"}, "c1", {same, attr("group", 32), attr("strides", std::vector<int64_t>{2, 2})});
  add("Conv", {"c1", "w2"}, "c2");
  add("ConvTranspose", {"c2", "w3"}, "c3", {attr("strides", std::vector<int64_t>{2, 2})});
  add("GlobalAveragePool", {"c3"}, "p");
  add("Flatten", {"p"}, "f");
  add("MatMul", {"f", "w4"}, "y");
  model.graph.inputs = {value("x", {1, 3, 40, 48})};
  model.graph.outputs = {untyped("y")};
  return model.bytes();
}

Engine load(const Result<BuiltEngine>& built) {
  EXPECT_TRUE(built.ok()) << built.status().message();
  if (!built.ok()) std::abort();
  Result<Engine> engine = Engine::from_bytes(built->bytes);
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  if (!engine.ok()) std::abort();
  return *std::move(engine);
}

BuildOptions tuned_for(const Inputs& inputs) {
  BuildOptions options;
  ShapeProfile profile;
  for (const auto& [name, tensor] : inputs) {
    const std::vector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
    profile[name] = {dims, dims, dims};
  }
  options.profiles.push_back(profile);
  return options;
}

struct Counts {
  int64_t all = 0, of_onednn = 0, unfreed = 0;
};

// Of one run, after `before` others.
Counts count_run(ExecutionContext& context, int before) {
  for (int i = 0; i < before; ++i) EXPECT_TRUE(context.run().ok());
  Status status;
  Counts counts;
  {
    const AllocationScope scope("libdnnl");
    status = context.run();
    counts = {scope.count(), scope.from_library(), scope.unfreed()};
  }
  EXPECT_TRUE(status.ok()) << status.message();
  return counts;
}

ExecutionContext context_for(const Engine& engine, const Inputs& inputs) {
  ExecutionContext context = *engine.create_context();
  for (const auto& [name, tensor] : inputs) EXPECT_TRUE(context.set_tensor(name, tensor.view()).ok());
  EXPECT_TRUE(context.prepare().ok());
  return context;
}

std::span<const std::byte> as_bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

Inputs random_image() {
  Random random(5);
  return {{"x", uniform(-1, 1)(DataType::kFloat32, {1, 3, 40, 48}, random)}};
}

// Three independent dynamic dimensions, open shapes.
TEST(Allocations, NoneInAnyShapeKernels) {
  const Inputs inputs = inputs_of("dsvt_two_blocks");
  if (inputs.empty()) GTEST_SKIP() << "no data folder: set HONE_DATA";
  for (const char* device : {"reference", "cpu"}) {
    BuildOptions options;
    options.device = device;
    options.tune = false;
    const Engine engine = load(build_engine(*data_folder() / "models/dsvt_two_blocks.onnx", options));
    ExecutionContext context = context_for(engine, inputs);
    EXPECT_EQ(count_run(context, 0).all, 0) << device;
  }
}

TEST(Allocations, NoneInTunedDsvt) {
  const Inputs inputs = inputs_of("dsvt_two_blocks");
  if (inputs.empty()) GTEST_SKIP() << "no data folder: set HONE_DATA";
  const Engine engine = load(build_engine(*data_folder() / "models/dsvt_two_blocks.onnx", tuned_for(inputs)));
  ExecutionContext context = context_for(engine, inputs);
  EXPECT_EQ(count_run(context, 1).all, 0);
}

// oneDNN's convolutions allocate in every execution: a few blocks for their arguments, in its plain convolution also
// buffers for each thread.
void expect_only_onednn(const Engine& engine, const Inputs& inputs) {
  if (!AllocationFailure::available()) GTEST_SKIP() << "callers aren't known under sanitizers";
  ExecutionContext context = context_for(engine, inputs);
  const Counts second = count_run(context, 1), later = count_run(context, 5);
  EXPECT_EQ(second.all, second.of_onednn);
  EXPECT_EQ(second.unfreed, 0);
  EXPECT_EQ(later.all, second.all);
  EXPECT_EQ(later.unfreed, 0);
}

TEST(Allocations, OnlyInsideOneDnnInTunedConvolutions) {
  const std::string model = convolution_model();
  expect_only_onednn(load(build_engine(as_bytes(model), "", {})), random_image());
}

TEST(Allocations, OnlyInsideOneDnnInTunedYolox) {
  const Inputs inputs = inputs_of("yolox_nano");
  if (inputs.empty()) GTEST_SKIP() << "no data folder: set HONE_DATA";
  expect_only_onednn(load(build_engine(*data_folder() / "models/yolox_nano.onnx", tuned_for(inputs))), inputs);
}

TEST(Allocations, NoneWhereTheBuildForbidsThem) {
  const std::string model = convolution_model();
  BuildOptions options;
  options.allocation_free_run = true;
  const Result<BuiltEngine> built = build_engine(as_bytes(model), "", options);
  ASSERT_TRUE(built.ok()) << built.status().message();
  EXPECT_NE(built->report.json.find("its run allocates memory inside a library"), std::string::npos);
  ExecutionContext context = context_for(load(built), random_image());
  EXPECT_EQ(count_run(context, 1).all, 0);
  for (const char* name : {"dsvt_two_blocks", "yolox_nano"}) {
    const Inputs inputs = inputs_of(name);
    if (inputs.empty()) continue;
    BuildOptions of_model = tuned_for(inputs);
    of_model.allocation_free_run = true;
    const Engine engine = load(build_engine(*data_folder() / "models" / (std::string(name) + ".onnx"), of_model));
    ExecutionContext other = context_for(engine, inputs);
    EXPECT_EQ(count_run(other, 1).all, 0) << name;
  }
}

// On another machine, where the engine is compiled from its portable part, the promise stays.
TEST(Allocations, TheBanTravelsWithTheEngine) {
  const std::string model = convolution_model();
  BuildOptions options;
  options.allocation_free_run = true;
  const Result<BuiltEngine> built = build_engine(as_bytes(model), "", options);
  ASSERT_TRUE(built.ok()) << built.status().message();
  Result<LoadedImage> loaded = parse_engine(built->bytes, nullptr, make_op);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  loaded->image.tuned[0].target = DeviceInfo{.backend = "cuda", .name = "GPU", .isa = "sm_90"};
  const Result<std::vector<std::byte>> foreign = serialize_engine(loaded->image);
  ASSERT_TRUE(foreign.ok()) << foreign.status().message();
  Result<Engine> engine = load_engine(*foreign);
  ASSERT_TRUE(engine.ok()) << engine.status().message();
  ExecutionContext context = context_for(*engine, random_image());
  EXPECT_EQ(count_run(context, 1).all, 0);
}

// Both builds give the same answer.
TEST(Allocations, ForbiddingThemChangesNoResult) {
  const std::string model = convolution_model();
  BuildOptions options;
  const auto free_of_choice = load(build_engine(as_bytes(model), "", options)).create_context()->run(random_image());
  options.allocation_free_run = true;
  const auto restricted = load(build_engine(as_bytes(model), "", options)).create_context()->run(random_image());
  ASSERT_TRUE(free_of_choice.ok() && restricted.ok());
  const std::vector<double> a = to_doubles(free_of_choice->at("y")), b = to_doubles(restricted->at("y"));
  ASSERT_EQ(a.size(), 10u);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-3 * (std::abs(a[i]) + 1));
}

}  // namespace
}  // namespace hone::test
