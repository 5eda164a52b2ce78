// Inference of Slice: sizes as expressions, against the arithmetic on numbers.
#include "ops/slice.h"

#include <limits>

#include "ops/infer_probe.h"

namespace hone {

using namespace probe;

namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max(), kMin = std::numeric_limits<int64_t>::min();

// The size of x[start:end:step] for an axis of size N.
std::string sliced(Dim start, Dim end, Dim step = 1, Dim size = N) {
  return infer("Slice",
               {shaped({size}), list({std::move(start)}), list({std::move(end)}), list({0}), list({std::move(step)})})
      .shape();
}

}  // namespace

TEST(Slice, SizesComeOutSimple) {
  EXPECT_EQ(sliced(0, kMax), "[N]");
  EXPECT_EQ(sliced(0, std::numeric_limits<int32_t>::max()), "[N]");
  EXPECT_EQ(sliced(0, N), "[N]");
  EXPECT_EQ(sliced(0, 5), "[min(5, N)]");
  EXPECT_EQ(sliced(0, M), "[min(N, M)]");
  EXPECT_EQ(sliced(-2, kMax), "[min(2, N)]");
  EXPECT_EQ(sliced(kMin, kMax), "[N]");
  EXPECT_EQ(sliced(kMax, kMax), "[0]");
  EXPECT_EQ(sliced(0, kMax, 2), "[ceildiv(N, 2)]");
  EXPECT_EQ(sliced(kMax, kMin, -1), "[N]");
  EXPECT_EQ(sliced(-1, kMin, -1), "[N]");
  EXPECT_EQ(sliced(0, kMax, 2, N * Dim(32)), "[16*N]");
  EXPECT_EQ(sliced(0, floor_div(N, 2)), "[floordiv(N, 2)]");
  EXPECT_EQ(sliced(1, 3, 1, 10), "[2]");
}

TEST(Slice, ExpressionsAgreeWithNumbers) {
  const std::vector<int64_t> bounds = {kMin, -100, -7, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 100, kMax};
  for (const int64_t step : {int64_t{1}, int64_t{2}, int64_t{3}, int64_t{-1}, int64_t{-2}, int64_t{-5}, kMax, kMin}) {
    for (const int64_t start : bounds) {
      for (const int64_t end : bounds) {
        const std::optional<Dim> count = slice_count(N, start, end, step);
        ASSERT_TRUE(count.has_value());
        for (int64_t size = 0; size < 9; ++size) {
          const AxisSlice slice = slice_axis(size, start, end, step);
          EXPECT_EQ(count->eval(std::span(&size, 1)), slice.count)
              << "x[" << start << ":" << end << ":" << step << "] of size " << size;
          if (slice.count == 0) continue;
          EXPECT_GE(slice.first, 0);
          EXPECT_LT(slice.first, size);
          EXPECT_GE(slice.first + (slice.count - 1) * slice.step, 0);
          EXPECT_LT(slice.first + (slice.count - 1) * slice.step, size);
        }
      }
    }
  }
}

TEST(Slice, SymbolicBoundsAgreeWithNumbers) {
  const Dim bounds[] = {M, M + Dim(2), Dim(0) - M - Dim(1)};
  for (const int64_t step : {1, 2, -1, -3}) {
    for (const Dim& start : bounds) {
      for (const Dim& end : bounds) {
        const std::optional<Dim> count = slice_count(N, start, end, step);
        ASSERT_TRUE(count.has_value());
        for (int64_t i = 0; i < 49; ++i) {
          const int64_t symbols[] = {i / 7, i % 7};
          const AxisSlice slice = slice_axis(symbols[0], *start.eval(symbols), *end.eval(symbols), step);
          EXPECT_EQ(count->eval(symbols), slice.count) << "N = " << symbols[0] << ", M = " << symbols[1];
        }
      }
    }
  }
}

TEST(Slice, BoundsAtRunTime) {
  const Inferred given = infer("Slice", {shaped({N, 4}), runtime_list(1), runtime_list(1), list({0})});
  EXPECT_EQ(given.shape(), "[?, 4]");
  EXPECT_EQ(given.asked, (std::vector<size_t>{1, 2}));
  EXPECT_EQ(sliced(0, V), "[?]");
  EXPECT_EQ(sliced(0, 4, V), "[?]");
  EXPECT_EQ(infer("Slice", {shaped({N, 4}), list({0}), list({1}), runtime_list(1)}).shape(), "[?, ?]");
  EXPECT_EQ(infer("Slice", {shaped({N, 4}), runtime_list(M), runtime_list(M)}).shape(), "[?, ?]");
  EXPECT_EQ(infer("Slice", {shaped({N, 4}), runtime_list(M), runtime_list(M), list({1})}).shape(), "[N, ?]");

  const Tensor starts = Tensor::vector<int64_t>({1, -3}), ends = Tensor::vector<int64_t>({4, 1000});
  const Tensor axes = Tensor::vector<int64_t>({1, -3}), steps = Tensor::vector<int64_t>({2, 1});
  EXPECT_EQ(infer_at_run_time("Slice", {shaped({7, 5, 2}), known_operand(starts), known_operand(ends),
                                        known_operand(axes), known_operand(steps)}),
            "[3, 2, 2]");
  EXPECT_NE(infer_at_run_time("Slice", {shaped({7, 5, 2}), runtime_list(2), known_operand(ends)}).find("aren't known"),
            std::string::npos);
}

TEST(Slice, ContentsOfLists) {
  const auto slice = [](std::vector<Dim> data, int64_t start, int64_t end, int64_t step) {
    return infer("Slice", {list(std::move(data)), list({start}), list({end}), list({0}), list({step})}).elements();
  };
  EXPECT_EQ(slice({N, 3, H, W}, 2, kMax, 1), "[H, W]");
  EXPECT_EQ(slice({N, 3, H, W}, kMax, kMin, -1), "[W, H, 3, N]");
  EXPECT_EQ(slice({N, 3, H, W}, -1, 0, -2), "[W, 3]");
  EXPECT_EQ(slice({N, 3, H, W}, 4, 9, 1), "[]");
}

TEST(Slice, RefusesWhatDoesNotFit) {
  EXPECT_NE(sliced(0, 1, 0).find("'steps' is 0"), std::string::npos);
  EXPECT_NE(infer("Slice", {shaped({3}), list({0, 0}), list({1, 1})}).shape().find("2 elements"), std::string::npos);
  EXPECT_NE(infer("Slice", {shaped({3, 3}), list({0, 0}), list({1})}).shape().find("must be equal: 2 and 1"),
            std::string::npos);
  EXPECT_NE(infer("Slice", {shaped({3, 3}), list({0, 0}), list({1, 1}), list({1, -1})}).shape().find("named twice"),
            std::string::npos);
  EXPECT_NE(infer("Slice", {shaped({3}), list({0}), list({1}), list({3})}).shape().find("axis 3 is outside"),
            std::string::npos);
  EXPECT_NE(infer("Slice", {shaped({3}), shaped({1}), list({1})}).shape().find("must be int32 or int64"),
            std::string::npos);
}

}  // namespace hone
