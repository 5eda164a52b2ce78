// Add, Sub, Mul, Div, Mod, Pow, Min, Max, Sum, Mean, Neg, Abs, Sign, Clip, PRelu, Identity and Dropout.
#include <cmath>
#include <limits>

#include "support/op_case.h"

namespace hone::test {

using enum DataType;

namespace {

constexpr DataType kFloats[] = {kFloat32, kFloat64, kFloat16, kBFloat16};
constexpr DataType kInts[] = {kInt8, kInt16, kInt32, kInt64, kUint8, kUint16, kUint32, kUint64};
constexpr DataType kNumbers[] = {kFloat32, kFloat64, kFloat16, kBFloat16, kInt8,   kInt16,
                                 kInt32,   kInt64,   kUint8,   kUint16,   kUint32, kUint64};
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

using Function = double (*)(std::span<const double>);

// Two shapes that broadcast in each way there is.
const struct {
  const char* name;
  Extents a, b;
} kPairs[] = {
    {"same shape", {2, 3, 4}, {2, 3, 4}},
    {"scalar right", {2, 3, 4}, {}},
    {"scalar left", {1}, {2, 3, 4}},
    {"per channel", {2, 3, 4, 5}, {3, 1, 1}},
    {"rows", {2, 3, 4}, {4}},
    {"both repeat", {3, 1, 5}, {1, 4, 1}},
    {"inner repeats", {2, 1, 3, 1}, {2, 5, 1, 6}},
    {"empty", {2, 0, 3}, {3}},
    {"rank 0", {}, {}},
    {"rank 8", {1, 2, 1, 2, 1, 2, 1, 2}, {2, 1, 2, 1, 2, 1, 2, 1}},
    {"long rows", {3, 9001}, {3, 1}},
    {"long", {40000}, {40000}},
};

std::vector<OpCase> binary_cases(const char* op, Function f, std::span<const DataType> types,
                                 const Generator& right = mixed, AttrMap attributes = {}) {
  std::vector<OpCase> cases;
  for (const auto& [name, a, b] : kPairs) {
    cases.push_back({.name = name,
                     .op = op,
                     .attributes = attributes,
                     .inputs = {random(types[0], a), random(types[0], b, right)},
                     .independent = elementwise(f)});
  }
  for (const DataType type : types) {
    cases.push_back({.name = "type",
                     .op = op,
                     .attributes = attributes,
                     .inputs = {random(type, {3, 7}), random(type, {3, 1}, right)},
                     .independent = elementwise(f)});
  }
  return cases;
}

// Unsigned results below 0 would wrap: what is subtracted stays small.
double difference(std::span<const double> x) { return x[0] - x[1]; }
constexpr DataType kSigned[] = {kFloat32, kFloat64, kFloat16, kBFloat16, kInt8, kInt16, kInt32, kInt64};

// A quotient is a whole number away from rounding's edge cases: divisors are powers of two.
double quotient(std::span<const double> x) { return x[0] / x[1]; }
double truncated_quotient(std::span<const double> x) { return std::trunc(x[0] / x[1]); }

}  // namespace

TEST(Arithmetic, Add) {
  check_cases(binary_cases(
      "Add", [](auto x) { return x[0] + x[1]; }, kNumbers));
  check_cases({
      {.name = "wraps",
       .op = "Add",
       .inputs = {given(tensor<int8_t>({2}, {127, -128})), given(tensor<int8_t>({2}, {1, -1}))},
       .expected = {tensor<int8_t>({2}, {-128, 127})}},
      {.name = "wraps 64 bits",
       .op = "Add",
       .inputs = {given(Tensor::scalar(INT64_MAX)), given(Tensor::scalar(int64_t{1}))},
       .expected = {Tensor::scalar(INT64_MIN)}},
      {.name = "special", .op = "Add", .inputs = {random(kFloat32, {50}, special), random(kFloat32, {50}, special)}},
      {.name = "bool", .op = "Add", .inputs = {random(kBool, {2}), random(kBool, {2})}, .refused = "bool"},
      {.name = "types differ",
       .op = "Add",
       .inputs = {random(kInt32, {2}), random(kInt64, {2})},
       .refused = "differ in type"},
      {.name = "shapes differ",
       .op = "Add",
       .inputs = {random(kInt32, {2}), random(kInt32, {3})},
       .refused = "can't be broadcast"},
      {.name = "missing operand", .op = "Add", .inputs = {random(kInt32, {2})}, .refused = "missing"},
      {.name = "too many operands",
       .op = "Add",
       .inputs = {random(kInt32, {2}), random(kInt32, {2}), random(kInt32, {2})},
       .refused = "at most 2"},
      {.name = "string",
       .op = "Add",
       .inputs = {given(Tensor::of_strings({1}, {"a"})), given(Tensor::of_strings({1}, {"b"}))},
       .refused = "string"},
      {.name = "attribute", .op = "Add", .attributes = {{"axis", int64_t{1}}}, .inputs = {}, .refused = "axis"},
  });
}

TEST(Arithmetic, Sub) {
  check_cases(binary_cases("Sub", difference, kSigned));
  check_cases({{.name = "wraps",
                .op = "Sub",
                .inputs = {given(tensor<uint8_t>({2}, {0, 5})), given(tensor<uint8_t>({2}, {1, 3}))},
                .expected = {tensor<uint8_t>({2}, {255, 2})}}});
}

TEST(Arithmetic, Mul) {
  check_cases(binary_cases(
      "Mul", [](auto x) { return x[0] * x[1]; }, kNumbers, uniform(0, 6)));
  check_cases({{.name = "wraps 16 bits",
                .op = "Mul",
                .inputs = {given(tensor<uint16_t>({1}, {65535})), given(tensor<uint16_t>({1}, {65535}))},
                .expected = {tensor<uint16_t>({1}, {1})}}});
}

TEST(Arithmetic, Div) {
  check_cases(binary_cases("Div", quotient, kFloats, choice({-4, -0.5, 2, 8})));
  check_cases(binary_cases("Div", truncated_quotient, kInts, choice({1, 2, 3, 7})));
  check_cases({
      {.name = "truncates",
       .op = "Div",
       .inputs = {given(tensor<int32_t>({6}, {7, -7, 7, -7, INT32_MIN, 5})),
                  given(tensor<int32_t>({6}, {2, 2, -2, -2, -1, 0}))},
       .expected = {tensor<int32_t>({6}, {3, -3, -3, 3, INT32_MIN, 0})}},
      {.name = "by zero",
       .op = "Div",
       .inputs = {given(tensor<float>({3}, {1, -1, 0})), given(tensor<float>({1}, {0}))},
       .expected = {tensor<float>({3}, {kInf, -kInf, kNaN})}},
      {.name = "followed, negative",
       .op = "Div",
       .inputs = {given(tensor<int64_t>({4}, {-7, 7, -8, 0})), given(tensor<int64_t>({}, {-2}))},
       .expected = {tensor<int64_t>({4}, {3, -3, 4, 0})}},
      {.name = "lowest by -1",
       .op = "Div",
       .inputs = {given(Tensor::scalar(INT64_MIN)), given(Tensor::scalar(int64_t{-1}))},
       .expected = {Tensor::scalar(INT64_MIN)}},
  });
}

TEST(Arithmetic, Mod) {
  const AttrMap fmod = {{"fmod", int64_t{1}}};
  check_cases(binary_cases(
      "Mod", [](auto x) { return x[0] - x[1] * std::floor(x[0] / x[1]); }, kInts, choice({1, 2, 3, 7})));
  check_cases(binary_cases(
      "Mod", [](auto x) { return std::fmod(x[0], x[1]); }, kInts, choice({1, 2, 3}), fmod));
  check_cases(binary_cases(
      "Mod", [](auto x) { return std::fmod(x[0], x[1]); }, kFloats, choice({-2, 0.5}), fmod));
  check_cases({
      {.name = "signs",
       .op = "Mod",
       .inputs = {given(tensor<int8_t>({6}, {7, -7, 7, -7, -128, 5})),
                  given(tensor<int8_t>({6}, {3, 3, -3, -3, -1, 0}))},
       .expected = {tensor<int8_t>({6}, {1, 2, -2, -1, 0, 0})}},
      {.name = "fmod signs",
       .op = "Mod",
       .attributes = fmod,
       .inputs = {given(tensor<int8_t>({6}, {7, -7, 7, -7, -128, 5})),
                  given(tensor<int8_t>({6}, {3, 3, -3, -3, -1, 0}))},
       .expected = {tensor<int8_t>({6}, {1, -1, 1, -1, 0, 0})}},
      {.name = "fmod special",
       .op = "Mod",
       .attributes = fmod,
       .inputs = {given(tensor<float>({4}, {kInf, 1, 3, kNaN})), given(tensor<float>({4}, {2, 0, kInf, 1}))},
       .expected = {tensor<float>({4}, {kNaN, kNaN, 3, kNaN})}},
      {.name = "float without fmod",
       .op = "Mod",
       .inputs = {random(kFloat32, {2}), random(kFloat32, {2})},
       .refused = "fmod = 1"},
  });
}

TEST(Arithmetic, Pow) {
  const Function power = [](std::span<const double> x) { return std::pow(x[0], x[1]); };
  const Function truncated = [](std::span<const double> x) { return std::trunc(std::pow(x[0], x[1])); };
  std::vector<OpCase> cases;
  for (const DataType exponent : kNumbers) {
    for (const DataType base : kFloats) {
      cases.push_back({.name = "float base",
                       .op = "Pow",
                       .inputs = {random(base, {3, 5}, uniform(0.2, 3)), random(exponent, {5}, uniform(0, 3))},
                       .independent = elementwise(power)});
    }
    for (const DataType base : {kInt32, kInt64}) {
      cases.push_back({.name = "integer base",
                       .op = "Pow",
                       .inputs = {random(base, {3, 5}), random(exponent, {3, 1}, choice({0, 1, 2, 3}))},
                       .independent = elementwise(truncated)});
    }
  }
  for (const auto& [name, a, b] : kPairs) {
    cases.push_back({.name = name,
                     .op = "Pow",
                     .inputs = {random(kFloat32, a, uniform(0.2, 3)), random(kFloat32, b, uniform(-2, 2))},
                     .independent = elementwise(power)});
  }
  check_cases(cases);
  check_cases({
      {.name = "negative exponents",
       .op = "Pow",
       .inputs = {given(tensor<int32_t>({6}, {1, -1, -1, 2, 0, 0})),
                  given(tensor<int32_t>({6}, {-5, -3, -2, -1, -1, 0}))},
       .expected = {tensor<int32_t>({6}, {1, -1, 1, 0, 0, 1})}},
      {.name = "out of range",
       .op = "Pow",
       .inputs = {given(tensor<int32_t>({4}, {10, -10, 0, -2})), given(tensor<float>({4}, {20, 21, -1, 0.5}))},
       .expected = {tensor<int32_t>({4}, {INT32_MAX, INT32_MIN, INT32_MAX, 0})}},
      {.name = "wraps",
       .op = "Pow",
       .inputs = {given(Tensor::scalar(int64_t{3})), given(Tensor::scalar(UINT64_MAX))},
       .expected = {Tensor::scalar(int64_t{-6148914691236517205})}},
      {.name = "special",
       .op = "Pow",
       .inputs = {given(tensor<float>({5}, {0, -8, kNaN, kInf, -1})),
                  given(tensor<float>({5}, {0, 1.f / 3, 0, -1, kInf}))},
       .expected = {tensor<float>({5}, {1, kNaN, 1, 0, 1})}},
      {.name = "base type", .op = "Pow", .inputs = {random(kInt8, {2}), random(kInt8, {2})}, .refused = "int8"},
  });
}

namespace {

std::vector<OpCase> variadic_cases(const char* op, Function f, std::span<const DataType> types) {
  std::vector<OpCase> cases;
  for (const DataType type : types) {
    cases.push_back({.name = "three",
                     .op = op,
                     .inputs = {random(type, {2, 1, 4}), random(type, {3, 1}), random(type, {2, 3, 4})},
                     .independent = elementwise(f)});
  }
  cases.push_back({.name = "small first",
                   .op = op,
                   .inputs = {random(types[0], {}), random(types[0], {3, 1}), random(types[0], {70})},
                   .independent = elementwise(f)});
  cases.push_back({.name = "one", .op = op, .inputs = {random(kFloat32, {5})}, .independent = elementwise(f)});
  cases.push_back({.name = "two scalars",
                   .op = op,
                   .inputs = {random(kFloat64, {}), random(kFloat64, {})},
                   .independent = elementwise(f)});
  cases.push_back(
      {.name = "special", .op = op, .inputs = {random(kFloat32, {64}, special), random(kFloat32, {64}, special)}});
  cases.push_back({.name = "none", .op = op, .inputs = {}, .refused = "missing"});
  cases.push_back({.name = "hole",
                   .op = op,
                   .inputs = {random(kFloat32, {2}), absent(), random(kFloat32, {2})},
                   .refused = "operand 1 is missing"});
  return cases;
}

double sum(std::span<const double> x) {
  double total = 0;
  for (const double value : x) total += value;
  return total;
}

}  // namespace

TEST(Arithmetic, MinMax) {
  check_cases(variadic_cases(
      "Min", [](auto x) { return *std::min_element(x.begin(), x.end()); }, kNumbers));
  check_cases(variadic_cases(
      "Max", [](auto x) { return *std::max_element(x.begin(), x.end()); }, kNumbers));
  const std::vector<CaseOperand> with_nan = {given(tensor<float>({3}, {kNaN, 1, kNaN})),
                                             given(tensor<float>({3}, {1, kNaN, kNaN}))};
  check_cases({{.name = "NaN", .op = "Min", .inputs = with_nan, .expected = {tensor<float>({3}, {kNaN, kNaN, kNaN})}},
               {.name = "NaN", .op = "Max", .inputs = with_nan, .expected = {tensor<float>({3}, {kNaN, kNaN, kNaN})}}});
}

TEST(Arithmetic, SumMean) {
  check_cases(variadic_cases("Sum", sum, kFloats));
  check_cases(variadic_cases(
      "Mean", [](auto x) { return sum(x) / static_cast<double>(x.size()); }, kFloats));
  // 2048 + 0.5 + 0.5 is lost when each sum is rounded.
  const auto half = [](float value) { return given(Tensor::scalar(Half(value))); };
  check_cases({{.name = "rounds once",
                .op = "Sum",
                .inputs = {half(2048), half(1), half(1)},
                .expected = {Tensor::scalar(Half(2050.f))},
                .tolerance = Tolerance{}},
               {.name = "integers", .op = "Sum", .inputs = {random(kInt32, {2})}, .refused = "int32"}});
}

TEST(Arithmetic, OneOperand) {
  std::vector<OpCase> cases;
  for (const DataType type : kNumbers) {
    const bool is_signed = std::find(std::begin(kSigned), std::end(kSigned), type) != std::end(kSigned);
    cases.push_back(
        {.name = "type", .op = "Abs", .inputs = {random(type, {3, 7})}, .independent = elementwise([](auto x) {
                                                                          return std::abs(x[0]);
                                                                        })});
    cases.push_back(
        {.name = "type", .op = "Sign", .inputs = {random(type, {3, 7})}, .independent = elementwise([](auto x) {
                                                                           return (x[0] > 0) - (x[0] < 0);
                                                                         })});
    cases.push_back({.name = "type",
                     .op = "Neg",
                     .inputs = {random(type, {3, 7})},
                     .independent = elementwise([](auto x) { return -x[0]; }),
                     .refused = is_signed ? "" : "uint"});
    cases.push_back(
        {.name = "type", .op = "Identity", .inputs = {random(type, {3, 7})}, .independent = elementwise([](auto x) {
                                                                               return x[0];
                                                                             })});
  }
  check_cases(cases);
  check_cases({
      {.name = "lowest",
       .op = "Abs",
       .inputs = {given(tensor<int16_t>({2}, {INT16_MIN, -3}))},
       .expected = {tensor<int16_t>({2}, {INT16_MIN, 3})}},
      {.name = "lowest",
       .op = "Neg",
       .inputs = {given(Tensor::scalar(INT64_MIN))},
       .expected = {Tensor::scalar(INT64_MIN)}},
      {.name = "NaN",
       .op = "Sign",
       .inputs = {given(tensor<float>({3}, {kNaN, -kInf, -0.f}))},
       .expected = {tensor<float>({3}, {kNaN, -1, 0})}},
      {.name = "bool", .op = "Identity", .inputs = {random(kBool, {9})}, .independent = elementwise([](auto x) {
                                                                           return x[0];
                                                                         })},
      {.name = "empty", .op = "Identity", .inputs = {random(kFloat32, {0, 3})}},
      {.name = "large",
       .op = "Identity",
       .inputs = {random(kFloat32, {3, 70000})},
       .independent = elementwise([](auto x) { return x[0]; })},
  });
}

TEST(Arithmetic, Clip) {
  std::vector<OpCase> cases;
  for (const DataType type : kNumbers) {
    cases.push_back({.name = "both bounds",
                     .op = "Clip",
                     .inputs = {random(type, {4, 9}), random(type, {}, uniform(1, 2)), random(type, {}, uniform(3, 5))},
                     .independent = elementwise([](auto x) { return std::min(x[2], std::max(x[0], x[1])); })});
  }
  check_cases(cases);
  const CaseOperand x = given(tensor<float>({5}, {-3, 0.5, 4, kNaN, kInf}));
  check_cases({
      {.name = "no bounds", .op = "Clip", .inputs = {x}, .expected = {x.tensor}},
      {.name = "low only",
       .op = "Clip",
       .inputs = {x, given(Tensor::scalar(0.f))},
       .expected = {tensor<float>({5}, {0, 0.5, 4, kNaN, kInf})}},
      {.name = "high only",
       .op = "Clip",
       .inputs = {x, absent(), given(Tensor::scalar(1.f))},
       .expected = {tensor<float>({5}, {-3, 0.5, 1, kNaN, 1})}},
      {.name = "crossed bounds",
       .op = "Clip",
       .inputs = {x, given(Tensor::scalar(6.f)), given(Tensor::scalar(2.f))},
       .expected = {tensor<float>({5}, {2, 2, 2, kNaN, 2})}},
      {.name = "bounds of one element",
       .op = "Clip",
       .inputs = {x, given(tensor<float>({1}, {0})), given(tensor<float>({1}, {1}))},
       .expected = {tensor<float>({5}, {0, 0.5, 1, kNaN, 1})}},
      {.name = "followed",
       .op = "Clip",
       .inputs = {given(tensor<int64_t>({3}, {-5, 2, 9})), given(Tensor::scalar(int64_t{0})),
                  given(Tensor::scalar(int64_t{7}))},
       .expected = {tensor<int64_t>({3}, {0, 2, 7})}},
      {.name = "large bound", .op = "Clip", .inputs = {x, random(kFloat32, {2})}, .refused = "size and 1"},
      {.name = "bound's type", .op = "Clip", .inputs = {x, random(kFloat64, {})}, .refused = "differ in type"},
  });
}

TEST(Arithmetic, PRelu) {
  const Independent prelu = elementwise([](auto x) { return x[0] < 0 ? x[0] * x[1] : x[0]; });
  std::vector<OpCase> cases;
  for (const DataType type : {kFloat32, kFloat64, kFloat16, kBFloat16, kInt32, kInt64, kUint32, kUint64}) {
    cases.push_back({.name = "type",
                     .op = "PRelu",
                     .inputs = {random(type, {2, 3, 4}), random(type, {3, 1})},
                     .independent = prelu});
  }
  cases.push_back({.name = "scalar",
                   .op = "PRelu",
                   .inputs = {random(kFloat32, {2, 3}), random(kFloat32, {})},
                   .independent = prelu});
  cases.push_back({.name = "slope is larger",
                   .op = "PRelu",
                   .inputs = {random(kFloat32, {1, 3}), random(kFloat32, {2, 3})},
                   .refused = "slope"});
  cases.push_back({.name = "slope has more ranks",
                   .op = "PRelu",
                   .inputs = {random(kFloat32, {3}), random(kFloat32, {1, 3})},
                   .refused = "rank 2"});
  check_cases(cases);
}

TEST(Arithmetic, Dropout) {
  const CaseOperand x = random(kFloat32, {3, 5});
  const CaseOperand half = given(Tensor::scalar(0.5f)), none = given(Tensor::scalar(0.f));
  const CaseOperand on = given(Tensor::scalar(true)), off = given(Tensor::scalar(false));
  const Independent passes = [](std::span<const Tensor> inputs) {
    const std::vector<double> ones(15, 1);
    return std::vector<Tensor>{inputs[0], tensor_from_doubles(kBool, inputs[0].dims(), ones)};
  };
  check_cases({
      {.name = "data only", .op = "Dropout", .inputs = {x}, .num_outputs = 1, .independent = elementwise([](auto v) {
                                                                                return v[0];
                                                                              })},
      {.name = "mask", .op = "Dropout", .inputs = {x, half}, .num_outputs = 2, .independent = passes},
      {.name = "not training",
       .op = "Dropout",
       .attributes = {{"seed", int64_t{3}}},
       .inputs = {x, half, off},
       .num_outputs = 2,
       .independent = passes},
      {.name = "training without dropping",
       .op = "Dropout",
       .inputs = {x, none, on},
       .num_outputs = 2,
       .independent = passes},
      {.name = "training", .op = "Dropout", .inputs = {x, half, on}, .fails = "training_mode"},
      {.name = "training by default ratio", .op = "Dropout", .inputs = {x, absent(), on}, .refused = "training_mode"},
      {.name = "ratio of two", .op = "Dropout", .inputs = {x, random(kFloat32, {2})}, .refused = "ratio"},
      {.name = "empty", .op = "Dropout", .inputs = {random(kFloat16, {0})}, .num_outputs = 2},
  });
}

}  // namespace hone::test
