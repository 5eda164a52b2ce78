// Reshape, Flatten, Squeeze, Unsqueeze, Shape and Size.
#include "ops/moved.h"

namespace hone::test {

using enum DataType;

namespace {

// 2 x 3 x 4 elements to the shape that operand 1 asks for.
OpCase reshape_case(std::string name, std::initializer_list<int64_t> wanted, Extents out, DataType dtype = kFloat32) {
  return {.name = std::move(name),
          .op = "Reshape",
          .inputs = {random(dtype, {2, 3, 4}), int_list(wanted)},
          .independent = same_order(out)};
}

}  // namespace

TEST(Reshape, Cases) {
  check_cases({
      reshape_case("numbers", {6, 4}, {6, 4}),
      reshape_case("left over", {4, -1}, {4, 6}),
      reshape_case("left over of 1", {2, 3, 4, -1}, {2, 3, 4, 1}),
      reshape_case("copied", {0, -1}, {2, 12}),
      reshape_case("copied in the middle", {-1, 0, 2}, {4, 3, 2}),
      reshape_case("list", {-1}, {24}),
      {.name = "scalar",
       .op = "Reshape",
       .inputs = {random(kInt32, {1, 1}), int_list({})},
       .independent = same_order({})},
      {.name = "empty",
       .op = "Reshape",
       .inputs = {random(kFloat32, {0, 3}), int_list({0, 7})},
       .independent = same_order({0, 7})},
      {.name = "literal zero",
       .op = "Reshape",
       .attributes = {{"allowzero", int64_t{1}}},
       .inputs = {random(kFloat32, {0, 3}), int_list({3, 0})},
       .independent = same_order({3, 0})},
      {.name = "large",
       .op = "Reshape",
       .inputs = {random(kFloat32, {300, 1001}), int_list({1001, 300})},
       .independent = same_order({1001, 300})},
      {.name = "does not fit",
       .op = "Reshape",
       .inputs = {random(kFloat32, {5}), int_list({2, -1})},
       .refused = "can't be shaped"},
      {.name = "strings",
       .op = "Reshape",
       .inputs = {given(Tensor::of_strings({1}, {"a"})), int_list({1})},
       .refused = "string"},
  });
  for (const DataType dtype : kMovedTypes) check_case(reshape_case(std::string(name_of(dtype)), {8, 3}, {8, 3}, dtype));
}

TEST(Flatten, Cases) {
  const auto flatten = [](int64_t axis, Extents out) -> OpCase {
    return {.name = "axis " + std::to_string(axis),
            .op = "Flatten",
            .attributes = {{"axis", axis}},
            .inputs = {random(kFloat32, {2, 3, 4})},
            .independent = same_order(out)};
  };
  check_cases({
      flatten(0, {1, 24}),
      flatten(1, {2, 12}),
      flatten(3, {24, 1}),
      flatten(-1, {6, 4}),
      flatten(-3, {1, 24}),
      {.name = "scalar",
       .op = "Flatten",
       .attributes = {{"axis", int64_t{0}}},
       .inputs = {random(kInt8, {})},
       .independent = same_order({1, 1})},
      {.name = "empty", .op = "Flatten", .inputs = {random(kFloat16, {2, 0, 4})}, .independent = same_order({2, 0})},
  });
}

TEST(Squeeze, Cases) {
  check_cases({
      {.name = "axes",
       .op = "Squeeze",
       .inputs = {random(kFloat32, {1, 3, 1, 2}), int_list({-2, 0})},
       .independent = same_order({3, 2})},
      {.name = "all", .op = "Squeeze", .inputs = {random(kFloat32, {1, 3, 1, 2})}, .independent = same_order({3, 2})},
      {.name = "none",
       .op = "Squeeze",
       .inputs = {random(kBool, {1, 3}), int_list({})},
       .independent = same_order({1, 3})},
      {.name = "to a scalar",
       .op = "Squeeze",
       .inputs = {random(kInt64, {1}), int_list({0})},
       .independent = same_order({})},
      {.name = "not 1", .op = "Squeeze", .inputs = {random(kFloat32, {1, 3}), int_list({1})}, .refused = "3 and 1"},
  });
}

TEST(Unsqueeze, Cases) {
  check_cases({
      {.name = "axes",
       .op = "Unsqueeze",
       .inputs = {random(kFloat32, {3, 2}), int_list({-1, 0, 2})},
       .independent = same_order({1, 3, 1, 2, 1})},
      {.name = "scalar",
       .op = "Unsqueeze",
       .inputs = {random(kInt64, {}), int_list({0})},
       .independent = same_order({1})},
      {.name = "empty",
       .op = "Unsqueeze",
       .inputs = {random(kFloat16, {0}), int_list({1})},
       .independent = same_order({0, 1})},
      {.name = "too many",
       .op = "Unsqueeze",
       .inputs = {random(kFloat32, {1, 1, 1, 1, 1, 1, 1, 1}), int_list({0})},
       .refused = "at most 0"},
  });
}

TEST(BitCast, Cases) {
  const auto to = [](DataType type) { return AttrMap{{"to", static_cast<int64_t>(type)}}; };
  check_cases({
      {.name = "to integers",
       .op = "BitCast",
       .attributes = to(kInt32),
       .inputs = {given(tensor<float>({3}, {1, -2, 0}))},
       .expected = {tensor<int32_t>({3}, {0x3f800000, -0x40000000, 0})}},
      {.name = "to float16",
       .op = "BitCast",
       .attributes = to(kFloat16),
       .inputs = {given(tensor<uint16_t>({2, 1}, {0x3c00, 0xc000}))},
       .expected = {tensor<Half>({2, 1}, {Half(1.f), Half(-2.f)})}},
      {.name = "to bool",
       .op = "BitCast",
       .attributes = to(kBool),
       .inputs = {given(tensor<uint8_t>({3}, {0, 1, 8}))},
       .expected = {tensor<bool>({3}, {false, true, true})}},
      {.name = "same",
       .op = "BitCast",
       .attributes = to(kInt64),
       .inputs = {random(kInt64, {4})},
       .independent = same_order({4})},
      {.name = "width",
       .op = "BitCast",
       .attributes = to(kInt64),
       .inputs = {random(kFloat32, {4})},
       .refused = "differ in width"},
      {.name = "no type",
       .op = "BitCast",
       .attributes = to(static_cast<DataType>(99)),
       .inputs = {random(kFloat32, {4})},
       .refused = "no element type"},
  });
}

TEST(Shape, Cases) {
  const auto shape = [](std::string name, AttrMap attributes, Tensor expected) -> OpCase {
    return {.name = std::move(name),
            .op = "Shape",
            .attributes = std::move(attributes),
            .inputs = {random(kFloat16, {2, 0, 5, 7})},
            .expected = {std::move(expected)}};
  };
  check_cases({
      shape("all", {}, Tensor::vector<int64_t>({2, 0, 5, 7})),
      shape("part", {{"start", int64_t{1}}, {"end", int64_t{-1}}}, Tensor::vector<int64_t>({0, 5})),
      shape("clamped", {{"start", int64_t{-9}}, {"end", int64_t{9}}}, Tensor::vector<int64_t>({2, 0, 5, 7})),
      shape("nothing", {{"start", int64_t{3}}, {"end", int64_t{2}}}, Tensor::vector<int64_t>({})),
      {.name = "scalar", .op = "Shape", .inputs = {random(kBool, {})}, .expected = {Tensor::vector<int64_t>({})}},
  });
}

TEST(Size, Cases) {
  check_cases({
      {.name = "matrix", .op = "Size", .inputs = {random(kFloat32, {3, 4})}, .expected = {Tensor::scalar<int64_t>(12)}},
      {.name = "empty", .op = "Size", .inputs = {random(kInt8, {3, 0})}, .expected = {Tensor::scalar<int64_t>(0)}},
      {.name = "scalar", .op = "Size", .inputs = {random(kInt8, {})}, .expected = {Tensor::scalar<int64_t>(1)}},
  });
}

}  // namespace hone::test
