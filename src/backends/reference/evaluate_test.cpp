#include <gtest/gtest.h>

#include "backends/reference/backend.h"
#include "ops/op_list.h"

namespace hone::reference {
namespace {

OpPtr op(std::string_view name) {
  Result<OpPtr> made = make_op(name, {});
  EXPECT_TRUE(made.ok()) << made.status().message();
  return *made;
}

std::vector<float> floats(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  return {values.begin(), values.end()};
}

TEST(Evaluate, RunsOneOperator) {
  const Tensor x = Tensor::vector<float>({-1.5f, 0.0f, 2.25f});
  const auto y = evaluate(op("Relu"), std::span(&x, 1), 1);
  ASSERT_TRUE(y.ok()) << y.status().message();
  EXPECT_EQ(floats(y->at(0)), (std::vector<float>{0.0f, 0.0f, 2.25f}));
}

TEST(Evaluate, NamesTheOperatorInErrors) {
  const auto y = evaluate(op("Relu"), {}, 1);
  ASSERT_FALSE(y.ok());
  EXPECT_NE(y.status().message().find("Relu"), std::string::npos) << y.status().message();
}

// x -> Relu -> Relu, both results read, the first twice.
Body two_relus() {
  const TensorType type{DataType::kFloat32, {Dim(2), Dim(3)}};
  Body body;
  body.num_inputs = 1;
  body.steps = {{op("Relu"), {0}, {type}}, {op("Relu"), {1}, {type}}};
  body.results = {2, 1, 2};
  return body;
}

TEST(Evaluate, RunsABody) {
  const auto body = std::make_shared<const Body>(two_relus());
  const std::vector<float> values = {-1.0f, 1.0f, -2.0f, 3.0f, 0.5f, -0.25f};
  const Tensor x = Tensor::of<float>(values, Extents{2, 3});
  const auto y = evaluate(op("Relu"), std::span(&x, 1), 3, body);
  ASSERT_TRUE(y.ok()) << y.status().message();
  ASSERT_EQ(y->size(), 3u);
  for (const Tensor& result : *y) EXPECT_EQ(floats(result), (std::vector<float>{0, 1, 0, 3, 0.5f, 0}));
}

TEST(BodyKernel, AgreesWithEvaluation) {
  const auto body = std::make_shared<const Body>(two_relus());
  const TensorType type{DataType::kFloat32, {Dim(2), Dim(3)}};
  const Problem problem{.op = op("Relu"), .body = body, .inputs = {{true, type}}, .outputs = {3, {true, type}}};
  const KernelDef* def = nullptr;
  for (const KernelDef* candidate : backend().kernels) {
    if (candidate->op == nullptr) def = candidate;
  }
  ASSERT_NE(def, nullptr);
  const auto configs = def->candidates(problem, {});
  ASSERT_TRUE(configs.ok()) << configs.status().message();
  const auto kernel = def->create(problem, configs->at(0), std::vector<TensorView>(1));
  ASSERT_TRUE(kernel.ok()) << kernel.status().message();

  const std::vector<float> values = {-1.0f, 1.0f, -2.0f, 3.0f, 0.5f, -0.25f};
  const Tensor x = Tensor::of<float>(values, Extents{2, 3});
  std::vector<Tensor> outputs;
  std::vector<TensorView> views;
  for (int i = 0; i < 3; ++i) {
    outputs.push_back(*Tensor::make(DataType::kFloat32, Extents{2, 3}));
    views.push_back(outputs.back().view());
  }
  const TensorView in = x.view();
  DeviceContext device;
  KernelArgs args{.inputs = {&in, 1}, .outputs = views, .workspace = nullptr, .counts = {}, .device = &device};
  const auto bytes = static_cast<int64_t>((*kernel)->workspace_bytes(args));
  Tensor workspace = *Tensor::make(DataType::kUint8, Extents{bytes});
  args.workspace = workspace.mutable_data();
  ASSERT_TRUE((*kernel)->run(args).ok());
  const auto expected = evaluate(op("Relu"), std::span(&x, 1), 3, body);
  ASSERT_TRUE(expected.ok());
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(floats(outputs[i]), floats(expected->at(i))) << i;
}

}  // namespace
}  // namespace hone::reference
