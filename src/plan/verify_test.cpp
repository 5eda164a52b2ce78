#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "plan/plan.h"
#include "plan/sample_plan.h"

namespace hone {
namespace {

Status verify_sample(const Plan& plan) {
  const std::vector<std::byte> weights(72);
  return verify(plan, test::sample_blocks(), weights);
}

TEST(Verify, AcceptsTheSamplePlan) {
  const Status status = verify_sample(test::sample_plan());
  EXPECT_TRUE(status.ok()) << status.message();
}

struct Damage {
  const char* name;
  std::function<void(Plan&)> apply;
  const char* message;  // part of it
};

class VerifyDamage : public testing::TestWithParam<Damage> {};

TEST_P(VerifyDamage, IsRefused) {
  Plan plan = test::sample_plan();
  GetParam().apply(plan);
  const Status status = verify_sample(plan);
  EXPECT_EQ(status.code(), Code::kCorruptEngine);
  EXPECT_NE(status.message().find(GetParam().message), std::string::npos) << status.message();
}

const Dim kN = Dim::symbol(0, true);

INSTANTIATE_TEST_SUITE_P(
    All, VerifyDamage,
    testing::Values(
        Damage{"SymbolValue", [](Plan& p) { p.symbols[0].value = 99; }, "isn't there"},
        Damage{"SymbolAxis", [](Plan& p) { p.symbols[0].index = 1; }, "claims to be"},
        Damage{"SymbolOfOutput", [](Plan& p) { p.symbols[3].kind = PlanSymbol::Kind::kInputDim; }, "isn't its own"},
        Damage{"HostElement", [](Plan& p) { p.symbols[1].index = 1; }, "isn't an element"},
        Damage{"BoundOfItself", [](Plan& p) { p.symbols[2].bound = Dim::symbol(2, true); }, "depends on itself"},
        Damage{"BoundTooSmall", [](Plan& p) { p.symbols[2].bound = kN * 2; }, "binding 'kept'"},
        Damage{"StorageOfNoBlock", [](Plan& p) { p.storages[2].index = 7; }, "weight block"},
        Damage{"StorageOverBlock", [](Plan& p) { p.storages[2].bytes = 9; }, "weight block"},
        Damage{"StorageNegative", [](Plan& p) { p.storages[3].bytes = -8; }, "negative"},
        Damage{"StorageCounted", [](Plan& p) { p.storages[4].bytes = Dim::symbol(2, true); }, "counted"},
        Damage{"StorageBinding", [](Plan& p) { p.storages[0].index = 2; }, "binding"},
        Damage{"StorageOfInput", [](Plan& p) { p.storages[0].bytes = kN * 24; }, "binding 'x'"},
        Damage{"ValueStorage", [](Plan& p) { p.values[3].storage = 100; }, "storage isn't there"},
        Damage{"ValueOffset", [](Plan& p) { p.values[3].offset_bytes = 8; }, "outside its storage"},
        Damage{"ValueOffsetNegative", [](Plan& p) { p.values[3].offset_bytes = -8; }, "offset"},
        Damage{"ValueOffsetOdd", [](Plan& p) { p.values[3].offset_bytes = 4; }, "offset"},
        Damage{"ValueOffsetSymbolic", [](Plan& p) { p.values[3].offset_bytes = kN; }, "offset"},
        Damage{"ValueTooLarge", [](Plan& p) { p.values[3].type.shape = {2}; }, "outside its storage"},
        Damage{"ValueOverflow", [](Plan& p) { p.values[4].type.shape = {int64_t{1} << 62, 4}; }, "2^63"},
        Damage{"ValueNegative", [](Plan& p) { p.values[4].type.shape = {-1}; }, "negative"},
        Damage{"ValueRank", [](Plan& p) { p.values[4].type.shape = Shape(9, Dim(1)); }, "rank"},
        Damage{"ValueType", [](Plan& p) { p.values[4].type.dtype = DataType::kString; }, "can't be computed"},
        Damage{"ValueUnknownSymbol", [](Plan& p) { p.values[3].type.shape = {Dim::symbol(44, true)}; }, "symbol"},
        Damage{"HostSymbolNonnegative", [](Plan& p) { p.values[6].type.shape = {Dim::symbol(1, true)}; }, "symbol"},
        Damage{"ConstantSymbolic", [](Plan& p) { p.values[2].type.shape = {kN}; }, "constant"},
        Damage{"BindingValue", [](Plan& p) { p.bindings[4].value = -1; }, "isn't there"},
        Damage{"BindingTwice", [](Plan& p) { p.bindings[4].name = "kept"; }, "twice"},
        Damage{"BindingOrder", [](Plan& p) { std::swap(p.bindings[1], p.bindings[2]); }, "binding"},
        Damage{"BindingShapeOutput", [](Plan& p) { p.bindings[4].is_shape_value = true; }, "output"},
        Damage{"InputInArena", [](Plan& p) { p.bindings[0].value = 4; }, "user's buffer"},
        Damage{"ProfileRank", [](Plan& p) { p.profile.inputs["x"].pop_back(); }, "rank"},
        Damage{"ProfileName", [](Plan& p) { p.profile.inputs["z"] = {}; }, "isn't there"},
        Damage{"ProfileRange", [](Plan& p) { p.profile.inputs["x"][0].min = 5; }, "min <= opt"},
        Damage{"ProfileValue", [](Plan& p) { p.profile.values["x"] = {}; }, "decides shapes"},
        Damage{"StepOp", [](Plan& p) { p.steps[0].op = nullptr; }, "no operator"},
        Damage{"StepInput", [](Plan& p) { p.steps[0].inputs[0] = 50; }, "operand"},
        Damage{"StepInputMinusTwo", [](Plan& p) { p.steps[0].inputs[0] = -2; }, "operand"},
        Damage{"StepOutput", [](Plan& p) { p.steps[0].outputs[0] = -1; }, "output isn't there"},
        Damage{"StepNoOutput", [](Plan& p) { p.steps[0].outputs.clear(); }, "no outputs"},
        Damage{"StepOrder", [](Plan& p) { std::swap(p.steps[1], p.steps[4]); }, "before anything wrote it"},
        Damage{"ShapeStepReadsInput", [](Plan& p) { p.steps[1].stage = Step::Stage::kShape; }, "before anything wrote it"},
        Damage{"WritesInput", [](Plan& p) { p.steps[1].outputs[0] = 0; }, "holds something else"},
        Damage{"WritesConstant", [](Plan& p) { p.steps[3].outputs[0] = 2; }, "holds something else"},
        Damage{"WritesTwice", [](Plan& p) { p.steps[3].outputs[0] = 4; }, "computed twice"},
        Damage{"ViewElsewhere", [](Plan& p) { p.values[5].storage = 5; p.values[5].type.shape = {1}; p.storages[5].bytes = 1000; }, "binding"},
        Damage{"ViewOfOtherSize", [](Plan& p) { p.values[5].type.shape = {kN * 3 - 1}; }, "another shape"},
        Damage{"ViewWithoutOperand", [](Plan& p) { p.steps[2].inputs[0] = -1; }, "isn't a view"},
        Damage{"KernelInPlace", [](Plan& p) { p.steps[2].kernel = "Flat"; }, "holds something else"},
        Damage{"ResolvedElsewhere", [](Plan& p) { p.steps[1].resolved = {3}; }, "isn't its own"},
        Damage{"ResolvedTwice", [](Plan& p) { p.steps[4].resolved = {3, 3}; }, "isn't its own"},
        Damage{"ResolvedByNobody", [](Plan& p) { p.steps[4].resolved.clear(); }, "nothing tells"},
        Damage{"CountedUnknown", [](Plan& p) { p.steps[4].counted = {77}; }, "isn't its own"},
        Damage{"Requirement", [](Plan& p) { p.steps[1].requirements[0].a = Dim::symbol(9, true); }, "requirement"},
        Damage{"BodyInputs", [](Plan& p) { Body b = *p.steps[1].body; b.num_inputs = 4000000000U; p.steps[1].body = std::make_shared<Body>(b); }, "body"},
        Damage{"BodyOperand", [](Plan& p) { Body b = *p.steps[1].body; b.steps[0].operands = {2}; p.steps[1].body = std::make_shared<Body>(b); }, "before it is made"},
        Damage{"BodyResult", [](Plan& p) { Body b = *p.steps[1].body; b.results = {9}; p.steps[1].body = std::make_shared<Body>(b); }, "result of its body"},
        Damage{"InferArity", [](Plan& p) { p.steps[3].inputs.pop_back(); }, "operand 1 is missing"},
        Damage{"InferType", [](Plan& p) { p.values[8].type.dtype = DataType::kInt32; }, "isn't the one"},
        Damage{"InferDim", [](Plan& p) { p.values[6].type.shape = {max(Dim::symbol(1, false), 0) + 1}; p.storages[5].bytes = max(Dim::symbol(1, false), 0) * 4 + 4; }, "isn't the one"},
        Damage{"InferRank", [](Plan& p) { p.values[6].type.shape = {max(Dim::symbol(1, false), 0), 1}; }, "isn't the one"},
        Damage{"HostSymbolTooEarly", [](Plan& p) { p.values[3].type.shape = {Dim::symbol(1, false)}; p.symbols[1].value = 1; p.bindings[1].is_shape_value = false; p.profile.values.clear(); }, "before anything wrote it"},
        Damage{"TuningStep", [](Plan& p) { p.tuning[0].step = 5; }, "tuning"}),
    [](const auto& damage) { return std::string(damage.param.name); });

TEST(Verify, ConstantContentsDecideShapes) {
  // Fill(scale, sizes = constant {5}): the planned size must be 5.
  Plan plan;
  plan.storages = {{PlanStorage::Kind::kConstant, 0, 8}, {PlanStorage::Kind::kOutput, 0, 20}};
  plan.values = {{"sizes", {DataType::kInt64, {1}}, 0, 0}, {"y", {DataType::kFloat32, {5}}, 1, 0}};
  plan.bindings = {{"y", false, 1, false}};
  plan.steps = {{.name = "fill",
                 .op = test::test_op<test::Fill>(),
                 .inputs = {0, 0},
                 .outputs = {1},
                 .backend = "reference",
                 .kernel = "Fill"}};
  alignas(64) const int64_t five = 5, six = 6;
  const std::vector<WeightBlock> blocks = {{0, 8}};
  EXPECT_TRUE(verify(plan, blocks, std::as_bytes(std::span(&five, 1))).ok());
  EXPECT_FALSE(verify(plan, blocks, std::as_bytes(std::span(&six, 1))).ok());
  EXPECT_TRUE(verify(plan, blocks).ok());  // contents not given
}

// x -> half of x, of a length that is resolved from x's shape.
struct Halve final : OpBase<Halve> {
  static constexpr const char* kName = "Halve";
  Status infer(InferContext& ctx) const override {
    HONE_TRY(ctx.expect_inputs(1, 1));
    ctx.set_output(0, ctx.dtype(0), {ctx.resolved_later("half")});
    return {};
  }
};

// x: [a] -> int64[1]. Steps of this name may read shapes of values without contents.
struct ShapeOf final : OpBase<ShapeOf> {
  static constexpr const char* kName = "Shape";
  Status infer(InferContext& ctx) const override {
    HONE_TRY(ctx.expect_inputs(1, 1));
    ctx.set_output(0, DataType::kInt64, {1});
    return {};
  }
};

// x: [N] --Select (if `counted`)--> kept: [K] --Halve--> half: [M] --Shape--> length --Fill--> filled: [length[0]].
Plan shape_of_resolved(bool counted) {
  using StorageKind = PlanStorage::Kind;
  const Dim n = Dim::symbol(0, true), m = Dim::symbol(1, true), h = Dim::symbol(2, false), k = Dim::symbol(3, true),
            rest = Dim::symbol(4, true);
  const auto f32 = DataType::kFloat32;
  Plan plan;
  plan.symbols = {{"N", PlanSymbol::Kind::kInputDim, 0, 0, 0},
                  {"M", PlanSymbol::Kind::kResolved, 1, 0, 0},
                  {"H", PlanSymbol::Kind::kHostValue, 2, 0, 0}};
  plan.storages = {{StorageKind::kInput, 0, n * 4},
                   {StorageKind::kArena, 0, m * 4},
                   {StorageKind::kArena, 0, 8},
                   {StorageKind::kOutput, 1, max(h, 0) * 4}};
  plan.values = {{"x", {f32, {n}}, 0, 0},
                 {"half", {f32, {m}}, 1, 0},
                 {"length", {DataType::kInt64, {1}}, 2, 0},
                 {"filled", {f32, {max(h, 0)}}, 3, 0}};
  plan.bindings = {{"x", true, 0, false}, {"filled", false, 3, false}};
  const auto step = [&](const char* name, OpPtr op, std::vector<ValueId> inputs, std::vector<ValueId> outputs) {
    plan.steps.push_back({.name = name,
                          .op = std::move(op),
                          .inputs = std::move(inputs),
                          .outputs = std::move(outputs),
                          .backend = "reference",
                          .kernel = name});
    return &plan.steps.back();
  };
  if (counted) {
    plan.symbols.push_back({"K", PlanSymbol::Kind::kCounted, 4, 0, n});
    plan.symbols.push_back({"R", PlanSymbol::Kind::kResolved, 5, 0, 0});
    plan.storages.insert(plan.storages.end(), {{StorageKind::kArena, 0, n * 4}, {StorageKind::kArena, 0, rest * 4}});
    plan.values.insert(plan.values.end(), {{"kept", {f32, {k}}, 4, 0}, {"rest", {f32, {rest}}, 5, 0}});
    Step* const select = step("Select", test::test_op<test::Select>(), {0}, {4, 5});
    select->counted = {3};
    select->resolved = {4};
  }
  step("Halve", std::make_shared<Halve>(), {counted ? 4 : 0}, {1})->resolved = {1};
  step("Shape", std::make_shared<ShapeOf>(), {1}, {2})->stage = Step::Stage::kShape;
  step("Fill", test::test_op<test::Fill>(), {0, 2}, {3});
  return plan;
}

TEST(Verify, ShapeStepsReadShapesThatRunStepsResolve) {
  const Status status = verify(shape_of_resolved(false), {});
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST(Verify, ShapeStepsReadNothingThatOnlyTheRunTells) {
  const auto expect_refused = [](const Plan& plan, std::string_view message) {
    const Status status = verify(plan, {});
    EXPECT_EQ(status.code(), Code::kCorruptEngine);
    EXPECT_NE(status.message().find(message), std::string::npos) << status.message();
  };
  expect_refused(shape_of_resolved(true), "the shape of 'half' isn't known there");
  Plan early = shape_of_resolved(false);
  std::swap(early.steps[0], early.steps[1]);
  expect_refused(early, "the shape of 'half' isn't known there");
  Plan contents = shape_of_resolved(false);
  contents.steps[1].op = test::test_op<test::Twice>();
  expect_refused(contents, "step 'Shape': it reads 'half' before anything wrote it");
}

TEST(Lifetimes, AreTheUnionOfTheViews) {
  const std::vector<Lifetime> lives = storage_lifetimes(test::sample_plan());
  EXPECT_EQ(lives[4].first, 1);  // decorated, and its view until `select`
  EXPECT_EQ(lives[4].last, 4);
  EXPECT_TRUE(lives[3].host_value);
  EXPECT_TRUE(lives[1].host_value);
  EXPECT_FALSE(lives[4].host_value);
  EXPECT_EQ(lives[7].last, 4);  // a result
}

TEST(Place, NothingThatLivesTogetherOverlaps) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> lives;
    std::vector<int64_t> sizes;
    for (uint32_t i = 0; i < 1 + random() % 40; ++i) {
      const auto first = static_cast<int32_t>(random() % 30);
      lives.push_back({first, first + static_cast<int32_t>(random() % 6) - 1});
      sizes.push_back(static_cast<int64_t>(random() % 1000) - 50);
    }
    const Placement placement = place(lives, sizes);
    for (size_t i = 0; i < sizes.size(); ++i) {
      if (sizes[i] < 0) {
        EXPECT_EQ(placement.offsets[i], -1);
        continue;
      }
      EXPECT_EQ(placement.offsets[i] % 64, 0);
      if (lives[i].first > lives[i].last) continue;
      EXPECT_LE(placement.offsets[i] + sizes[i], placement.arena_bytes);
      for (size_t j = 0; j < i; ++j) {
        const bool together = sizes[j] > 0 && lives[j].first <= lives[j].last && lives[i].first <= lives[j].last &&
                              lives[j].first <= lives[i].last;
        const bool apart = placement.offsets[i] + sizes[i] <= placement.offsets[j] ||
                           placement.offsets[j] + sizes[j] <= placement.offsets[i];
        EXPECT_TRUE(!together || apart || sizes[i] == 0);
      }
    }
  }
}

TEST(Place, ReusesMemory) {
  // A chain of equal steps needs two buffers, whatever its length.
  std::vector<Lifetime> lives;
  for (int32_t i = 0; i < 50; ++i) lives.push_back({i, i + 1});
  const Placement placement = place(lives, std::vector<int64_t>(50, 6400));
  EXPECT_EQ(placement.arena_bytes, 12800);
}

TEST(Place, HugeSizesDontOverflow) {
  const std::vector<Lifetime> lives(3, Lifetime{0, 1});
  const Placement placement = place(lives, std::vector<int64_t>(3, INT64_MAX - 1));
  EXPECT_GT(placement.arena_bytes, INT64_MAX / 2);
}

}  // namespace
}  // namespace hone
