// Shape arithmetic through elementwise operators: what infer() says of contents that are expressions.
#include "ops/elementwise.h"

#include <gtest/gtest.h>

#include "ops/op_list.h"

namespace hone {

namespace {

const Dim kN = Dim::symbol(0, /*nonnegative=*/true);
const Dim kV = Dim::symbol(1, /*nonnegative=*/false);

InferOperand vector_of(std::vector<Dim> elements, DataType dtype = DataType::kInt64) {
  const auto size = static_cast<int64_t>(elements.size());
  return {.present = true, .type = {dtype, {size}}, .constant = nullptr, .elements = std::move(elements)};
}

InferOperand unknown(int64_t size, DataType dtype = DataType::kInt64) {
  return {.present = true, .type = {dtype, {size}}, .constant = nullptr, .elements = std::nullopt};
}

// Output 0's contents; nothing if infer() doesn't tell (or fails).
std::optional<std::vector<Dim>> follow(std::string_view name, std::vector<InferOperand> operands,
                                       const AttrMap& attrs = {}) {
  const Result<OpPtr> op = make_op(name, attrs);
  EXPECT_TRUE(op.ok()) << op.status().message();
  InferContext ctx(operands, 1, nullptr);
  const Status status = (*op)->infer(ctx);
  EXPECT_TRUE(status.ok()) << status.message();
  return ctx.outputs()[0].elements;
}

using Dims = std::vector<Dim>;

}  // namespace

TEST(FollowContents, Arithmetic) {
  EXPECT_EQ(follow("Add", {vector_of({kN, 3}), vector_of({2, kV})}), (Dims{kN + 2, kV + 3}));
  EXPECT_EQ(follow("Sub", {vector_of({kN, 3}), vector_of({1})}), (Dims{kN - 1, 2}));
  EXPECT_EQ(follow("Mul", {vector_of({2}), vector_of({kN, kV})}), (Dims{kN + kN, kV * 2}));
  EXPECT_EQ(follow("Neg", {vector_of({kN})}), (Dims{Dim(0) - kN}));
  EXPECT_EQ(follow("Abs", {vector_of({kN, -4})}), (Dims{kN, 4}));
  EXPECT_EQ(follow("Max", {vector_of({kN}), vector_of({1}), vector_of({4})}), (Dims{max(max(kN, 1), 4)}));
  EXPECT_EQ(follow("Min", {vector_of({kN, 7}), vector_of({5})}), (Dims{min(kN, 5), 5}));
  EXPECT_EQ(follow("Identity", {vector_of({kN})}), (Dims{kN}));
  EXPECT_EQ(follow("Relu", {vector_of({kV})}), (Dims{max(kV, 0)}));
}

TEST(FollowContents, DivisionTruncates) {
  EXPECT_EQ(follow("Div", {vector_of({kN, 7}), vector_of({2})}), (Dims{floor_div(kN, 2), 3}));
  EXPECT_EQ(follow("Div", {vector_of({-7, 7}), vector_of({2, -2})}), (Dims{-3, -3}));
  EXPECT_EQ(follow("Div", {vector_of({kN}), vector_of({0})}), std::nullopt);
  EXPECT_EQ(follow("Div", {vector_of({kN}), vector_of({kV})}), std::nullopt);
  const auto halves = follow("Div", {vector_of({kV}), vector_of({-2})});
  ASSERT_TRUE(halves.has_value());
  for (const int64_t value : {-9, -8, -1, 0, 1, 8, 9}) {
    const int64_t symbols[] = {0, value};
    EXPECT_EQ(halves->front().eval(symbols), value / -2) << value;
  }
}

TEST(FollowContents, Remainder) {
  EXPECT_EQ(follow("Mod", {vector_of({kN, -7}), vector_of({4})}), (Dims{mod(kN, 4), 1}));
  EXPECT_EQ(follow("Mod", {vector_of({kN}), vector_of({4})}, {{"fmod", int64_t{1}}}), (Dims{mod(kN, 4)}));
  EXPECT_EQ(follow("Mod", {vector_of({kV}), vector_of({4})}, {{"fmod", int64_t{1}}}), std::nullopt);
  EXPECT_EQ(follow("Mod", {vector_of({5}), vector_of({0})}), std::nullopt);
}

TEST(FollowContents, ClipsAndCasts) {
  EXPECT_EQ(follow("Clip", {vector_of({kV}), vector_of({0}), vector_of({9})}), (Dims{min(max(kV, 0), 9)}));
  EXPECT_EQ(follow("Clip", {vector_of({kV}), unknown(1)}), std::nullopt);
  const auto to = [](DataType type) { return AttrMap{{"to", static_cast<int64_t>(type)}}; };
  EXPECT_EQ(follow("Cast", {vector_of({kN, 3})}, to(DataType::kInt32)), (Dims{kN, 3}));
  EXPECT_EQ(follow("Cast", {vector_of({int64_t{1} << 31})}, to(DataType::kInt32)), std::nullopt);
  EXPECT_EQ(follow("Cast", {vector_of({kN + 1, 0, -2})}, to(DataType::kBool)), (Dims{1, 0, 1}));
  EXPECT_EQ(follow("Cast", {vector_of({kN})}, to(DataType::kBool)), std::nullopt);
  EXPECT_EQ(follow("Cast", {vector_of({kN})}, to(DataType::kFloat32)), std::nullopt);
}

// The pattern of exported Expand nodes: Where(Equal(shape, -1), ones, shape).
TEST(FollowContents, ComparesAndSelects) {
  EXPECT_EQ(follow("Equal", {vector_of({kN, -1, kN}), vector_of({-1, -1, kN})}), (Dims{0, 1, 1}));
  EXPECT_EQ(follow("Equal", {vector_of({kV}), vector_of({-1})}), std::nullopt);
  EXPECT_EQ(follow("Less", {vector_of({kN, 3, kN}), vector_of({kN + 1, 3, kN})}), (Dims{1, 0, 0}));
  EXPECT_EQ(follow("Less", {vector_of({kN}), vector_of({0})}), (Dims{0}));
  EXPECT_EQ(follow("Less", {vector_of({kN}), vector_of({1})}), std::nullopt);
  EXPECT_EQ(follow("GreaterOrEqual", {vector_of({kN}), vector_of({0})}), (Dims{1}));
  EXPECT_EQ(follow("Greater", {vector_of({-1}), vector_of({kN})}), (Dims{0}));
  EXPECT_EQ(follow("LessOrEqual", {vector_of({-1}), vector_of({kN})}), (Dims{1}));
  const InferOperand condition = vector_of({0, 1}, DataType::kBool);
  EXPECT_EQ(follow("Where", {condition, vector_of({1}), vector_of({kN, -1})}), (Dims{kN, 1}));
  EXPECT_EQ(follow("Where", {unknown(2, DataType::kBool), vector_of({1}), vector_of({kN, -1})}), std::nullopt);
  EXPECT_EQ(follow("Not", {condition}), (Dims{1, 0}));
  EXPECT_EQ(follow("And", {condition, vector_of({1}, DataType::kBool)}), (Dims{0, 1}));
  EXPECT_EQ(follow("Or", {condition, vector_of({1}, DataType::kBool)}), (Dims{1, 1}));
  EXPECT_EQ(follow("Xor", {condition, vector_of({1}, DataType::kBool)}), (Dims{1, 0}));
}

TEST(FollowContents, DropsWhatTheTypeCannotHold) {
  EXPECT_EQ(follow("Add", {vector_of({INT64_MAX}), vector_of({1})}), std::nullopt);
  EXPECT_EQ(follow("Add", {vector_of({INT32_MAX}, DataType::kInt32), vector_of({1}, DataType::kInt32)}), std::nullopt);
  EXPECT_EQ(follow("Neg", {vector_of({INT64_MIN})}), std::nullopt);
}

}  // namespace hone
