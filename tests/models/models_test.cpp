// Whole models against what ONNX Runtime answered on the same input.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "hone/builder.h"
#include "support/data.h"
#include "support/tensors.h"

namespace hone::test {
namespace {

struct ModelCase {
  const char* name;
  double tolerance;  // of the largest difference, relative to the output's largest magnitude
  const char* device;
  bool tune;
};

void PrintTo(const ModelCase& model, std::ostream* out) {
  *out << model.name << " on " << model.device << (model.tune ? ", tuned" : "");
}

class RealModel : public ::testing::TestWithParam<ModelCase> {};

std::map<std::string, Tensor> with_prefix(const std::map<std::string, Tensor>& arrays, const std::string& prefix) {
  std::map<std::string, Tensor> found;
  for (const auto& [name, tensor] : arrays) {
    if (name.starts_with(prefix)) found.emplace(name.substr(prefix.size()), tensor);
  }
  return found;
}

double relative_difference(const Tensor& actual, const Tensor& expected) {
  const std::vector<double> a = to_doubles(actual), e = to_doubles(expected);
  double difference = 0, largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference = std::max(difference, std::isnan(a[i]) ? INFINITY : std::abs(a[i] - e[i]));
    largest = std::max(largest, std::abs(e[i]));
  }
  return largest > 0 ? difference / largest : difference;
}

Engine must_build(const std::string& path, const BuildOptions& options) {
  Result<BuiltEngine> built = build_engine(path, options);
  EXPECT_TRUE(built.ok()) << built.status().message();
  if (!built.ok()) std::abort();
  Result<Engine> engine = Engine::from_bytes(built->bytes);
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  if (!engine.ok()) std::abort();
  return *std::move(engine);
}

TEST_P(RealModel, AgreesWithOnnxRuntime) {
  const auto folder = data_folder();
  if (!folder) GTEST_SKIP() << "no data folder: set HONE_DATA";
  const ModelCase& model = GetParam();
  const auto arrays = read_arrays(*folder / "models" / (std::string(model.name) + ".npz"));
  BuildOptions options;
  options.device = model.device;
  options.tune = model.tune;
  const auto inputs = with_prefix(arrays, "in__");
  // With the shapes as a profile, so that the tuner measures.
  ShapeProfile profile;
  for (const auto& [name, tensor] : inputs) {
    const std::vector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
    profile[name] = {dims, dims, dims};
  }
  if (model.tune) options.profiles.push_back(profile);
  const Engine engine = must_build(*folder / "models" / (std::string(model.name) + ".onnx"), options);
  Result<ExecutionContext> context = engine.create_context();
  ASSERT_TRUE(context.ok());
  const auto outputs = context->run(inputs);
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  const auto expected = with_prefix(arrays, "out__");
  ASSERT_FALSE(expected.empty());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(outputs->contains(name)) << name;
    EXPECT_EQ(outputs->at(name).dims(), tensor.dims()) << name;
    EXPECT_EQ(outputs->at(name).dtype(), tensor.dtype()) << name;
    EXPECT_LE(relative_difference(outputs->at(name), tensor), model.tolerance) << name;
  }
}

constexpr ModelCase kModels[] = {
    {"mnist_cntk", 1e-3, "cpu", true},
    {"mnist_cntk", 1e-3, "reference", false},
    {"squeezenet_fp16", 1e-2, "cpu", true},
    {"squeezenet_fp16", 1e-2, "reference", false},
    {"yolox_nano", 1e-3, "cpu", true},
    {"yolox_nano", 1e-3, "reference", false},
    {"yunet_n_dynamic", 1e-3, "cpu", true},
    {"yunet_n_dynamic", 1e-3, "reference", false},
    {"dsvt_two_blocks", 1e-3, "cpu", false},
    {"dsvt_two_blocks", 1e-3, "cpu", true},
    {"dsvt_two_blocks", 1e-3, "reference", false},
};

INSTANTIATE_TEST_SUITE_P(Data, RealModel, ::testing::ValuesIn(kModels), [](const auto& test) {
  return std::string(test.param.name) + "_" + test.param.device + (test.param.tune ? "_tuned" : "");
});

}  // namespace
}  // namespace hone::test
