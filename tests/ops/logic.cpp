// Comparisons, bools, bits, selection.
#include <cmath>
#include <limits>

#include "support/op_case.h"

namespace hone::test {

using enum DataType;

namespace {

constexpr DataType kNumbers[] = {kFloat32, kFloat64, kFloat16, kBFloat16, kInt8,   kInt16,
                                 kInt32,   kInt64,   kUint8,   kUint16,   kUint32, kUint64};
constexpr DataType kInts[] = {kInt8, kInt16, kInt32, kInt64, kUint8, kUint16, kUint32, kUint64};
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

using Function = double (*)(std::span<const double>);

void check_comparison(const char* op, Function f) {
  const Independent expected = elementwise(f, kBool);
  for (const DataType type : kNumbers) {
    check_case({.name = "type",
                .op = op,
                .inputs = {random(type, {4, 1, 9}, choice({0, 1, 2})), random(type, {3, 9}, choice({0, 1, 2}))},
                .independent = expected});
  }
  check_cases({
      {.name = "special",
       .op = op,
       .inputs = {random(kFloat32, {100}, special), random(kFloat32, {100}, special)},
       .independent = expected},
      {.name = "followed",
       .op = op,
       .inputs = {given(tensor<int64_t>({4}, {-1, 0, 3, 5})), given(tensor<int64_t>({1}, {3}))},
       .independent = expected},
      {.name = "types differ",
       .op = op,
       .inputs = {random(kInt32, {2}), random(kFloat32, {2})},
       .refused = "differ in type"},
      {.name = "string",
       .op = op,
       .inputs = {given(Tensor::of_strings({1}, {"a"})), given(Tensor::of_strings({1}, {"b"}))},
       .refused = "string"},
  });
}

// Bools whose bytes are neither 0 nor 1, as a careless caller may hand in.
Tensor odd_bools() {
  Tensor tensor = test::tensor<bool>({4}, {true, true, false, true});
  tensor.mutable_data()[0] = std::byte{2};
  tensor.mutable_data()[1] = std::byte{255};
  return tensor;
}

const CaseOperand kOnes = given(tensor<bool>({4}, {true, true, true, true}));

}  // namespace

TEST(Logic, Comparisons) {
  check_comparison("Equal", [](auto x) -> double { return x[0] == x[1]; });
  check_comparison("Less", [](auto x) -> double { return x[0] < x[1]; });
  check_comparison("LessOrEqual", [](auto x) -> double { return x[0] <= x[1]; });
  check_comparison("Greater", [](auto x) -> double { return x[0] > x[1]; });
  check_comparison("GreaterOrEqual", [](auto x) -> double { return x[0] >= x[1]; });
  check_cases({
      {.name = "bools",
       .op = "Equal",
       .inputs = {random(kBool, {5, 1}), random(kBool, {6})},
       .independent = elementwise([](auto x) -> double { return x[0] == x[1]; }, kBool)},
      {.name = "odd bools",
       .op = "Equal",
       .inputs = {given(odd_bools()), kOnes},
       .expected = {tensor<bool>({4}, {true, true, false, true})}},
      {.name = "64 bits",
       .op = "Less",
       .inputs = {given(Tensor::scalar(INT64_MAX - 1)), given(Tensor::scalar(INT64_MAX))},
       .expected = {Tensor::scalar(true)}},
      {.name = "bools", .op = "Less", .inputs = {random(kBool, {2}), random(kBool, {2})}, .refused = "bool"},
  });
}

TEST(Logic, Bools) {
  const std::vector<CaseOperand> operands = {random(kBool, {3, 1, 5}), random(kBool, {4, 1})};
  check_cases({
      {.name = "broadcast", .op = "And", .inputs = operands, .independent = elementwise([](auto x) {
                                                               return x[0] * x[1];
                                                             })},
      {.name = "broadcast", .op = "Or", .inputs = operands, .independent = elementwise([](auto x) {
                                                              return x[0] + x[1];
                                                            })},
      {.name = "broadcast", .op = "Xor", .inputs = operands, .independent = elementwise([](auto x) -> double {
                                                               return x[0] != x[1];
                                                             })},
      {.name = "odd",
       .op = "And",
       .inputs = {given(odd_bools()), kOnes},
       .expected = {tensor<bool>({4}, {true, true, false, true})}},
      {.name = "odd",
       .op = "Or",
       .inputs = {given(odd_bools()), given(odd_bools())},
       .expected = {tensor<bool>({4}, {true, true, false, true})}},
      {.name = "odd",
       .op = "Xor",
       .inputs = {given(odd_bools()), kOnes},
       .expected = {tensor<bool>({4}, {false, false, true, false})}},
      {.name = "odd",
       .op = "Not",
       .inputs = {given(odd_bools())},
       .expected = {tensor<bool>({4}, {false, false, true, false})}},
      {.name = "empty", .op = "Not", .inputs = {random(kBool, {0})}},
      {.name = "integers", .op = "And", .inputs = {random(kInt32, {2}), random(kInt32, {2})}, .refused = "int32"},
  });
}

TEST(Logic, Tests) {
  for (const DataType type : {kFloat32, kFloat64, kFloat16, kBFloat16}) {
    const std::vector<CaseOperand> x = {random(type, {99}, special)};
    check_cases({
        {.name = "special",
         .op = "IsNaN",
         .inputs = x,
         .independent = elementwise([](auto v) -> double { return std::isnan(v[0]); }, kBool)},
        {.name = "both",
         .op = "IsInf",
         .inputs = x,
         .independent = elementwise([](auto v) -> double { return std::isinf(v[0]); }, kBool)},
        {.name = "negative",
         .op = "IsInf",
         .attributes = {{"detect_positive", int64_t{0}}},
         .inputs = x,
         .independent = elementwise([](auto v) -> double { return v[0] == -kInf; }, kBool)},
        {.name = "positive",
         .op = "IsInf",
         .attributes = {{"detect_negative", int64_t{0}}},
         .inputs = x,
         .independent = elementwise([](auto v) -> double { return v[0] == kInf; }, kBool)},
    });
  }
}

TEST(Logic, Where) {
  const Independent expected = [](std::span<const Tensor> inputs) {
    return elementwise([](auto v) { return v[0] != 0 ? v[1] : v[2]; }, inputs[1].dtype())(inputs);
  };
  for (const DataType type : kNumbers) {
    check_case({.name = "type",
                .op = "Where",
                .inputs = {random(kBool, {2, 1, 5}), random(type, {3, 1}), random(type, {1, 1, 5})},
                .independent = expected});
  }
  check_cases({
      {.name = "bools",
       .op = "Where",
       .inputs = {random(kBool, {9}), random(kBool, {9}), random(kBool, {})},
       .independent = expected},
      {.name = "scalars",
       .op = "Where",
       .inputs = {random(kBool, {}), random(kFloat32, {}), random(kFloat32, {})},
       .independent = expected},
      {.name = "large",
       .op = "Where",
       .inputs = {random(kBool, {3, 20000}), random(kFloat32, {3, 20000}), random(kFloat32, {3, 1})},
       .independent = expected},
      {.name = "odd bools",
       .op = "Where",
       .inputs = {given(odd_bools()), given(Tensor::scalar(int64_t{1})), given(Tensor::scalar(int64_t{7}))},
       .expected = {tensor<int64_t>({4}, {1, 1, 7, 1})}},
      {.name = "NaN",
       .op = "Where",
       .inputs = {given(tensor<bool>({2}, {true, false})), given(tensor<float>({1}, {kNaN})),
                  given(tensor<float>({1}, {2}))},
       .expected = {tensor<float>({2}, {kNaN, 2})}},
      {.name = "condition's type",
       .op = "Where",
       .inputs = {random(kInt32, {2}), random(kFloat32, {2}), random(kFloat32, {2})},
       .refused = "operand 0"},
      {.name = "types differ",
       .op = "Where",
       .inputs = {random(kBool, {2}), random(kFloat32, {2}), random(kFloat64, {2})},
       .refused = "differ in type"},
  });
}

TEST(Logic, Bits) {
  const auto bits = [](auto f) {
    return elementwise(
        [f](auto x) { return static_cast<double>(f(static_cast<int64_t>(x[0]), static_cast<int64_t>(x[1]))); });
  };
  for (const DataType type : kInts) {
    const std::vector<CaseOperand> operands = {random(type, {3, 7}), random(type, {7})};
    check_cases({
        {.name = "type", .op = "BitwiseAnd", .inputs = operands, .independent = bits([](auto a, auto b) {
                                                                   return a & b;
                                                                 })},
        {.name = "type", .op = "BitwiseOr", .inputs = operands, .independent = bits([](auto a, auto b) {
                                                                  return a | b;
                                                                })},
        {.name = "type", .op = "BitwiseXor", .inputs = operands, .independent = bits([](auto a, auto b) {
                                                                   return a ^ b;
                                                                 })},
    });
  }
  check_cases({
      {.name = "signed",
       .op = "BitwiseNot",
       .inputs = {given(tensor<int16_t>({3}, {0, -1, 5}))},
       .expected = {tensor<int16_t>({3}, {-1, 0, -6})}},
      {.name = "unsigned",
       .op = "BitwiseNot",
       .inputs = {given(tensor<uint8_t>({2}, {0, 15}))},
       .expected = {tensor<uint8_t>({2}, {255, 240})}},
      {.name = "left",
       .op = "BitShift",
       .attributes = {{"direction", std::string("LEFT")}},
       .inputs = {given(tensor<uint8_t>({4}, {1, 3, 255, 9})), given(tensor<uint8_t>({4}, {0, 2, 1, 8}))},
       .expected = {tensor<uint8_t>({4}, {1, 12, 254, 0})}},
      {.name = "right",
       .op = "BitShift",
       .attributes = {{"direction", std::string("RIGHT")}},
       .inputs = {given(tensor<uint64_t>({3}, {16, UINT64_MAX, 9})), given(tensor<uint64_t>({3}, {4, 63, 64}))},
       .expected = {tensor<uint64_t>({3}, {1, 1, 0})}},
      {.name = "no direction",
       .op = "BitShift",
       .inputs = {random(kUint8, {1}), random(kUint8, {1})},
       .refused = "'direction' is missing"},
      {.name = "direction",
       .op = "BitShift",
       .attributes = {{"direction", std::string("UP")}},
       .inputs = {},
       .refused = "UP"},
  });
}

}  // namespace hone::test
