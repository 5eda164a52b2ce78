// What build options put into an engine.
#include <gtest/gtest.h>

#include "hone/builder.h"
#include "onnx/test_model.h"

namespace hone::test {
namespace {

TEST(Build, MetadataIsAddedOverTheModelsOwn) {
  onnx::test::TestModel model;
  model.graph.nodes = {onnx::test::node("Neg", {"x"}, {"y"})};
  model.graph.inputs = {onnx::test::value("x", {2, 3})};
  model.graph.outputs = {onnx::test::value("y", {2, 3})};
  const std::string onnx = model.bytes();
  const auto metadata_with = [&](const std::map<std::string, std::string>& added) {
    BuildOptions options;
    options.tune = false;
    options.metadata = added;
    const Result<BuiltEngine> built = build_engine(std::as_bytes(std::span(onnx)), "", options);
    EXPECT_TRUE(built.ok()) << built.status().message();
    return Engine::from_bytes(built->bytes)->metadata();
  };
  auto metadata = metadata_with({});
  EXPECT_EQ(metadata.at("classes"), "cat");
  metadata = metadata_with({{"classes", "dog"}, {"who", "me"}, {"hone.version", "none"}});
  EXPECT_EQ(metadata.at("classes"), "dog");
  EXPECT_EQ(metadata.at("who"), "me");
  EXPECT_EQ(metadata.at("onnx.producer"), "pytest");
  EXPECT_EQ(metadata.at("hone.version"), HONE_VERSION);
}

}  // namespace
}  // namespace hone::test
