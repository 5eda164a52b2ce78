// The checks of operator cases notice bad kernels and wrong expectations.
#include "support/op_case.h"

#include <gtest/gtest-spi.h>

#include <functional>
#include <limits>

#include "support/kernel_run.h"
#include "support/op_inference.h"

namespace hone::test {

using enum DataType;

namespace {

// A kernel made of a function.
class LambdaKernel final : public Kernel {
 public:
  using Run = Status (*)(const KernelArgs&);
  LambdaKernel(Run function, size_t workspace) : run_(function), workspace_(workspace) {}
  size_t workspace_bytes(const KernelArgs&) const override { return workspace_; }
  Status run(const KernelArgs& args) const override { return run_(args); }

 private:
  Run run_;
  size_t workspace_;
};

KernelRun run(LambdaKernel::Run function, const RunSettings& settings = {}, size_t workspace = 0) {
  const Tensor input = tensor<float>({2}, {1, 2});
  const TensorType output = {kFloat32, {2}};
  return run_kernel(LambdaKernel(function, workspace), std::span(&input, 1), std::span(&output, 1), 0, settings);
}

}  // namespace

TEST(KernelRun, SeesWhatIsOverwritten) {
  const auto in_bounds = [](const KernelArgs& args) {
    args.outputs[0].as<float>()[1] = args.inputs[0].as<float>()[1];
    return Status();
  };
  EXPECT_EQ(run(in_bounds).damage, "");
  EXPECT_NE(run([](const KernelArgs& args) {
              args.outputs[0].as<float>()[2] = 0;
              return Status();
            }).damage.find("output 0"),
            std::string::npos);
  EXPECT_NE(run([](const KernelArgs& args) {
              args.outputs[0].as<float>()[-1] = 0;
              return Status();
            }).damage.find("output 0"),
            std::string::npos);
  EXPECT_NE(run([](const KernelArgs& args) {
              args.inputs[0].as<float>()[0] = 7;
              return Status();
            }).damage.find("operand 0"),
            std::string::npos);
  const auto past_workspace = [](const KernelArgs& args) {
    args.workspace[8] = std::byte{0};
    return Status();
  };
  EXPECT_NE(run(past_workspace, {}, 8).damage, "");
  EXPECT_EQ(run(past_workspace, {}, 9).damage, "");
}

TEST(KernelRun, CountsAllocations) {
  EXPECT_EQ(run([](const KernelArgs&) { return Status(); }).allocations, 0);
  const KernelRun allocates = run([](const KernelArgs&) {
    const std::vector<int> scratch(100);
    return scratch.size() == 100 ? Status() : runtime_error("");
  });
  EXPECT_GE(allocates.allocations, 1);
}

TEST(KernelRun, PoisonsAndShifts) {
  const auto nothing = [](const KernelArgs& args) {
    return reinterpret_cast<uintptr_t>(args.outputs[0].data) % 64 == 4 ? Status() : runtime_error("alignment");
  };
  const KernelRun result = run(nothing, {.threads = 1, .poison = std::byte{0x5a}, .shift_elements = 1});
  EXPECT_TRUE(result.status.ok()) << result.status.message();
  EXPECT_EQ(result.outputs[0].data()[7], std::byte{0x5a});
}

namespace {

// What `check` reports, as one text.
std::string failures_of(const std::function<void()>& check) {
  ::testing::TestPartResultArray failures;
  {
    const ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
    check();
  }
  std::string text;
  for (int i = 0; i < failures.size(); ++i) text += failures.GetTestPartResult(i).message();
  return text;
}

void expect_failure(const OpCase& op_case, std::string_view message) {
  const std::string failures = failures_of([&] { check_case(op_case); });
  EXPECT_NE(failures.find(message), std::string::npos) << op_case.name << " reports: " << failures;
}

}  // namespace

TEST(OpCase, SeesWrongResults) {
  expect_failure({.name = "value",
                  .op = "Relu",
                  .inputs = {given(tensor<float>({1}, {3}))},
                  .expected = {tensor<float>({1}, {4})}},
                 "output 0 of the reference");
  expect_failure(
      {.name = "shape", .op = "Relu", .inputs = {given(tensor<float>({1}, {3}))}, .expected = {Tensor::scalar(3.f)}},
      "expected float32[]");
  expect_failure(
      {.name = "function", .op = "Relu", .inputs = {random(kFloat32, {40})}, .independent = elementwise([](auto x) {
                                                                               return x[0];
                                                                             })},
      "differ");
  expect_failure({.name = "kernel", .op = "Relu", .inputs = {random(kFloat32, {2})}, .served_by = {"cpu.none"}},
                 "cpu.none refuses");
}

TEST(OpCase, SeesMissingRefusals) {
  const std::vector<CaseOperand> fine = {random(kFloat32, {2})}, wrong_type = {random(kUint8, {2})};
  expect_failure({.name = "accepted", .op = "Relu", .inputs = fine, .refused = "type"}, "should be refused");
  expect_failure({.name = "other words", .op = "Relu", .inputs = wrong_type, .refused = "shape"}, "uint8");
  expect_failure({.name = "doesn't fail", .op = "Relu", .inputs = fine, .fails = "index"}, "should fail with 'index'");
}

namespace {

// An operator whose inference isn't true when less is known.
struct Careless final : OpBase<Careless> {
  static constexpr const char* kName = "Careless";
  Status infer(InferContext& ctx) const override {
    const Dim& size = ctx.shape(0)[0];
    ctx.set_output(0, ctx.dtype(0), {size.is_const() ? size : size + 1});
    if (ctx.known_elements(0)) ctx.set_elements(0, std::vector<Dim>(ctx.known_elements(0)->size(), 5));
    return {};
  }
};

}  // namespace

TEST(OpCase, SeesCarelessInference) {
  const Tensor input = tensor<int64_t>({2}, {1, 2});
  const std::string failures =
      failures_of([&] { check_inference(Careless(), std::span(&input, 1), std::span(&input, 1)); });
  EXPECT_NE(failures.find("dimension 0"), std::string::npos);
  EXPECT_NE(failures.find("element 1"), std::string::npos);
}

TEST(Tensors, Compare) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const auto one = [](float value) { return tensor<float>({1}, {value}); };
  EXPECT_TRUE(tensors_close(one(nan), one(nan), {}));
  EXPECT_FALSE(tensors_close(one(1), one(nan), {1, 1}));
  EXPECT_FALSE(tensors_close(one(nan), one(1), {1, 1}));
  EXPECT_TRUE(tensors_close(one(inf), one(inf), {}));
  EXPECT_FALSE(tensors_close(one(1e30f), one(inf), {1, 1}));
  EXPECT_FALSE(tensors_close(one(-inf), one(inf), {1, 1}));
  EXPECT_TRUE(tensors_close(one(1.01f), one(1), {0.02, 0}));
  EXPECT_FALSE(tensors_close(one(1.03f), one(1), {0.02, 0}));
  EXPECT_TRUE(tensors_close(one(0.01f), one(0), {0, 0.02}));
  EXPECT_FALSE(tensors_close(tensor<int32_t>({1}, {1}), tensor<int32_t>({1}, {2}), {1, 1}));
  EXPECT_FALSE(tensors_close(one(1), tensor<double>({1}, {1}), {1, 1}));
}

TEST(Tensors, GeneratorsStayInRange) {
  Random random(3);
  const Tensor picks = indices(5)(kInt64, {500}, random);
  bool low = false, high = false;
  for (const int64_t value : picks.values<int64_t>()) {
    EXPECT_TRUE(value >= -5 && value < 5) << value;
    low |= value == -5;
    high |= value == 4;
  }
  EXPECT_TRUE(low && high);
  const Tensor corners = boxes(10)(kFloat32, {50, 4}, random);
  const auto box = corners.values<float>();
  for (size_t i = 0; i < box.size(); i += 4) EXPECT_TRUE(box[i] <= box[i + 2] && box[i + 1] <= box[i + 3]);
}

}  // namespace hone::test
