// Inference of the operators that move, repeat and pick elements, and of those that make contents from shapes.
#include "ops/infer_probe.h"

namespace hone {

using namespace probe;
using enum DataType;

namespace {

AttrMap axis_of(int64_t axis) { return {{"axis", axis}}; }

bool says(const Inferred& inferred, std::string_view part) {
  return !inferred.status.ok() && inferred.status.message().find(part) != std::string::npos;
}

}  // namespace

TEST(ShapeOp, Sizes) {
  const auto shape = [](AttrMap attrs) { return infer("Shape", {shaped({N, 3, H, W}, kBool)}, attrs); };
  EXPECT_EQ(shape({}).elements(), "[N, 3, H, W]");
  EXPECT_EQ(shape({}).shape(), "[4]");
  EXPECT_EQ(shape({{"start", int64_t{2}}}).elements(), "[H, W]");
  EXPECT_EQ(shape({{"start", int64_t{-3}}, {"end", int64_t{-1}}}).elements(), "[3, H]");
  EXPECT_EQ(shape({{"start", int64_t{3}}, {"end", int64_t{1}}}).shape(), "[0]");
  EXPECT_EQ(shape({{"start", int64_t{-99}}, {"end", int64_t{99}}}).elements(), "[N, 3, H, W]");
  EXPECT_EQ(infer("Size", {shaped({N, 3, H})}).elements(), "[3*N*H]");
  EXPECT_EQ(infer("Size", {shaped({})}).elements(), "[1]");
}

TEST(ConstantOfShape, Sizes) {
  const AttrMap seven = {{"value", Tensor::vector<int64_t>({7})}};
  EXPECT_EQ(infer("ConstantOfShape", {list({N, 3})}).shape(), "[N, 3]");
  EXPECT_EQ(infer("ConstantOfShape", {list({})}).shape(), "[]");
  EXPECT_EQ(infer("ConstantOfShape", {list({3})}, seven).elements(), "[7, 7, 7]");
  EXPECT_EQ(infer("ConstantOfShape", {list({N})}, seven).elements(), "unknown");
  EXPECT_EQ(infer("ConstantOfShape", {list({3})}).elements(), "unknown");  // float32
  EXPECT_EQ(infer("ConstantOfShape", {runtime_list(2)}).shape(), "[?, ?]");
  EXPECT_TRUE(says(infer("ConstantOfShape", {list({-1})}), "'shape' is -1"));
  EXPECT_EQ(infer("ConstantOfShape", {runtime_list(N)}).status.code(), Code::kUnsupported);
  EXPECT_TRUE(says(infer("ConstantOfShape", {list({3})}, {{"value", Tensor::vector<float>({1, 2})}}), "2 elements"));
  const Tensor dims = Tensor::vector<int64_t>({2, 0, 4});
  EXPECT_EQ(infer_at_run_time("ConstantOfShape", {known_operand(dims)}), "[2, 0, 4]");
}

TEST(RangeOp, Counts) {
  const auto range = [](Dim start, Dim limit, Dim delta) {
    return infer("Range", {scalar(std::move(start)), scalar(std::move(limit)), scalar(std::move(delta))});
  };
  EXPECT_EQ(range(0, N, 1).shape(), "[N]");
  EXPECT_EQ(range(0, N, 2).shape(), "[ceildiv(N, 2)]");
  EXPECT_EQ(range(2, 9, 3).elements(), "[2, 5, 8]");
  EXPECT_EQ(range(N, N + Dim(3), 1).elements(), "[N, N + 1, N + 2]");
  EXPECT_EQ(range(9, 2, -3).elements(), "[9, 6, 3]");
  EXPECT_EQ(range(5, 5, 1).shape(), "[0]");
  EXPECT_EQ(range(0, V, 1).shape(), "[max(0, V)]");
  EXPECT_EQ(range(0, N, V).shape(), "[?]");
  EXPECT_TRUE(says(range(0, 3, 0), "'delta' is 0"));
  EXPECT_EQ(infer("Range", {shaped({}, kInt64), shaped({}, kInt64), shaped({}, kInt64)}).shape(), "[?]");

  const Tensor zero = Tensor::scalar(0.f), tenth = Tensor::scalar(0.1f), one = Tensor::scalar(1.f);
  EXPECT_EQ(infer("Range", {shaped({}), shaped({}), shaped({})}).shape(), "[?]");
  EXPECT_EQ(infer_at_run_time("Range", {known_operand(zero), known_operand(one), known_operand(tenth)}), "[10]");
  EXPECT_NE(infer_at_run_time("Range", {known_operand(zero), known_operand(one), known_operand(zero)}).find("'delta'"),
            std::string::npos);
  const Tensor nan = Tensor::scalar(std::numeric_limits<float>::quiet_NaN());
  EXPECT_NE(infer_at_run_time("Range", {known_operand(zero), known_operand(nan), known_operand(one)}).find("no end"),
            std::string::npos);
}

TEST(Transpose, Permutations) {
  EXPECT_EQ(infer("Transpose", {shaped({N, 3, H, W})}, {{"perm", Ints{0, 2, 3, 1}}}).shape(), "[N, H, W, 3]");
  EXPECT_EQ(infer("Transpose", {shaped({N, 3, H})}).shape(), "[H, 3, N]");
  EXPECT_EQ(infer("Transpose", {list({N, 2})}).elements(), "[N, 2]");
  EXPECT_TRUE(says(infer("Transpose", {shaped({N, 3})}, {{"perm", Ints{0, 0}}}), "once"));
  EXPECT_TRUE(says(infer("Transpose", {shaped({N, 3})}, {{"perm", Ints{0, 2}}}), "once"));
  EXPECT_TRUE(says(infer("Transpose", {shaped({N, 3})}, {{"perm", Ints{0}}}), "lists 1 axes"));
}

TEST(DepthAndSpace, Sizes) {
  const AttrMap two = {{"blocksize", int64_t{2}}};
  EXPECT_EQ(infer("DepthToSpace", {shaped({N, 12, H, W})}, two).shape(), "[N, 3, 2*H, 2*W]");
  EXPECT_TRUE(says(infer("DepthToSpace", {shaped({N, 10, H, W})}, two), "8 and 10"));
  EXPECT_EQ(infer("SpaceToDepth", {shaped({N, 3, H, W * Dim(4)})}, two).shape(), "[N, 12, floordiv(H, 2), 2*W]");
  EXPECT_EQ(infer("SpaceToDepth", {shaped({N, 3, H, W * Dim(4)})}, two).requires_text(), "2*floordiv(H, 2) = H");
  EXPECT_TRUE(says(infer("SpaceToDepth", {shaped({1, 1, 1, 1})}), "'blocksize' is 0"));
}

TEST(Concat, Sizes) {
  EXPECT_EQ(infer("Concat", {shaped({N, 3, H}), shaped({N, M, H})}, axis_of(1)).shape(), "[N, M + 3, H]");
  const Inferred other = infer("Concat", {shaped({N, 3}), shaped({4, 3})}, axis_of(-1));
  EXPECT_EQ(other.shape(), "[4, 6]");
  EXPECT_EQ(other.requires_text(), "N = 4");
  EXPECT_EQ(infer("Concat", {list({N}), list({-1, 2})}, axis_of(0)).elements(), "[N, -1, 2]");
  EXPECT_EQ(infer("Concat", {list({N}), runtime_list(1)}, axis_of(0)).elements(), "unknown");
  EXPECT_TRUE(says(infer("Concat", {shaped({2, 3}), shaped({4, 3})}, axis_of(1)), "2 and 4"));
  EXPECT_TRUE(says(infer("Concat", {shaped({2, 3}), shaped({2})}, axis_of(1)), "rank 1"));
  EXPECT_TRUE(says(infer("Concat", {shaped({2}), shaped({2}, kInt64)}, axis_of(0)), "differ in type"));
  EXPECT_TRUE(says(infer("Concat", {shaped({2})}), "'axis' is missing"));
}

TEST(Split, Parts) {
  const auto split = [](const std::vector<InferOperand>& operands, AttrMap attrs, size_t outputs) {
    const Inferred inferred = infer("Split", operands, attrs, outputs);
    std::string all = inferred.shape(0);
    for (size_t i = 1; i < outputs && inferred.status.ok(); ++i) all += inferred.shape(i);
    return all;
  };
  EXPECT_EQ(split({shaped({N, 85}), list({2, 2, 81})}, axis_of(1), 3), "[N, 2][N, 2][N, 81]");
  EXPECT_EQ(split({shaped({7})}, {{"num_outputs", int64_t{3}}}, 3), "[3][3][1]");
  EXPECT_EQ(split({shaped({N})}, {{"num_outputs", int64_t{2}}}, 2), "[ceildiv(N, 2)][N - ceildiv(N, 2)]");
  EXPECT_EQ(split({shaped({N * Dim(4)})}, {{"num_outputs", int64_t{2}}}, 2), "[2*N][2*N]");
  EXPECT_EQ(split({shaped({6})}, {}, 3), "[2][2][2]");
  EXPECT_NE(split({shaped({7})}, {}, 3).find("6 and 7"), std::string::npos);
  EXPECT_NE(split({shaped({5})}, {{"num_outputs", int64_t{4}}}, 4).find("give the sizes"), std::string::npos);
  EXPECT_NE(split({shaped({7}), list({3, 3})}, {}, 2).find("6 and 7"), std::string::npos);
  EXPECT_NE(split({shaped({7}), list({8, -1})}, {}, 2).find("'split' is -1"), std::string::npos);
  EXPECT_NE(split({shaped({7}), list({7})}, {}, 2).find("1 and 2"), std::string::npos);
  EXPECT_EQ(split({shaped({N, 4}), runtime_list(2)}, {}, 2), "[?, 4][?, 4]");
  const Tensor parts = Tensor::vector<int64_t>({2, 5});
  EXPECT_EQ(infer_at_run_time("Split", {shaped({7, 4}), known_operand(parts)}, {}, 2), "[2, 4][5, 4]");
  EXPECT_EQ(infer("Split", {list({N, 2, H}), list({1, 2})}, {}, 2).elements(1), "[2, H]");
}

TEST(GatherOps, Sizes) {
  EXPECT_EQ(infer("Gather", {shaped({N, 4, H}), shaped({M, 2}, kInt64)}, axis_of(1)).shape(), "[N, M, 2, H]");
  EXPECT_EQ(infer("Gather", {shaped({N, 4}), shaped({}, kInt32)}).shape(), "[4]");
  EXPECT_EQ(infer("Gather", {list({N, 4, H}), list({-1, 0})}).elements(), "[H, N]");
  EXPECT_EQ(infer("Gather", {list({N, 4, H}), scalar(1)}).elements(), "[4]");
  EXPECT_EQ(infer("Gather", {list({N, 4, H}), scalar(3)}).elements(), "unknown");
  EXPECT_EQ(infer("Gather", {list({N, 4, H}), scalar(V)}).elements(), "unknown");
  EXPECT_TRUE(says(infer("Gather", {shaped({N}), shaped({})}), "float32"));
  EXPECT_EQ(infer("GatherElements", {shaped({N, 4}), shaped({M, 3}, kInt64)}, axis_of(1)).shape(), "[M, 3]");
  EXPECT_TRUE(says(infer("GatherElements", {shaped({N, 4}), shaped({M}, kInt64)}), "rank 1"));
  EXPECT_EQ(infer("GatherND", {shaped({N, 4, H, W}), shaped({M, 2}, kInt64)}).shape(), "[M, H, W]");
  const AttrMap batched = {{"batch_dims", int64_t{1}}};
  const Inferred batches = infer("GatherND", {shaped({8, 4, H}), shaped({N, M, 1}, kInt64)}, batched);
  EXPECT_EQ(batches.shape(), "[8, M, H]");
  EXPECT_EQ(batches.requires_text(), "8 = N");
  EXPECT_TRUE(says(infer("GatherND", {shaped({N, 4}), shaped({M, 3}, kInt64)}), "must be in [1, 2]"));
  EXPECT_EQ(infer("GatherND", {shaped({N, 4}), shaped({2, M}, kInt64)}).status.code(), Code::kUnsupported);
}

TEST(Expand, Sizes) {
  EXPECT_EQ(infer("Expand", {shaped({3, 1}), list({2, 1, 6})}).shape(), "[2, 3, 6]");
  EXPECT_EQ(infer("Expand", {shaped({1, 3}), list({N, 1})}).shape(), "[N, 3]");
  EXPECT_EQ(infer("Expand", {shaped({N, 3}), list({3})}).shape(), "[N, 3]");
  EXPECT_EQ(infer("Expand", {shaped({N, 3}), list({N, 3})}).requires_text(), "");
  const Inferred either = infer("Expand", {shaped({N}), list({M})});
  EXPECT_EQ(either.shape(), "[broadcast(N, M)]");
  EXPECT_EQ(either.requires_text(), "N ~ M");
  EXPECT_EQ(infer("Expand", {shaped({N, 1}), runtime_list(3)}).shape(), "[?, ?, ?]");
  EXPECT_EQ(infer("Expand", {shaped({1}), list({V, 2})}).shape(), "[?, 2]");
  EXPECT_TRUE(says(infer("Expand", {shaped({2}), list({3})}), "2 and 3"));
  EXPECT_TRUE(says(infer("Expand", {shaped({2}), list({-1})}), "'shape' is -1"));
  EXPECT_EQ(infer("Expand", {list({N}), list({3})}).elements(), "[N, N, N]");
  EXPECT_EQ(infer("Expand", {scalar(V), list({2})}).elements(), "[V, V]");
  const Tensor shape = Tensor::vector<int64_t>({2, 1, 6});
  EXPECT_EQ(infer_at_run_time("Expand", {shaped({3, 1}), known_operand(shape)}), "[2, 3, 6]");
}

// x.expand(n, -1, w): Where(Equal(shape, -1), ones, shape).
TEST(Expand, ExportedPattern) {
  const Inferred wanted = infer("Concat", {list({N}), list({-1}), list({W})}, axis_of(0));
  const Inferred length = infer("Shape", {wanted.operand()});
  const Inferred ones = infer("ConstantOfShape", {length.operand()}, {{"value", Tensor::vector<int64_t>({1})}});
  const Inferred minus = infer("Mul", {ones.operand(), scalar(-1)});
  const Inferred open = infer("Equal", {wanted.operand(), minus.operand()});
  const Inferred shape = infer("Where", {open.operand(), ones.operand(), wanted.operand()});
  ASSERT_EQ(shape.elements(), "[N, 1, W]");
  EXPECT_EQ(infer("Expand", {shaped({1, H, 1}), shape.operand()}).shape(), "[N, H, W]");
}

TEST(Tile, Sizes) {
  EXPECT_EQ(infer("Tile", {shaped({N, 3}), list({2, M})}).shape(), "[2*N, 3*M]");
  EXPECT_EQ(infer("Tile", {shaped({N, 3}), runtime_list(2)}).shape(), "[?, ?]");
  EXPECT_EQ(infer("Tile", {shaped({N, 3}), runtime_list(M)}).shape(), "[?, ?]");
  EXPECT_EQ(infer("Tile", {shaped({N, 3}), list({2, V})}).shape(), "[2*N, ?]");
  EXPECT_TRUE(says(infer("Tile", {shaped({N, 3}), list({2})}), "1 and 2"));
  EXPECT_TRUE(says(infer("Tile", {shaped({N}), list({-2})}), "'repeats' is -2"));
  const Tensor repeats = Tensor::vector<int64_t>({2, 0});
  EXPECT_EQ(infer_at_run_time("Tile", {shaped({5, 3}), known_operand(repeats)}), "[10, 0]");
}

TEST(Pad, Sizes) {
  EXPECT_EQ(infer("Pad", {shaped({N, 3}), list({1, 0, 2, -1})}).shape(), "[N + 3, 2]");
  EXPECT_EQ(infer("Pad", {shaped({N, 3}), list({1, 2}), absent(), list({-1})}).shape(), "[N, 6]");
  EXPECT_EQ(infer("Pad", {shaped({N}), list({V, 2})}).shape(), "[?]");
  EXPECT_EQ(infer("Pad", {shaped({N}), list({0, Dim(4) - mod(N, 4)})}).shape(), "[N - mod(N, 4) + 4]");
  EXPECT_EQ(infer("Pad", {shaped({N, 3}), runtime_list(4)}).shape(), "[?, ?]");
  EXPECT_EQ(infer("Pad", {shaped({N, 3}), runtime_list(M)}).shape(), "[?, ?]");
  EXPECT_EQ(infer("Pad", {shaped({N, 3}), list({1, 1}), absent(), runtime_list(1)}).shape(), "[?, ?]");
  EXPECT_TRUE(says(infer("Pad", {shaped({2}), list({-2, -1})}), "takes away more"));
  EXPECT_TRUE(says(infer("Pad", {shaped({2}), list({1})}), "1 and 2"));
  EXPECT_TRUE(says(infer("Pad", {shaped({2}), list({1, 1})}, {{"mode", std::string("mirror")}}), "mirror"));
  const Tensor pads = Tensor::vector<int64_t>({1, -2}), axes = Tensor::vector<int32_t>({1});
  EXPECT_EQ(infer_at_run_time("Pad", {shaped({4, 5}), known_operand(pads), absent(), known_operand(axes)}), "[4, 4]");
}

TEST(Scatter, KeepsTheDataShape) {
  const Inferred nd = infer("ScatterND", {shaped({N, 4, H}), shaped({M, 2}, kInt64), shaped({M, H})});
  EXPECT_EQ(nd.shape(), "[N, 4, H]");
  EXPECT_EQ(nd.requires_text(), "");
  EXPECT_EQ(infer("ScatterND", {shaped({N, 4}), shaped({8, 1}, kInt64), shaped({M, 4})}).requires_text(), "M = 8");
  EXPECT_TRUE(says(infer("ScatterND", {shaped({N, 4}), shaped({M, 1}, kInt64), shaped({M, 3})}), "3 and 4"));
  EXPECT_TRUE(says(infer("ScatterND", {shaped({N, 4}), shaped({M, 3}, kInt64), shaped({M})}), "must be in [1, 2]"));
  EXPECT_TRUE(says(infer("ScatterND", {shaped({N, 4}), shaped({M, 1}, kInt64), shaped({M})}), "rank 1"));
  EXPECT_TRUE(says(infer("ScatterND", {shaped({2}, kBool), shaped({2, 1}, kInt64), shaped({2}, kBool)},
                         {{"reduction", std::string("add")}}),
                   "bool"));
  const Inferred elements = infer("ScatterElements", {shaped({N, 4}), shaped({M, 3}, kInt32), shaped({M, 3})});
  EXPECT_EQ(elements.shape(), "[N, 4]");
  EXPECT_TRUE(says(infer("ScatterElements", {shaped({N, 4}), shaped({2, 3}, kInt32), shaped({2, 4})}), "3 and 4"));
}

TEST(Counted, NonZeroAndCompress) {
  const Inferred nonzero = infer("NonZero", {shaped({N, 3})});
  EXPECT_EQ(nonzero.shape(), "[2, #]");
  EXPECT_EQ(text(nonzero.bounds), "[3*N]");
  const Inferred compress = infer("Compress", {shaped({N, 3}), shaped({M}, kBool)}, axis_of(0));
  EXPECT_EQ(compress.shape(), "[#, 3]");
  EXPECT_EQ(text(compress.bounds), "[min(N, M)]");
  EXPECT_EQ(infer("Compress", {shaped({N, 3}), list({1, 0, 1}, kBool)}, axis_of(1)).shape(), "[N, 2]");
  EXPECT_EQ(infer("Compress", {shaped({N, 3}), list({1, 0, 1}, kBool)}).shape(), "[#]");
}

TEST(OneHot, Sizes) {
  const auto one_hot = [](InferOperand depth, int64_t axis) {
    return infer("OneHot", {shaped({N, 3}, kInt64), std::move(depth), shaped({2})}, axis_of(axis));
  };
  EXPECT_EQ(one_hot(scalar(10), -1).shape(), "[N, 3, 10]");
  EXPECT_EQ(one_hot(list({M}), 0).shape(), "[M, N, 3]");
  EXPECT_EQ(one_hot(shaped({}, kFloat32), 1).shape(), "[N, ?, 3]");
  EXPECT_EQ(one_hot(scalar(V), 1).shape(), "[N, ?, 3]");
  EXPECT_TRUE(says(one_hot(scalar(-1), 1), "'depth' is -1"));
  EXPECT_TRUE(says(one_hot(scalar(1), 3), "axis 3"));
  const Tensor depth = Tensor::scalar(4.f);
  EXPECT_EQ(infer_at_run_time("OneHot", {shaped({2}, kInt64), known_operand(depth), shaped({2})}), "[2, 4]");
}

TEST(Movement, TakesEveryComputableTypeAndNoOther) {
  for (const DataType dtype : {kFloat16, kBFloat16, kFloat64, kInt8, kUint64, kBool}) {
    EXPECT_EQ(infer("Transpose", {shaped({2, 3}, dtype)}).outputs[0].type.dtype, dtype);
  }
  EXPECT_EQ(infer("Transpose", {shaped({2, 3}, kString)}).status.code(), Code::kUnsupported);
  EXPECT_EQ(infer("Reshape", {shaped({2, 3}, kFloat8E5M2), list({6})}).status.code(), Code::kUnsupported);
}

TEST(Movement, HugeSizesOverflowToInvalidDimensions) {
  const Dim huge = int64_t{1} << 62;
  EXPECT_TRUE(infer("Tile", {shaped({huge}), list({4})}).outputs[0].type.shape[0].is_invalid());
  EXPECT_TRUE(infer("Pad", {shaped({huge}), list({huge, huge})}).outputs[0].type.shape[0].is_invalid());
  EXPECT_TRUE(infer("Concat", {shaped({huge}), shaped({huge})}, axis_of(0)).outputs[0].type.shape[0].is_invalid());
  EXPECT_TRUE(infer("Flatten", {shaped({huge, huge, 2})}, axis_of(2)).outputs[0].type.shape[0].is_invalid());
}

}  // namespace hone
