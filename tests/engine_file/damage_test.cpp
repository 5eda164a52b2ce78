// Damaged engine files, loaded and run: an error or a right result where the checksums can tell, and in any case no
// step outside of memory (this suite also runs under the sanitizers).
#include <gtest/gtest.h>

#include "support/engine_checksums.h"
#include "support/engines.h"
#include "support/tensors.h"

namespace hone::test {
namespace {

// A convolution with SiLU, shape arithmetic, a view, a counted result: every kind of symbol, storage and stage.
std::vector<std::byte> small_engine() {
  GraphMaker maker;
  Random random(3);
  Value* x = maker.input("x", DataType::kFloat32, {"1", "2", "H", "4"});
  Value* rows = maker.input("rows", DataType::kInt64, {"2"});
  Value* w = maker.constant("w", mixed(DataType::kFloat32, Extents{3, 2, 1, 1}, random));
  Value* conv = maker.node("Conv", {x, w}, "conv");
  Value* act = maker.node("SiLU", {conv}, "act");
  Value* shape = maker.node("Shape", {act}, "shape");
  Value* height = maker.node("Gather", {shape, maker.constant("two", tensor<int64_t>({1}, {2}))}, "height");
  Value* rest = maker.constant("rest", tensor<int64_t>({1}, {-1}));
  Value* target = maker.node("Concat", {rest, height}, "target", {{"axis", int64_t{0}}});
  Value* flat = maker.node("Reshape", {act, target}, "flat");
  maker.output(maker.node("ReduceSum", {flat, maker.constant("axis", tensor<int64_t>({1}, {0}))}, "sums"));
  maker.output(maker.node("Reshape", {conv, rows}, "cut"));
  maker.output(maker.node("NonZero", {maker.node("Relu", {conv}, "positive")}, "where"));
  Result<std::vector<std::byte>> bytes = engine_bytes(maker.graph());
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  return bytes.ok() ? *std::move(bytes) : std::vector<std::byte>();
}

Result<std::map<std::string, Tensor>> load_and_run(std::span<const std::byte> bytes) {
  HONE_ASSIGN(const Engine engine, Engine::from_bytes(bytes, {.threads = 1}));
  HONE_ASSIGN(ExecutionContext context, engine.create_context());
  Random random(4);
  const Tensor x = mixed(DataType::kFloat32, Extents{1, 2, 3, 4}, random);
  return context.run({{"x", x}, {"rows", tensor<int64_t>({2}, {6, 6})}});
}

bool same_results(const std::map<std::string, Tensor>& a, const std::map<std::string, Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && tensors_identical(x.second, y.second);
  });
}

TEST(DamagedEngine, IsSmallAndRunsWhole) {
  const std::vector<std::byte> bytes = small_engine();
  EXPECT_LE(bytes.size(), size_t{32} << 10);
  const auto results = load_and_run(bytes);
  ASSERT_TRUE(results.ok()) << results.status().message();
  EXPECT_EQ(results->at("sums").dims(), Extents({1, 3}));
  EXPECT_EQ(results->at("cut").dims(), Extents({6, 6}));
}

TEST(DamagedEngine, EveryCutIsRefused) {
  const std::vector<std::byte> bytes = small_engine();
  for (size_t i = 0; i < 256; ++i) {
    const size_t length = bytes.size() * i / 256;
    const auto results = load_and_run(std::span(bytes).first(length));
    ASSERT_FALSE(results.ok()) << "cut at " << length;
    EXPECT_EQ(exit_code(results.status()), 6) << results.status().message();
  }
}

TEST(DamagedEngine, EveryFlippedByteIsRefusedOrHarmless) {
  std::vector<std::byte> bytes = small_engine();
  const auto whole = load_and_run(bytes);
  ASSERT_TRUE(whole.ok());
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= std::byte{0xff};
    const auto results = load_and_run(bytes);
    EXPECT_TRUE(!results.ok() || same_results(*results, *whole)) << "byte " << i;
    bytes[i] ^= std::byte{0xff};
  }
}

// Whoever recomputes the checksums may change the model, but not make it leave its memory.
TEST(DamagedEngine, EveryFlippedByteWithRightChecksumsIsSafe) {
  const std::vector<std::byte> bytes = small_engine();
  size_t ran = 0, refused = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const std::byte flip : {std::byte{0xff}, std::byte{0x01}, std::byte{0x80}}) {
      std::vector<std::byte> damaged = bytes;
      damaged[i] ^= flip;
      repair_checksums(damaged);
      ++(load_and_run(damaged).ok() ? ran : refused);
    }
  }
  EXPECT_GT(ran, 0u);
  EXPECT_GT(refused, 0u);
}

}  // namespace
}  // namespace hone::test
