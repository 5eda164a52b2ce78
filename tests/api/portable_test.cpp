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

TEST(Portable, AnEngineForAnotherTargetIsCompiledAnew) {
  GraphMaker maker;
  Value* x = maker.input("x", DataType::kFloat32, {"N", "3"});
  maker.output(maker.node("Add", {x, maker.constant("b", tensor<float>({3}, {1, 2, 3}))}, "y"));
  WeightsWriter writer;
  EngineImage image;
  image.graph_text = print_graph(maker.graph(), &writer);
  const std::vector<std::byte> weights = writer.bytes();
  for (const WeightsWriter::Block& block : writer.blocks()) image.weight_blocks.push_back({block.offset, block.bytes});
  image.weights = weights;
  image.tuned.push_back({DeviceInfo{.backend = "cuda", .name = "GPU", .isa = "sm_90"}, {}});
  image.tuned[0].plans.emplace_back();
  const Result<std::vector<std::byte>> bytes = serialize_engine(image);
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  const std::string path = (std::filesystem::temp_directory_path() / "portable_test.hone").string();
  ASSERT_TRUE(write_file_atomically(path, *bytes).ok());
  EXPECT_EQ(Engine::load(path).status().code(), Code::kIncompatibleEngine);
  std::string told;
  Result<Engine> engine = load_engine(path, {}, [&](std::string_view line) { told = line; });
  std::filesystem::remove(path);
  ASSERT_TRUE(engine.ok()) << engine.status().message();
  EXPECT_NE(told.find("built for cuda sm_90"), std::string::npos) << told;
  const auto outputs = engine->create_context()->run({{"x", tensor<float>({1, 3}, {1, 1, 1})}});
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  EXPECT_TRUE(tensors_identical(outputs->at("y"), tensor<float>({1, 3}, {2, 3, 4})));
}

}  // namespace
}  // namespace hone::test
