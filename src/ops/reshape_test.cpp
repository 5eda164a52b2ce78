// Inference of the operators that give the same elements another shape.
#include "ops/reshape.h"

#include "ops/infer_probe.h"

namespace hone {

using namespace probe;

TEST(Reshape, NumbersAndZeros) {
  EXPECT_EQ(infer("Reshape", {shaped({2, 3, 4}), list({4, 6})}).shape(), "[4, 6]");
  EXPECT_EQ(infer("Reshape", {shaped({2, 3, 4}), list({0, -1})}).shape(), "[2, 12]");
  EXPECT_EQ(infer("Reshape", {shaped({2, 3, 4}), list({0, 0, 2, -1})}).shape(), "[2, 3, 2, 2]");
  EXPECT_EQ(infer("Reshape", {shaped({1}), list({})}).shape(), "[]");
  EXPECT_EQ(infer("Reshape", {shaped({0, 3}), list({3, 0})}, {{"allowzero", int64_t{1}}}).shape(), "[3, 0]");
  EXPECT_EQ(infer("Reshape", {shaped({0, 3}), list({-1, 3})}).shape(), "[0, 3]");
  EXPECT_EQ(infer("Reshape", {shaped({0, 3, 4}), list({0, -1})}).shape(), "[0, 12]");
}

TEST(Reshape, RefusesWhatDoesNotFit) {
  EXPECT_NE(infer("Reshape", {shaped({2, 3}), list({4, 2})}).shape().find("equal: 6 and 8"), std::string::npos);
  EXPECT_NE(infer("Reshape", {shaped({2, 3}), list({4, -1})}).shape().find("can't be shaped"), std::string::npos);
  EXPECT_NE(infer("Reshape", {shaped({6}), list({-1, -1})}).shape().find("there is a -1 before it"), std::string::npos);
  EXPECT_NE(infer("Reshape", {shaped({6}), list({-2, 3})}).shape().find("'shape' is -2"), std::string::npos);
  EXPECT_NE(infer("Reshape", {shaped({6}), list({6, 0})}).shape().find("has rank 1"), std::string::npos);
  EXPECT_NE(infer("Reshape", {shaped({0}), list({0, -1})}, {{"allowzero", int64_t{1}}}).shape().find("both 0 and -1"),
            std::string::npos);
  EXPECT_NE(infer("Reshape", {shaped({6}), list({6}, DataType::kInt32)}).shape().find("must be int64"),
            std::string::npos);
  EXPECT_FALSE(infer("Reshape", {shaped({6}), list(std::vector<Dim>(9, 1))}).status.ok());
}

TEST(Reshape, LeftOverSizesAreExpressions) {
  // A detector's head: [N, 255, H, W] -> [N, 3, 85, H, W].
  EXPECT_EQ(infer("Reshape", {shaped({N, 255, H, W}), list({N, 3, 85, H, W})}).shape(), "[N, 3, 85, H, W]");
  EXPECT_EQ(infer("Reshape", {shaped({N, 255, H, W}), list({N, 3, -1, H, W})}).shape(), "[N, 3, 85, H, W]");
  EXPECT_EQ(infer("Reshape", {shaped({N, 255, H, W}), list({0, 3, -1, H, W})}).requires_text(), "");
  EXPECT_EQ(infer("Reshape", {shaped({N, 3, H, W, 85}), list({N, -1, 85})}).shape(), "[N, 3*H*W, 85]");
  EXPECT_EQ(infer("Reshape", {shaped({H * W, N, 192}), list({H * W, N * Dim(8), 24})}).shape(), "[H*W, 8*N, 24]");
  EXPECT_EQ(infer("Reshape", {shaped({N * Dim(64), 16}), list({N, -1})}).shape(), "[N, 1024]");
  EXPECT_EQ(infer("Reshape", {shaped({N * H, 6}), list({H * Dim(2), -1})}).shape(), "[2*H, 3*N]");
  EXPECT_EQ(infer("Reshape", {shaped({N + Dim(1), 8}), list({-1, N + Dim(1)})}).shape(), "[8, N + 1]");
  EXPECT_EQ(infer("Reshape", {shaped({floor_div(H, 2), W}), list({-1, W})}).shape(), "[floordiv(H, 2), W]");
  EXPECT_EQ(infer("Reshape", {shaped({N, M}), list({-1})}).shape(), "[N*M]");
}

TEST(Reshape, RecordsWhatMustComeOutEven) {
  const Inferred halves = infer("Reshape", {shaped({N}), list({-1, 2})});
  EXPECT_EQ(halves.shape(), "[floordiv(N, 2), 2]");
  EXPECT_EQ(halves.requires_text(), "2*floordiv(N, 2) = N");
  const Inferred other = infer("Reshape", {shaped({N, 4}), list({M, 2})});
  EXPECT_EQ(other.shape(), "[M, 2]");
  EXPECT_EQ(other.requires_text(), "4*N = 2*M");
  EXPECT_EQ(infer("Reshape", {shaped({N, 4}), list({M, -1})}).shape(), "[M, floordiv(4*N, M)]");
  EXPECT_EQ(infer("Reshape", {shaped({N, 4}), list({N, 2, 2})}).requires_text(), "");
}

TEST(Reshape, RunTimeShapes) {
  const Inferred given = infer("Reshape", {shaped({2, 3, 4}), runtime_list(3)});
  EXPECT_EQ(given.shape(), "[?, ?, ?]");
  EXPECT_EQ(given.asked, std::vector<size_t>{1});
  EXPECT_EQ(infer("Reshape", {shaped({N, 4}), list({V, -1, 2})}).shape(), "[?, ?, 2]");
  EXPECT_EQ(infer("Reshape", {shaped({N, 4}), runtime_list(N)}).status.code(), Code::kUnsupported);

  const Tensor wanted = Tensor::vector<int64_t>({4, -1, 2});
  EXPECT_EQ(infer_at_run_time("Reshape", {shaped({2, 3, 4}), known_operand(wanted)}), "[4, 3, 2]");
  EXPECT_NE(infer_at_run_time("Reshape", {shaped({2, 3, 4}), runtime_list(3)}).find("aren't known"), std::string::npos);
}

TEST(Reshape, PassesContentsOn) {
  EXPECT_EQ(infer("Reshape", {list({N, 2}), list({-1})}).elements(), "[N, 2]");
  EXPECT_EQ(infer("Reshape", {scalar(N), list({1})}).elements(), "[N]");
  EXPECT_EQ(infer("Reshape", {list({N}), list({})}).elements(), "[N]");
  EXPECT_EQ(infer("Reshape", {list({N, 2}), list({2, 1})}).elements(), "unknown");
  EXPECT_EQ(infer("Squeeze", {list({N}), list({0})}).elements(), "[N]");
  EXPECT_EQ(infer("Unsqueeze", {scalar(N), list({0})}).elements(), "[N]");
}

TEST(Flatten, AnyAxis) {
  const Shape shape = {N, 3, H, W};
  const auto at = [](int64_t axis) { return AttrMap{{"axis", axis}}; };
  EXPECT_EQ(infer("Flatten", {shaped(shape)}).shape(), "[N, 3*H*W]");
  EXPECT_EQ(infer("Flatten", {shaped(shape)}, at(0)).shape(), "[1, 3*N*H*W]");
  EXPECT_EQ(infer("Flatten", {shaped(shape)}, at(4)).shape(), "[3*N*H*W, 1]");
  EXPECT_EQ(infer("Flatten", {shaped(shape)}, at(-1)).shape(), "[3*N*H, W]");
  EXPECT_EQ(infer("Flatten", {shaped({})}, at(0)).shape(), "[1, 1]");
  EXPECT_NE(infer("Flatten", {shaped(shape)}, at(5)).shape().find("'axis' is 5"), std::string::npos);
}

TEST(Squeeze, Axes) {
  EXPECT_EQ(infer("Squeeze", {shaped({1, N, 1, 3}), list({0, -2})}).shape(), "[N, 3]");
  EXPECT_EQ(infer("Squeeze", {shaped({N, 3}), list({0})}).requires_text(), "N = 1");
  EXPECT_EQ(infer("Squeeze", {shaped({1, 2, 1}), absent()}).shape(), "[2]");
  EXPECT_EQ(infer("Squeeze", {shaped({1, 2, 1})}).shape(), "[2]");
  EXPECT_EQ(infer("Squeeze", {shaped({N, 2, 1})}).status.code(), Code::kUnsupported);
  EXPECT_NE(infer("Squeeze", {shaped({2, 1}), list({0})}).shape().find("2 and 1"), std::string::npos);
  EXPECT_NE(infer("Squeeze", {shaped({1, 1}), list({0, -2})}).shape().find("named twice"), std::string::npos);
  EXPECT_NE(infer("Squeeze", {shaped({1, 1}), list({2})}).shape().find("axis 2 is outside"), std::string::npos);
  EXPECT_EQ(infer("Squeeze", {shaped({1, N, 1, 3}), runtime_list(2)}).shape(), "[?, ?]");
  const Tensor axes = Tensor::vector<int64_t>({0, 2});
  EXPECT_EQ(infer_at_run_time("Squeeze", {shaped({1, 5, 1, 3}), known_operand(axes)}), "[5, 3]");
}

TEST(Unsqueeze, Axes) {
  EXPECT_EQ(infer("Unsqueeze", {shaped({N, 3}), list({0, -1})}).shape(), "[1, N, 3, 1]");
  EXPECT_EQ(infer("Unsqueeze", {shaped({}), list({0})}).shape(), "[1]");
  EXPECT_NE(infer("Unsqueeze", {shaped({3}), list({1, 1})}).shape().find("named twice"), std::string::npos);
  EXPECT_FALSE(infer("Unsqueeze", {shaped(Shape(8, 1)), list({0})}).status.ok());
  EXPECT_EQ(infer("Unsqueeze", {shaped({N}), runtime_list(1)}).shape(), "[?, ?]");
  const Tensor axes = Tensor::vector<int64_t>({1});
  EXPECT_EQ(infer_at_run_time("Unsqueeze", {shaped({5}), known_operand(axes)}), "[5, 1]");
}

// x.view(x.shape[0], -1, x.shape[3] // 2), as exporters write it.
TEST(Reshape, ExportedView) {
  const Inferred shape = infer("Shape", {shaped({N, 4, H, W})});
  ASSERT_EQ(shape.elements(), "[N, 4, H, W]");
  const Inferred batch = infer("Gather", {shape.operand(), scalar(0)});
  const Inferred width = infer("Gather", {shape.operand(), scalar(-1)});
  const Inferred half = infer("Div", {width.operand(), scalar(2)});
  const Inferred first = infer("Unsqueeze", {batch.operand(), list({0})});
  const Inferred last = infer("Unsqueeze", {half.operand(), list({0})});
  const Inferred wanted = infer("Concat", {first.operand(), list({-1}), last.operand()}, {{"axis", int64_t{0}}});
  ASSERT_EQ(wanted.elements(), "[N, -1, floordiv(W, 2)]");
  const Inferred view = infer("Reshape", {shaped({N, 4, H, W}), wanted.operand()});
  EXPECT_EQ(view.shape(), "[N, floordiv(4*H*W, floordiv(W, 2)), floordiv(W, 2)]");
}

}  // namespace hone
