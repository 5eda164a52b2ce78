// Functions of one floating operand.
#include <cmath>
#include <limits>

#include "support/op_case.h"

namespace hone::test {

using enum DataType;

namespace {

using Function = std::function<double(double)>;

struct FunctionCase {
  const char* op;
  Function f;
  double low = -4, high = 4;  // the domain
  AttrMap attributes = {};
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::log1p(std::exp(x)); }

const std::vector<FunctionCase>& functions() {
  static const std::vector<FunctionCase> list = {
      {"Exp", [](double x) { return std::exp(x); }},
      {"Log", [](double x) { return std::log(x); }, 0.01, 50},
      {"Sqrt", [](double x) { return std::sqrt(x); }, 0, 50},
      {"Reciprocal", [](double x) { return 1 / x; }, 0.1, 50},
      {"Erf", [](double x) { return std::erf(x); }},
      {"Sin", [](double x) { return std::sin(x); }},
      {"Cos", [](double x) { return std::cos(x); }},
      {"Tan", [](double x) { return std::tan(x); }, -1.2, 1.2},
      {"Asin", [](double x) { return std::asin(x); }, -1, 1},
      {"Acos", [](double x) { return std::acos(x); }, -1, 1},
      {"Atan", [](double x) { return std::atan(x); }},
      {"Sinh", [](double x) { return std::sinh(x); }},
      {"Cosh", [](double x) { return std::cosh(x); }},
      {"Tanh", [](double x) { return std::tanh(x); }},
      {"Asinh", [](double x) { return std::asinh(x); }},
      {"Acosh", [](double x) { return std::acosh(x); }, 1, 20},
      {"Atanh", [](double x) { return std::atanh(x); }, -0.9, 0.9},
      {"Floor", [](double x) { return std::floor(x); }},
      {"Ceil", [](double x) { return std::ceil(x); }},
      {"Relu", [](double x) { return std::max(x, 0.0); }},
      {"LeakyRelu", [](double x) { return x < 0 ? double{0.01f} * x : x; }},
      {"LeakyRelu", [](double x) { return x < 0 ? -0.25 * x : x; }, -4, 4, {{"alpha", -0.25f}}},
      {"ThresholdedRelu", [](double x) { return x > 1 ? x : 0; }},
      {"ThresholdedRelu", [](double x) { return x > -0.5 ? x : 0; }, -4, 4, {{"alpha", -0.5f}}},
      {"Elu", [](double x) { return x < 0 ? 2 * (std::exp(x) - 1) : x; }, -4, 4, {{"alpha", 2.f}}},
      {"Selu", [](double x) { return 1.0507010221481323 * (x < 0 ? 1.6732631921768188 * (std::exp(x) - 1) : x); }},
      {"Selu",
       [](double x) { return 3 * (x < 0 ? 2 * (std::exp(x) - 1) : x); },
       -4,
       4,
       {{"alpha", 2.f}, {"gamma", 3.f}}},
      {"Celu",
       [](double x) { return std::max(x, 0.0) + std::min(0.0, 2 * (std::exp(x / 2) - 1)); },
       -4,
       4,
       {{"alpha", 2.f}}},
      {"Sigmoid", sigmoid},
      {"HardSigmoid", [](double x) { return std::max(0.0, std::min(1.0, double{0.2f} * x + 0.5)); }},
      {"HardSigmoid",
       [](double x) { return std::max(0.0, std::min(1.0, 0.5 * x + 0.25)); },
       -4,
       4,
       {{"alpha", 0.5f}, {"beta", 0.25f}}},
      {"HardSwish", [](double x) { return x * std::max(0.0, std::min(1.0, x / 6 + 0.5)); }},
      {"SiLU", [](double x) { return x * sigmoid(x); }},
      {"Swish", [](double x) { return x * sigmoid(0.5 * x); }, -4, 4, {{"alpha", 0.5f}}},
      {"Softplus", softplus},
      {"Softsign", [](double x) { return x / (1 + std::abs(x)); }},
      {"Mish", [](double x) { return x * std::tanh(softplus(x)); }},
      {"Gelu", [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }},
      {"Gelu",
       [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x))); },
       -4,
       4,
       {{"approximate", std::string("tanh")}}},
  };
  return list;
}

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST(Activation, Functions) {
  for (const FunctionCase& function : functions()) {
    const Independent expected = elementwise([&](auto x) { return function.f(x[0]); });
    const bool float_only = std::string_view(function.op) == "Celu";
    const Generator draw = uniform(function.low, function.high);
    for (const DataType type : {kFloat32, kFloat64, kFloat16, kBFloat16}) {
      check_case({.name = "type",
                  .op = function.op,
                  .attributes = function.attributes,
                  .inputs = {random(type, {3, 41}, draw)},
                  .independent = expected,
                  .refused = float_only && type != kFloat32 ? "allowed are: float32" : ""});
    }
    for (const Extents& dims : {Extents{}, Extents{2, 0}, Extents{20000}}) {
      check_case({.name = "shape",
                  .op = function.op,
                  .attributes = function.attributes,
                  .inputs = {random(kFloat32, dims, draw)},
                  .independent = expected});
    }
    check_case({.name = "special",
                .op = function.op,
                .attributes = function.attributes,
                .inputs = {random(kFloat32, {200}, special)}});
    check_case(
        {.name = "string", .op = function.op, .inputs = {given(Tensor::of_strings({1}, {"a"}))}, .refused = "string"});
  }
}

TEST(Activation, KeepsNaN) {
  for (const FunctionCase& function : functions()) {
    check_case({.name = "NaN",
                .op = function.op,
                .attributes = function.attributes,
                .inputs = {given(tensor<float>({1}, {kNaN}))},
                .expected = {tensor<float>({1}, {kNaN})}});
  }
}

TEST(Activation, Round) {
  check_cases({{.name = "halves to even",
                .op = "Round",
                .inputs = {given(tensor<float>({8}, {0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 2.4f, kInf}))},
                .expected = {tensor<float>({8}, {0, 2, 2, -0.f, -2, -2, 2, kInf})}}});
}

TEST(Activation, LargeArguments) {
  const CaseOperand x = given(tensor<float>({4}, {-1000, 1000, -kInf, kInf}));
  check_cases({
      {.name = "large", .op = "Sigmoid", .inputs = {x}, .expected = {tensor<float>({4}, {0, 1, 0, 1})}},
      {.name = "large", .op = "Softplus", .inputs = {x}, .expected = {tensor<float>({4}, {0, 1000, 0, kInf})}},
      {.name = "large", .op = "Tanh", .inputs = {x}, .expected = {tensor<float>({4}, {-1, 1, -1, 1})}},
      {.name = "large", .op = "Elu", .inputs = {x}, .expected = {tensor<float>({4}, {-1, 1000, -1, kInf})}},
      {.name = "large", .op = "HardSigmoid", .inputs = {x}, .expected = {tensor<float>({4}, {0, 1, 0, 1})}},
      {.name = "large", .op = "Relu", .inputs = {x}, .expected = {tensor<float>({4}, {0, 1000, 0, kInf})}},
      {.name = "half overflows",
       .op = "Exp",
       .inputs = {given(tensor<Half>({2}, {12.f, -30.f}))},
       .expected = {tensor<Half>({2}, {kInf, 0.f})}},
  });
}

TEST(Activation, ReluOfIntegers) {
  for (const DataType type : {kInt8, kInt16, kInt32, kInt64}) {
    check_case({.name = "type", .op = "Relu", .inputs = {random(type, {9})}, .independent = elementwise([](auto x) {
                                                                               return std::max(x[0], 0.0);
                                                                             })});
  }
  check_case({.name = "unsigned", .op = "Relu", .inputs = {random(kUint8, {9})}, .refused = "uint8"});
}

TEST(Activation, RefusesUnknownForms) {
  check_case({.name = "form",
              .op = "Gelu",
              .attributes = {{"approximate", std::string("cubic")}},
              .inputs = {random(kFloat32, {2})},
              .refused = "cubic"});
  check_case({.name = "integers", .op = "Sqrt", .inputs = {random(kInt32, {2})}, .refused = "int32"});
}

}  // namespace hone::test
