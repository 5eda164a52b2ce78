// Conversions between element types.
#include <cmath>
#include <limits>

#include "support/op_case.h"

namespace hone::test {

using enum DataType;

namespace {

constexpr DataType kAll[] = {kFloat32, kFloat64, kFloat16, kBFloat16, kInt8,   kInt16, kInt32,
                             kInt64,   kUint8,   kUint16,  kUint32,   kUint64, kBool};
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

AttrMap to(DataType type) { return {{"to", static_cast<int64_t>(type)}}; }

// What every pair of types agrees on: small numbers, cut towards zero for integers.
Independent converted(DataType type) {
  return elementwise(
      [type](auto x) {
        if (type == kBool) return x[0] != 0 ? 1.0 : 0.0;
        return is_integer(type) ? std::trunc(x[0]) : x[0];
      },
      type);
}

}  // namespace

TEST(Cast, EveryPairOfTypes) {
  for (const DataType from : kAll) {
    for (const DataType type : kAll) {
      const Generator draw = from == kBool ? Generator(mixed) : uniform(0, 100);
      check_case({.name = "pair",
                  .op = "Cast",
                  .attributes = to(type),
                  .inputs = {random(from, {5, 7}, draw)},
                  .independent = converted(type)});
    }
  }
}

TEST(Cast, FloatsRoundOnce) {
  // Just above the middle between two float16 values: by way of float32 it would be the middle, and go to even.
  const double middle = 1 + 0x1p-11, above = middle + 0x1p-40, below = 1 + 3 * 0x1p-11 - 0x1p-40;
  const double bf16_above = 1 + 0x1p-8 + 0x1p-40;
  check_cases({
      {.name = "float64 to float16",
       .op = "Cast",
       .attributes = to(kFloat16),
       .inputs = {given(tensor<double>({6}, {middle, above, below, 65519.99, 65520, -1e300}))},
       .expected = {tensor<Half>({6}, {1.f, 1 + 0x1p-10f, 1 + 0x1p-10f, 65504.f, kInf, -kInf})},
       .tolerance = Tolerance{}},
      {.name = "float64 to bfloat16",
       .op = "Cast",
       .attributes = to(kBFloat16),
       .inputs = {given(tensor<double>({2}, {bf16_above, 1e39}))},
       .expected = {tensor<BFloat16>({2}, {1 + 0x1p-7f, kInf})},
       .tolerance = Tolerance{}},
      {.name = "float32 to float16",
       .op = "Cast",
       .attributes = to(kFloat16),
       .inputs = {given(tensor<float>({4}, {0x1p-24f, 0x1p-25f, -70000, kNaN}))},
       .expected = {tensor<Half>({4}, {0x1p-24f, 0.f, -kInf, kNaN})},
       .tolerance = Tolerance{}},
      {.name = "float64 to float32",
       .op = "Cast",
       .attributes = to(kFloat32),
       .inputs = {given(tensor<double>({2}, {1e300, 1 + 0x1p-25}))},
       .expected = {tensor<float>({2}, {kInf, 1})},
       .tolerance = Tolerance{}},
  });
}

TEST(Cast, FloatsToIntegersTruncateAndSaturate) {
  const CaseOperand x = given(tensor<float>({8}, {-1.9f, 1.9f, 300, -300, kInf, -kInf, kNaN, -0.f}));
  check_cases({
      {.name = "int8",
       .op = "Cast",
       .attributes = to(kInt8),
       .inputs = {x},
       .expected = {tensor<int8_t>({8}, {-1, 1, 127, -128, 127, -128, 0, 0})}},
      {.name = "uint8",
       .op = "Cast",
       .attributes = to(kUint8),
       .inputs = {x},
       .expected = {tensor<uint8_t>({8}, {0, 1, 255, 0, 255, 0, 0, 0})}},
      {.name = "int64",
       .op = "Cast",
       .attributes = to(kInt64),
       .inputs = {given(tensor<float>({4}, {9.3e18f, -9.3e18f, 0x1p62f, kNaN}))},
       .expected = {tensor<int64_t>({4}, {INT64_MAX, INT64_MIN, int64_t{1} << 62, 0})}},
      {.name = "uint64",
       .op = "Cast",
       .attributes = to(kUint64),
       .inputs = {given(tensor<double>({3}, {0x1p64, 0x1p63, -1}))},
       .expected = {tensor<uint64_t>({3}, {UINT64_MAX, uint64_t{1} << 63, 0})}},
      {.name = "int32",
       .op = "Cast",
       .attributes = to(kInt32),
       .inputs = {given(tensor<double>({4}, {2147483647.9, 2147483648.0, -2147483648.9, -2147483649.0}))},
       .expected = {tensor<int32_t>({4}, {INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN})}},
      {.name = "int32 from float32",
       .op = "Cast",
       .attributes = to(kInt32),
       .inputs = {given(tensor<float>({3}, {0x1p31f, -0x1p31f, 2147483520.f}))},
       .expected = {tensor<int32_t>({3}, {INT32_MAX, INT32_MIN, 2147483520})}},
      {.name = "bool",
       .op = "Cast",
       .attributes = to(kBool),
       .inputs = {x},
       .expected = {tensor<bool>({8}, {true, true, true, true, true, true, true, false})}},
  });
}

TEST(Cast, IntegersKeepLowBits) {
  check_cases({
      {.name = "int16 to int8",
       .op = "Cast",
       .attributes = to(kInt8),
       .inputs = {given(tensor<int16_t>({3}, {200, -129, 256}))},
       .expected = {tensor<int8_t>({3}, {-56, 127, 0})}},
      {.name = "int64 to int32",
       .op = "Cast",
       .attributes = to(kInt32),
       .inputs = {given(tensor<int64_t>({2}, {int64_t{1} << 32, INT64_MAX}))},
       .expected = {tensor<int32_t>({2}, {0, -1})}},
      {.name = "int8 to uint64",
       .op = "Cast",
       .attributes = to(kUint64),
       .inputs = {given(tensor<int8_t>({1}, {-1}))},
       .expected = {tensor<uint64_t>({1}, {UINT64_MAX})}},
      {.name = "int64 to float32",
       .op = "Cast",
       .attributes = to(kFloat32),
       .inputs = {given(tensor<int64_t>({1}, {INT64_MAX}))},
       .expected = {tensor<float>({1}, {0x1p63f})}},
      {.name = "int64 to float16",
       .op = "Cast",
       .attributes = to(kFloat16),
       .inputs = {given(tensor<int64_t>({3}, {65519, 65520, -100000}))},
       .expected = {tensor<Half>({3}, {65504.f, kInf, -kInf})},
       .tolerance = Tolerance{}},
  });
}

TEST(Cast, FollowsShapeArithmetic) {
  check_cases({
      {.name = "int64 to int32",
       .op = "Cast",
       .attributes = to(kInt32),
       .inputs = {random(kInt64, {4})},
       .independent = converted(kInt32)},
      {.name = "int32 to bool",
       .op = "Cast",
       .attributes = to(kBool),
       .inputs = {given(tensor<int32_t>({3}, {0, 5, -1}))},
       .expected = {tensor<bool>({3}, {false, true, true})}},
      {.name = "bool to int64",
       .op = "Cast",
       .attributes = to(kInt64),
       .inputs = {random(kBool, {4})},
       .independent = converted(kInt64)},
  });
}

TEST(Cast, Refuses) {
  check_cases({
      {.name = "no type", .op = "Cast", .inputs = {random(kFloat32, {2})}, .refused = "'to' is 0"},
      {.name = "unknown type", .op = "Cast", .attributes = {{"to", int64_t{99}}}, .inputs = {}, .refused = "99"},
      {.name = "float8",
       .op = "Cast",
       .attributes = to(kFloat8E4M3FN),
       .inputs = {random(kFloat32, {2})},
       .refused = "can't cast to float8e4m3fn"},
      {.name = "to string",
       .op = "Cast",
       .attributes = to(kString),
       .inputs = {random(kFloat32, {2})},
       .refused = "string"},
      {.name = "from string",
       .op = "Cast",
       .attributes = to(kFloat32),
       .inputs = {given(Tensor::of_strings({1}, {"1.5"}))},
       .refused = "string"},
  });
}

TEST(Cast, Like) {
  for (const DataType type : kAll) {
    check_case({.name = "type",
                .op = "CastLike",
                .inputs = {random(kFloat32, {9}, uniform(0, 100)), random(type, {2, 3})},
                .independent = [=](std::span<const Tensor> inputs) { return converted(type)(inputs.first(1)); }});
  }
}

}  // namespace hone::test
