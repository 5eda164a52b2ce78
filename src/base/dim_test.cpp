#include "hone/dim.h"

#include <gtest/gtest.h>

namespace hone {
namespace {

const Dim n = Dim::symbol(0, true), m = Dim::symbol(1, true), h = Dim::symbol(2, false);

std::string text(const Dim& dim) {
  return dim.to_string([](SymbolId id) { return std::string(1, "nmh"[id]); });
}

TEST(Dim, EqualExpressionsCompareEqualHoweverWritten) {
  EXPECT_EQ((n + m) * 2, m * 2 + n + n);
  EXPECT_EQ((n + 1) * (n - 1), n * n - 1);
  EXPECT_EQ(n - n, Dim(0));
  EXPECT_NE(n, m);
}

TEST(Dim, DivisionCancelsOnlyWhereItIsExact) {
  EXPECT_EQ(floor_div(n * 6 + 4, 2), n * 3 + 2);
  EXPECT_EQ(ceil_div(n * 32, 32), n);
  EXPECT_EQ(text(floor_div(n + 1, 2)), "floordiv(n + 1, 2)");
  EXPECT_EQ(text(floor_div(n * m, m)), "floordiv(n*m, m)");  // m may be 0
  EXPECT_TRUE(floor_div(n, 0).is_invalid());
}

TEST(Dim, EvalRoundsTowardsMinusInfinity) {
  const int64_t values[] = {-7, 2, 1};
  EXPECT_EQ(floor_div(n, m).eval(values), -4);
  EXPECT_EQ(ceil_div(n, m).eval(values), -3);
  EXPECT_EQ(mod(n, m).eval(values), 1);
  EXPECT_EQ(broadcast(h, n).eval(values), -7);
}

TEST(Dim, EvalRefusesOverflowZeroDivisorsAndUnboundSymbols) {
  const int64_t values[] = {INT64_MAX, 0, Dim::kUnbound};
  EXPECT_FALSE((n * 2).eval(values));
  EXPECT_FALSE(floor_div(n, m).eval(values));
  EXPECT_FALSE(h.eval(values));
  EXPECT_TRUE((Dim(INT64_MAX) + 1).is_invalid());
  EXPECT_TRUE((Dim(INT64_MAX) * 2 + n).is_invalid());
}

TEST(Dim, MinAndMaxUseSigns) {
  EXPECT_EQ(max(n, 0), n);
  EXPECT_EQ(min(n + 3, n), n);
  EXPECT_EQ(text(max(h, 0)), "max(0, h)");
}

TEST(Dim, SignsFollowFromBounds) {
  EXPECT_TRUE((n - floor_div(n, 3)).nonnegative());
  EXPECT_TRUE((n - ceil_div(n, 2)).nonnegative());
  EXPECT_TRUE((Dim(4) - mod(n, 4)).nonnegative());
  EXPECT_TRUE((n * m - m * floor_div(n, 2)).nonnegative());
  EXPECT_TRUE((n - min(n, m)).nonnegative());
  EXPECT_TRUE((max(n, 5) - 3).nonnegative());
  EXPECT_TRUE(floor_div(n - min(n, 7), 2).nonnegative());
  EXPECT_EQ(text(min(n, floor_div(n, 2))), "floordiv(n, 2)");
  EXPECT_FALSE((n - 1).nonnegative());
  EXPECT_FALSE((n - floor_div(n, 3) * 4).nonnegative());
  EXPECT_FALSE((h - floor_div(h, 3)).nonnegative());
  EXPECT_FALSE((Dim(4) - mod(n, 6)).nonnegative());
  EXPECT_FALSE((max(n, 5) - 6).nonnegative());
  EXPECT_FALSE((n * h - h * floor_div(n, 2)).nonnegative());
}

// Random expressions: one that is said to be nonnegative is so wherever it has a value.
TEST(Dim, SignsAreSound) {
  uint64_t state = 1;
  const auto draw = [&state](uint64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>((state >> 33) % below);
  };
  int said = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<Dim> pool = {n, m, h, draw(7) - 2};
    for (int step = 0; step < 5; ++step) {
      const auto any = [&] { return pool[static_cast<size_t>(draw(pool.size()))]; };
      const Dim a = any(), b = any();
      const Dim made[] = {a + b, a - b, a * b, floor_div(a, b), ceil_div(a, b), mod(a, b), min(a, b), max(a, b)};
      pool.push_back(made[draw(8)]);
    }
    const Dim& dim = pool.back();
    if (!dim.nonnegative()) continue;
    ++said;
    for (int64_t i = 0; i < 252; ++i) {
      const int64_t symbols[] = {i % 6, i / 6 % 6, i / 36 - 3};
      const std::optional<int64_t> value = dim.eval(symbols);
      EXPECT_TRUE(!value || *value >= 0) << text(dim) << " at " << symbols[0] << ", " << symbols[1] << ", "
                                         << symbols[2];
    }
  }
  EXPECT_GT(said, 300);
}

TEST(Dim, TextSubtracts) {
  EXPECT_EQ(text(n - m * 2 - 3), "n - 2*m - 3");
  EXPECT_EQ(text(Dim(4) - n), "-n + 4");
  EXPECT_EQ(text(n + INT64_MIN), "n + -9223372036854775808");
}

TEST(Dim, SubstituteRenormalises) {
  const Dim replaced = floor_div(n + 1, 2).substitute([](SymbolId) { return std::optional<Dim>(Dim(7)); });
  EXPECT_EQ(replaced, Dim(4));
}

TEST(Dim, GrowthIsBounded) {
  Dim shared = n, chain = n;
  for (int i = 0; i < 10000; ++i) {
    shared = floor_div(shared * shared + 1, 2);  // doubles each time
    chain = floor_div(chain + 1, 2);             // one deeper each time
  }
  EXPECT_TRUE(shared.is_invalid());
  EXPECT_TRUE(chain.is_invalid());
}

}  // namespace
}  // namespace hone
