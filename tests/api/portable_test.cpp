// An engine without a part for this machine runs from its portable part.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "api/engine/targets.h"
#include "graph/text.h"
#include "hone/builder.h"
#include "hone/file.h"
#include "plan/engine_file.h"
#include "support/engines.h"
#include "support/tensors.h"

namespace hone::test {
namespace {

// y = x + [1, 2, 3], built for a target that isn't here.
std::vector<std::byte> foreign_engine() {
  GraphMaker maker;
  Value* x = maker.input("x", DataType::kFloat32, {"N", "3"});
  maker.output(maker.node("Add", {x, maker.constant("b", tensor<float>({3}, {1, 2, 3}))}, "y"));
  WeightsWriter writer;
  EngineImage image;
  image.metadata["who"] = "me";
  image.graph_text = print_graph(maker.graph(), &writer);
  const std::vector<std::byte> weights = writer.bytes();
  for (const WeightsWriter::Block& block : writer.blocks()) image.weight_blocks.push_back({block.offset, block.bytes});
  image.weights = weights;
  image.tuned.push_back({DeviceInfo{.backend = "cuda", .name = "GPU", .isa = "sm_90"}, {}});
  image.tuned[0].plans.emplace_back();
  Result<std::vector<std::byte>> bytes = serialize_engine(image);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  return bytes.ok() ? *std::move(bytes) : std::vector<std::byte>();
}

void expect_runs(const Engine& engine) {
  const auto outputs = engine.create_context()->run({{"x", tensor<float>({1, 3}, {4, 5, 6})}});
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  EXPECT_TRUE(tensors_identical(outputs->at("y"), tensor<float>({1, 3}, {5, 7, 9})));
  EXPECT_EQ(engine.metadata().at("who"), "me");
}

TEST(Portable, AnEngineForAnotherTargetIsCompiledAnew) {
  const std::vector<std::byte> bytes = foreign_engine();
  const std::string path = (std::filesystem::temp_directory_path() / "portable_test.hone").string();
  ASSERT_TRUE(write_file_atomically(path, bytes).ok());
  EXPECT_EQ(Engine::load(path).status().code(), Code::kIncompatibleEngine);
  std::string told;
  Result<Engine> engine = load_engine(path, {}, [&](std::string_view line) { told = line; });
  std::filesystem::remove(path);
  ASSERT_TRUE(engine.ok()) << engine.status().message();
  EXPECT_NE(told.find("built for cuda sm_90"), std::string::npos) << told;
  expect_runs(*engine);
}

TEST(Portable, TheSameFromMemory) {
  std::vector<std::byte> bytes = foreign_engine();
  EXPECT_EQ(Engine::from_bytes(bytes).status().code(), Code::kIncompatibleEngine);
  int lines = 0;
  Result<Engine> engine = load_engine(bytes, {}, [&](std::string_view) { ++lines; });
  ASSERT_TRUE(engine.ok()) << engine.status().message();
  EXPECT_EQ(lines, 1);
  bytes.assign(bytes.size(), std::byte{0});
  expect_runs(*engine);
  EXPECT_EQ(load_engine(bytes).status().code(), Code::kCorruptEngine);
}

}  // namespace
}  // namespace hone::test
