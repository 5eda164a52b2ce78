// Promises P3 to P5: one caller at a time, failing allocations, the same bits every time.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "support/alloc_counter.h"
#include "support/engines.h"
#include "support/tensors.h"

namespace hone::test {
namespace {

GraphMaker softmax_of_product(const std::string& rows) {
  GraphMaker maker;
  Random random(9);
  Value* x = maker.input("x", DataType::kFloat32, {rows, "64"});
  Value* w = maker.constant("w", mixed(DataType::kFloat32, Extents{64, 64}, random));
  Value* product = maker.node("MatMul", {x, w}, "product");
  Value* flat = maker.node("Reshape", {product, maker.constant("shape", tensor<int64_t>({2}, {-1, 32}))}, "flat");
  maker.output(maker.node("Softmax", {flat}, "y"));
  maker.output(maker.node("NonZero", {maker.node("Relu", {flat}, "positive")}, "where"));
  return maker;
}

TEST(Robustness, OneContextInTwoThreadsIsRefused) {
  GraphMaker maker = softmax_of_product("N");
  Result<Engine> engine = make_engine(maker.graph());
  ASSERT_TRUE(engine.ok()) << engine.status().message();
  ExecutionContext context = *engine->create_context();
  Random random(2);
  const Tensor x = mixed(DataType::kFloat32, Extents{2000, 64}, random);
  ASSERT_TRUE(context.set_tensor("x", x.view()).ok());
  std::atomic<bool> refused = false;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto caller = [&] {
    while (!refused && std::chrono::steady_clock::now() < deadline) {
      const Status status = context.run();
      if (status.message().find("in use by another thread") != std::string::npos) refused = true;
    }
  };
  std::thread other(caller);
  caller();
  other.join();
  EXPECT_TRUE(refused);
  EXPECT_TRUE(context.run().ok());
}

Status build_load_run(const Tensor& x, std::map<std::string, Tensor>& outputs, const Engine* loaded) {
  Engine engine;
  if (loaded != nullptr) {
    engine = *loaded;
  } else {
    GraphMaker maker = softmax_of_product("N");
    HONE_ASSIGN(engine, make_engine(maker.graph()));
  }
  HONE_ASSIGN(ExecutionContext context, engine.create_context());
  HONE_ASSIGN(outputs, context.run({{"x", x}}));
  return {};
}

// Each allocation in turn fails: an error with code kResource, and the engine serves the next caller.
TEST(Robustness, EveryFailingAllocationIsAnError) {
  if (!AllocationFailure::available()) GTEST_SKIP() << "sanitizers own the allocator";
  GraphMaker maker = softmax_of_product("N");
  Result<Engine> engine = make_engine(maker.graph());
  ASSERT_TRUE(engine.ok());
  Random random(2);
  const Tensor x = mixed(DataType::kFloat32, Extents{10, 64}, random);
  std::map<std::string, Tensor> expected, outputs;
  ASSERT_TRUE(build_load_run(x, expected, &*engine).ok());
  ExecutionContext reused = *engine->create_context();
  std::map<std::string, Tensor> inputs = {{"x", x}};
  int64_t failures = 0;
  for (bool happened = true; happened; ++failures) {
    Status status;
    {
      const AllocationFailure failure(failures);
      Result<ExecutionContext> context = engine->create_context();
      status = context.ok() ? context->run(inputs).status() : context.status();
      if (status.ok()) status = reused.run(inputs).status();
      happened = failure.happened();
    }
    EXPECT_TRUE(status.ok() || (happened && status.code() == Code::kResource)) << status.message();
    ASSERT_TRUE(build_load_run(x, outputs, &*engine).ok());
    EXPECT_TRUE(tensors_identical(outputs.at("y"), expected.at("y")));
  }
  EXPECT_GT(failures, 20);
}

// Other shapes and data in between leave no trace.
TEST(Robustness, TheSameInputGivesTheSameBits) {
  GraphMaker maker = softmax_of_product("N");
  Result<Engine> engine = make_engine(maker.graph(), {.device = "cpu"});
  ASSERT_TRUE(engine.ok()) << engine.status().message();
  ExecutionContext context = *engine->create_context();
  Random random(3);
  const Tensor x = mixed(DataType::kFloat32, Extents{17, 64}, random);
  const auto first = context.run({{"x", x}});
  ASSERT_TRUE(first.ok()) << first.status().message();
  for (const int64_t n : {1, 40, 0, 16}) {
    ASSERT_TRUE(context.run({{"x", special(DataType::kFloat32, Extents{n, 64}, random)}}).ok());
    const auto again = context.run({{"x", x}});
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(tensors_identical(again->at("y"), first->at("y")));
    EXPECT_TRUE(tensors_identical(again->at("where"), first->at("where")));
  }
}

}  // namespace
}  // namespace hone::test
