// Lowering and running of small graphs: views, shape stages, profiles, buffers, threads.
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "hone/file.h"
#include "support/alloc_counter.h"
#include "support/engines.h"
#include "support/tensors.h"

namespace hone::test {
namespace {

Engine must_make(Graph& graph, const EngineRecipe& recipe = {}) {
  Result<Engine> engine = make_engine(graph, recipe);
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  if (!engine.ok()) std::abort();
  return *std::move(engine);
}

// y = Reshape(x + b, [-1]), with x [N,3].
GraphMaker add_and_flatten() {
  GraphMaker maker;
  Value* x = maker.input("x", DataType::kFloat32, {"N", "3"});
  Value* b = maker.constant("b", tensor<float>({3}, {1, 2, 3}));
  Value* sum = maker.node("Add", {x, b}, "sum");
  maker.output(maker.node("Reshape", {sum, maker.constant("flat", tensor<int64_t>({1}, {-1}))}, "y"));
  return maker;
}

TEST(Runtime, RunsAtEveryShapeOfAnOpenPlan) {
  GraphMaker maker = add_and_flatten();
  const Engine engine = must_make(maker.graph());
  Result<ExecutionContext> context = engine.create_context();
  ASSERT_TRUE(context.ok());
  for (const int64_t n : {2, 5, 0, 1}) {
    Random random(1);
    const Tensor x = mixed(DataType::kFloat32, Extents{n, 3}, random);
    auto outputs = context->run({{"x", x}});
    ASSERT_TRUE(outputs.ok()) << outputs.status().message();
    const Tensor& y = outputs->at("y");
    ASSERT_EQ(y.dims(), Extents({n * 3}));
    for (int64_t i = 0; i < n * 3; ++i) EXPECT_EQ(y.values<float>()[i], x.values<float>()[i] + float(i % 3 + 1));
  }
}

TEST(Runtime, WritesIntoTheCallersBufferAndReadsFromIt) {
  GraphMaker maker = add_and_flatten();
  const Engine engine = must_make(maker.graph());
  ExecutionContext context = *engine.create_context();
  std::vector<float> x = {1, 2, 3, 4, 5, 6}, y(7, -1);
  ASSERT_TRUE(context.set_tensor("x", {reinterpret_cast<std::byte*>(x.data()), DataType::kFloat32, {2, 3}}).ok());
  ASSERT_TRUE(context.set_tensor("y", {reinterpret_cast<std::byte*>(y.data()), DataType::kFloat32, {7}}).ok());
  ASSERT_TRUE(context.run().ok());
  EXPECT_EQ(y, (std::vector<float>{2, 4, 6, 5, 7, 9, -1}));
  EXPECT_EQ(context.output("y")->data, reinterpret_cast<std::byte*>(y.data()));
  ASSERT_TRUE(context.set_tensor("y", {reinterpret_cast<std::byte*>(y.data()), DataType::kFloat32, {5}}).ok());
  const Status small = context.run();
  EXPECT_EQ(small.code(), Code::kInvalidArgument);
  EXPECT_NE(small.message().find("'y' has room for 20 bytes, the result needs 24"), std::string::npos)
      << small.message();
}

TEST(Runtime, AnEngineHoldsTheFileItCameFrom) {
  GraphMaker maker = add_and_flatten();
  const Result<std::vector<std::byte>> file = engine_bytes(maker.graph());
  ASSERT_TRUE(file.ok()) << file.status().message();
  const std::string path = (std::filesystem::temp_directory_path() / "runtime_test.hone").string();
  ASSERT_TRUE(write_file_atomically(path, *file).ok());
  for (const Result<Engine>& engine : {Engine::from_bytes(*file), Engine::load(path)}) {
    ASSERT_TRUE(engine.ok()) << engine.status().message();
    EXPECT_TRUE(std::equal(engine->bytes().begin(), engine->bytes().end(), file->begin(), file->end()));
  }
  std::filesystem::remove(path);
}

TEST(Runtime, AllocatesNothingOnceShapesAreSet) {
  GraphMaker maker = add_and_flatten();
  const Engine engine = must_make(maker.graph());
  ExecutionContext context = *engine.create_context();
  std::vector<float> x(300, 1);
  ASSERT_TRUE(context.set_tensor("x", {reinterpret_cast<std::byte*>(x.data()), DataType::kFloat32, {100, 3}}).ok());
  ASSERT_TRUE(context.prepare().ok());
  Status status;
  int64_t count = 0;
  {
    const AllocationScope scope;
    for (int i = 0; i < 10; ++i) status = context.run();
    count = scope.count();
  }
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(count, 0);
}

// y = x reshaped to a target that arrives at run time.
TEST(Runtime, InputsThatDecideShapesAreSetBeforeTheRun) {
  GraphMaker maker;
  Value* x = maker.input("x", DataType::kFloat32, {"6"});
  Value* target = maker.input("target", DataType::kInt64, {"2"});
  maker.output(maker.node("Reshape", {maker.node("Neg", {x}, "n"), target}, "y"));
  const Engine engine = must_make(maker.graph());
  ASSERT_TRUE(engine.find_binding("target")->is_shape_value);
  EXPECT_EQ(engine.find_binding("y")->shape, (std::vector<int64_t>{-1, -1}));
  ExecutionContext context = *engine.create_context();
  EXPECT_EQ(context.missing_inputs(), std::vector<std::string>{"target"});
  const Tensor data = tensor<float>({6}, {1, 2, 3, 4, 5, 6});
  for (const auto& dims : {Extents{2, 3}, Extents{3, 2}, Extents{6, 1}}) {
    const Tensor value = Tensor::of<int64_t>(dims, Extents{2});
    auto outputs = context.run({{"x", data}, {"target", value}});
    ASSERT_TRUE(outputs.ok()) << outputs.status().message();
    EXPECT_EQ(outputs->at("y").dims(), dims);
  }
  const Status wrong = context.run({{"x", data}, {"target", tensor<int64_t>({2}, {4, 2})}}).status();
  EXPECT_EQ(wrong.code(), Code::kInvalidArgument);
  EXPECT_NE(wrong.message().find("in node 'y' (Reshape)"), std::string::npos) << wrong.message();
}

// Shape arithmetic in the graph: y = Reshape(x, [Shape(x)[0] * 2, -1]).
TEST(Runtime, ShapeArithmeticRunsWhenShapesAreSet) {
  GraphMaker maker;
  Value* x = maker.input("x", DataType::kFloat32, {"N", "M"});
  Value* shape = maker.node("Shape", {maker.node("Neg", {x}, "n")}, "shape");
  Value* rows = maker.node("Gather", {shape, maker.constant("zero", tensor<int64_t>({1}, {0}))}, "rows");
  Value* twice = maker.node("Mul", {rows, maker.constant("two", tensor<int64_t>({1}, {2}))}, "twice");
  Value* target = maker.node("Concat", {twice, maker.constant("rest", tensor<int64_t>({1}, {-1}))}, "target",
                             {{"axis", int64_t{0}}});
  maker.output(maker.node("Reshape", {x, target}, "y"));
  const Engine engine = must_make(maker.graph());
  EXPECT_FALSE(engine.find_binding("x")->is_shape_value);
  EXPECT_EQ(engine.find_binding("y")->dim_names[0], "2*N");
  for (const LayerInfo& layer : engine.layers()) {
    const bool on_data = layer.op == "Neg" || layer.op == "Reshape" || layer.op == "Identity";
    EXPECT_EQ(layer.shape_stage, !on_data) << layer.op;
  }
  ExecutionContext context = *engine.create_context();
  Random random(3);
  auto outputs = context.run({{"x", mixed(DataType::kFloat32, Extents{3, 4}, random)}});
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  EXPECT_EQ(outputs->at("y").dims(), Extents({6, 2}));
}

TEST(Runtime, AnOutputThatIsAnInputAConstantOrAnotherOutputIsCopied) {
  GraphMaker maker;
  Value* x = maker.input("x", DataType::kFloat32, {"2"});
  Value* y = maker.node("Neg", {x}, "y");
  maker.output(x, "same");
  maker.output(y);
  maker.output(y, "again");
  maker.output(maker.constant("c", tensor<float>({1}, {5})));
  const Engine engine = must_make(maker.graph());
  ExecutionContext context = *engine.create_context();
  auto outputs = context.run({{"x", tensor<float>({2}, {1, -2})}});
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  EXPECT_TRUE(tensors_identical(outputs->at("same"), tensor<float>({2}, {1, -2})));
  EXPECT_TRUE(tensors_identical(outputs->at("y"), tensor<float>({2}, {-1, 2})));
  EXPECT_TRUE(tensors_identical(outputs->at("again"), tensor<float>({2}, {-1, 2})));
  EXPECT_TRUE(tensors_identical(outputs->at("c"), tensor<float>({1}, {5})));
}

TEST(Runtime, ErrorsNameTheBindingAndWhatIsAllowed) {
  GraphMaker maker = add_and_flatten();
  Profile small;
  small.inputs["x"] = {{1, 2, 4}, {3, 3, 3}};
  const Engine engine = must_make(maker.graph(), {.profiles = {small}});
  ExecutionContext context = *engine.create_context();
  const auto message = [](const Status& status) { return status.message(); };
  EXPECT_EQ(message(context.set_input_shape("z", Extents{1, 3})), "there is no input named 'z'; there are 'x'");
  EXPECT_EQ(message(context.set_input_shape("x", Extents{3})), "input 'x' has rank 2, the shape given is [3]");
  EXPECT_EQ(message(context.set_input_shape("x", Extents{1, 4})), "input 'x': dimension 1 is 4, expected 3");
  EXPECT_EQ(message(context.set_tensor("x", tensor<int32_t>({1, 3}, {1, 2, 3}).view())),
            "'x' has elements of float32, the tensor given has int32");
  std::vector<std::byte> bytes(64);
  EXPECT_EQ(message(context.set_tensor("x", {bytes.data() + 1, DataType::kFloat32, {1, 3}})),
            "the address given for 'x' isn't aligned to its 4-byte elements");
  EXPECT_EQ(message(context.run()), "the shape of input 'x' isn't set: call set_input_shape()");
  ASSERT_TRUE(context.set_input_shape("x", Extents{5, 3}).ok());
  EXPECT_EQ(message(context.prepare()), "input 'x': dimension 0 is 5, profile 0 allows 1 to 4");
  ASSERT_TRUE(context.set_input_shape("x", Extents{4, 3}).ok());
  EXPECT_EQ(message(context.run()), "input 'x' has no data: call set_tensor()");
  EXPECT_EQ(message(context.output("y").status()), "there are no results: call run()");
  EXPECT_EQ(engine.profile_range(0, "x")->max, (std::vector<int64_t>{4, 3}));
}

// A rewrite may put one value in the place of another whose shape it couldn't compare; the reader remembers.
TEST(Runtime, WhatRewritesAssumedOfShapesIsChecked) {
  GraphMaker maker;
  Value* x = maker.input("x", DataType::kFloat32, {"N"});
  Value* y = maker.input("y", DataType::kFloat32, {"M"});
  Value* negative = maker.node("Neg", {x}, "negative");
  Value* positive = maker.node("Abs", {y}, "positive");
  maker.output(maker.node("Exp", {negative}, "z"));
  {
    GraphEditor editor(maker.graph());
    ASSERT_TRUE(editor.replace(negative, positive).ok());
    editor.finish();
  }
  const Engine engine = must_make(maker.graph());
  ExecutionContext context = *engine.create_context();
  const Tensor two = tensor<float>({2}, {1, 2}), three = tensor<float>({3}, {1, 2, 3});
  EXPECT_TRUE(context.run({{"x", two}, {"y", two}}).ok());
  const Status status = context.run({{"x", two}, {"y", three}}).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_NE(status.message().find("in node 'z' (Exp)"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("they must be equal"), std::string::npos) << status.message();
}

TEST(Runtime, ThreadsShareAnEngineAndGetTheSameBits) {
  GraphMaker maker = add_and_flatten();
  const Engine engine = must_make(maker.graph());
  Random random(5);
  const Tensor x = mixed(DataType::kFloat32, Extents{1000, 3}, random);
  ExecutionContext serial = *engine.create_context();
  const Tensor expected = serial.run({{"x", x}})->at("y");
  std::vector<std::thread> threads;
  std::atomic<int> equal = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      ExecutionContext context = *engine.create_context();
      for (int i = 0; i < 20; ++i) {
        auto outputs = context.run({{"x", x}});
        if (outputs.ok() && tensors_identical(outputs->at("y"), expected)) ++equal;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, 80);
}

// The count is the last axis: what the kernel filled with the bound's strides is moved together.
TEST(Runtime, CountedInnerDimensionsAreMovedTogether) {
  GraphMaker maker;
  Value* x = maker.input("x", DataType::kFloat32, {"2", "3"});
  maker.output(maker.node("NonZero", {x}, "where"));
  const Engine engine = must_make(maker.graph());
  ExecutionContext context = *engine.create_context();
  for (int run = 0; run < 2; ++run) {
    auto outputs = context.run({{"x", tensor<float>({2, 3}, {0, 1, 0, 2, 0, 3})}});
    ASSERT_TRUE(outputs.ok()) << outputs.status().message();
    EXPECT_TRUE(tensors_identical(outputs->at("where"), tensor<int64_t>({2, 3}, {0, 1, 1, 1, 0, 2})));
  }
}

TEST(Runtime, CountedShapesFlowThroughTheRun) {
  GraphMaker maker;
  Value* x = maker.input("x", DataType::kFloat32, {"N"});
  Value* where = maker.node("NonZero", {x}, "where");  // [1, count]
  Value* flat = maker.node("Reshape", {where, maker.constant("all", tensor<int64_t>({1}, {-1}))}, "flat");
  maker.output(maker.node("Gather", {x, flat}, "picked"));
  maker.output(where);
  const Engine engine = must_make(maker.graph());
  ExecutionContext context = *engine.create_context();
  for (const auto& values :
       {std::vector<float>{0, 3, 0, 4}, std::vector<float>{1, 2, 3, 4}, std::vector<float>{0, 0, 0, 0}}) {
    const Tensor data = Tensor::of<float>(values, Extents{4});
    auto outputs = context.run({{"x", data}});
    ASSERT_TRUE(outputs.ok()) << outputs.status().message();
    std::vector<float> expected;
    for (const float v : values) {
      if (v != 0) expected.push_back(v);
    }
    const Tensor& picked = outputs->at("picked");
    EXPECT_EQ(std::vector<float>(picked.values<float>().begin(), picked.values<float>().end()), expected);
    EXPECT_EQ(outputs->at("where").dims(), Extents({1, static_cast<int64_t>(expected.size())}));
  }
}

}  // namespace
}  // namespace hone::test
