// Conv and ConvTranspose.
#include "ops/naive.h"
#include "support/op_case.h"

namespace hone::test {

using enum DataType;

namespace {

constexpr DataType kFloats[] = {kFloat32, kFloat64, kFloat16, kBFloat16};

// Other backends sum in float32, in another order.
constexpr Tolerance kSums = {1e-4, 1e-4};

// One convolution with everything spelled out; `y` is the output's shape, worked out by hand.
struct Slide {
  Extents strides, dilations, pads_begin;
  int64_t group = 1;
  Extents y;
};

// Calls visit(position in X, position in W, spatial offset stride * a + dilation * k - pad) for every pair of a spatial
// position `a` of an array with dims `from`, and a tap k.
template <class F>
void for_each_pair(const Slide& slide, const Extents& from, const Extents& kernel, F&& visit) {
  for_each_position(from, [&](const Extents& a) {
    for_each_position(kernel, [&](const Extents& k) {
      Extents offset;
      for (size_t i = 0; i < a.size(); ++i) {
        offset.push_back(slide.strides[i] * a[i] + slide.dilations[i] * k[i] - slide.pads_begin[i]);
      }
      visit(a, k, offset);
    });
  });
}

Extents spatial(const Extents& dims) { return Extents(std::span<const int64_t>(dims).subspan(2)); }

Extents join(int64_t first, int64_t second, const Extents& rest) {
  Extents at = {first, second};
  for (const int64_t x : rest) at.push_back(x);
  return at;
}

Array biased(const Slide& slide, std::span<const Tensor> inputs) {
  Array y(slide.y);
  if (inputs.size() < 3) return y;
  const Array bias(inputs[2]);
  for_each_position(slide.y, [&](const Extents& at) { y[at] = bias[{at[1]}]; });
  return y;
}

Independent conv(Slide slide) {
  return [slide](std::span<const Tensor> inputs) {
    const Array x(inputs[0]), w(inputs[1]);
    Array y = biased(slide, inputs);
    const int64_t m_per_group = w.dims()[0] / slide.group, c_per_group = w.dims()[1];
    for_each_position({slide.y[0], w.dims()[0], c_per_group}, [&](const Extents& nmc) {
      const int64_t channel = nmc[1] / m_per_group * c_per_group + nmc[2];
      for_each_pair(slide, spatial(slide.y), spatial(w.dims()),
                    [&](const Extents& o, const Extents& k, const Extents& i) {
                      const Extents from = join(nmc[0], channel, i);
                      if (x.contains(from)) y[join(nmc[0], nmc[1], o)] += x[from] * w[join(nmc[1], nmc[2], k)];
                    });
    });
    return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
  };
}

Independent conv_transpose(Slide slide) {
  return [slide](std::span<const Tensor> inputs) {
    const Array x(inputs[0]), w(inputs[1]);
    Array y = biased(slide, inputs);
    const int64_t m_per_group = w.dims()[1], c_per_group = w.dims()[0] / slide.group;
    for_each_position({slide.y[0], w.dims()[0], m_per_group}, [&](const Extents& ncm) {
      const int64_t channel = ncm[1] / c_per_group * m_per_group + ncm[2];
      for_each_pair(slide, spatial(x.dims()), spatial(w.dims()),
                    [&](const Extents& i, const Extents& k, const Extents& o) {
                      const Extents to = join(ncm[0], channel, o);
                      if (y.contains(to)) y[to] += x[join(ncm[0], ncm[1], i)] * w[join(ncm[1], ncm[2], k)];
                    });
    });
    return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
  };
}

CaseOperand weights(DataType dtype, Extents dims) { return constant(random(dtype, dims)); }

OpCase refused(std::string name, AttrMap attributes, Extents x, Extents w, std::string message,
               std::string op = "Conv") {
  return {.name = std::move(name),
          .op = std::move(op),
          .attributes = std::move(attributes),
          .inputs = {random(kFloat32, x), weights(kFloat32, w)},
          .refused = std::move(message)};
}

}  // namespace

TEST(Conv, ByHand) {
  const auto x = given(tensor<float>({1, 1, 4}, {1, 2, 3, 4}));
  const auto w = given(tensor<float>({1, 1, 3}, {1, 10, 100}));
  check_cases({
      {.name = "plain", .op = "Conv", .inputs = {x, w}, .expected = {tensor<float>({1, 1, 2}, {321, 432})}},
      {.name = "pads",
       .op = "Conv",
       .attributes = {{"pads", Ints{1, 1}}},
       .inputs = {x, w},
       .expected = {tensor<float>({1, 1, 4}, {210, 321, 432, 43})}},
      {.name = "stride and bias",
       .op = "Conv",
       .attributes = {{"pads", Ints{1, 0}}, {"strides", Ints{2}}},
       .inputs = {x, w, given(tensor<float>({1}, {0.5f}))},
       .expected = {tensor<float>({1, 1, 2}, {210.5f, 432.5f})}},
      {.name = "dilation",
       .op = "Conv",
       .attributes = {{"pads", Ints{2, 1}}, {"dilations", Ints{2}}},
       .inputs = {x, w},
       .expected = {tensor<float>({1, 1, 3}, {310, 420, 31})}},
      {.name = "SAME_UPPER, one odd",
       .op = "Conv",
       .attributes = {{"auto_pad", "SAME_UPPER"}, {"strides", Ints{2}}},
       .inputs = {x, w},
       .expected = {tensor<float>({1, 1, 2}, {321, 43})}},
      {.name = "SAME_LOWER, one odd",
       .op = "Conv",
       .attributes = {{"auto_pad", "SAME_LOWER"}, {"strides", Ints{2}}},
       .inputs = {x, w},
       .expected = {tensor<float>({1, 1, 2}, {210, 432})}},
      {.name = "VALID ignores pads",
       .op = "Conv",
       .attributes = {{"auto_pad", "VALID"}, {"pads", Ints{1, 1}}},
       .inputs = {x, w},
       .expected = {tensor<float>({1, 1, 2}, {321, 432})}},
      {.name = "two groups",
       .op = "Conv",
       .attributes = {{"group", int64_t{2}}},
       .inputs = {given(tensor<float>({1, 2, 2}, {1, 2, 3, 4})), given(tensor<float>({2, 1, 1}, {10, 100}))},
       .expected = {tensor<float>({1, 2, 2}, {10, 20, 300, 400})}},
  });
}

TEST(Conv, Random) {
  std::vector<OpCase> cases;
  for (const DataType t : kFloats) {
    const Tolerance loose = t == kFloat16 || t == kBFloat16 ? Tolerance{2e-2, 2e-2} : kSums;
    cases.push_back({.name = "3x3, pads 1",
                     .op = "Conv",
                     .attributes = {{"pads", Ints{1, 1, 1, 1}}},
                     .inputs = {random(t, {2, 3, 7, 6}), weights(t, {4, 3, 3, 3}), constant(random(t, {4}))},
                     .independent = conv({{1, 1}, {1, 1}, {1, 1}, 1, {2, 4, 7, 6}}),
                     .backend_tolerance = loose});
    cases.push_back({.name = "all attributes",
                     .op = "Conv",
                     .attributes = {{"kernel_shape", Ints{3, 2}},
                                    {"strides", Ints{2, 3}},
                                    {"pads", Ints{2, 0, 1, 3}},
                                    {"dilations", Ints{2, 3}},
                                    {"group", int64_t{2}}},
                     .inputs = {random(t, {1, 4, 8, 9}), weights(t, {6, 2, 3, 2}), constant(random(t, {6}))},
                     .independent = conv({{2, 3}, {2, 3}, {2, 0}, 2, {1, 6, 4, 3}}),
                     .backend_tolerance = loose});
  }
  const auto add = [&](std::string name, AttrMap attributes, Extents x, Extents w, Slide slide) {
    cases.push_back({.name = std::move(name),
                     .op = "Conv",
                     .attributes = std::move(attributes),
                     .inputs = {random(kFloat32, x), weights(kFloat32, w)},
                     .independent = conv(std::move(slide)),
                     .backend_tolerance = kSums});
  };
  add("1x1", {}, {1, 16, 5, 7}, {8, 16, 1, 1}, {{1, 1}, {1, 1}, {0, 0}, 1, {1, 8, 5, 7}});
  add("1x1, stride 2", {{"strides", Ints{2, 2}}}, {1, 4, 5, 8}, {3, 4, 1, 1},
      {{2, 2}, {1, 1}, {0, 0}, 1, {1, 3, 3, 4}});
  add("1x1, pads", {{"pads", Ints{1, 0, 0, 1}}}, {1, 4, 5, 8}, {3, 4, 1, 1}, {{1, 1}, {1, 1}, {1, 0}, 1, {1, 3, 6, 9}});
  add("depthwise", {{"group", int64_t{6}}, {"pads", Ints{1, 1, 1, 1}}}, {1, 6, 9, 9}, {6, 1, 3, 3},
      {{1, 1}, {1, 1}, {1, 1}, 6, {1, 6, 9, 9}});
  add("depthwise, stride 2, multiplier 2", {{"group", int64_t{3}}, {"pads", Ints{2, 2, 2, 2}}, {"strides", Ints{2, 2}}},
      {2, 3, 9, 8}, {6, 1, 5, 5}, {{2, 2}, {1, 1}, {2, 2}, 3, {2, 6, 5, 4}});
  add("kernel as large as the input", {}, {3, 2, 4, 5}, {7, 2, 4, 5}, {{1, 1}, {1, 1}, {0, 0}, 1, {3, 7, 1, 1}});
  add("pads larger than the input", {{"pads", Ints{3, 4, 5, 2}}}, {1, 1, 2, 2}, {2, 1, 3, 3},
      {{1, 1}, {1, 1}, {3, 4}, 1, {1, 2, 8, 6}});
  add("stride larger than kernel", {{"strides", Ints{3, 4}}}, {1, 2, 9, 9}, {2, 2, 2, 1},
      {{3, 4}, {1, 1}, {0, 0}, 1, {1, 2, 3, 3}});
  add("SAME_UPPER, stride 2, dilation 2",
      {{"auto_pad", "SAME_UPPER"}, {"strides", Ints{2, 2}}, {"dilations", Ints{2, 1}}}, {1, 2, 7, 6}, {3, 2, 3, 4},
      {{2, 2}, {2, 1}, {2, 1}, 1, {1, 3, 4, 3}});
  add("SAME_LOWER, even kernel", {{"auto_pad", "SAME_LOWER"}}, {1, 2, 5, 5}, {3, 2, 2, 4},
      {{1, 1}, {1, 1}, {1, 2}, 1, {1, 3, 5, 5}});
  add("1-D", {{"pads", Ints{2, 1}}, {"strides", Ints{2}}}, {2, 3, 11}, {4, 3, 5}, {{2}, {1}, {2}, 1, {2, 4, 5}});
  add("1-D, wide", {{"pads", Ints{1, 1}}}, {1, 2, 1500}, {3, 2, 3}, {{1}, {1}, {1}, 1, {1, 3, 1500}});
  add("3-D", {{"pads", Ints{1, 0, 1, 1, 0, 1}}, {"strides", Ints{1, 2, 1}}}, {1, 2, 4, 5, 6}, {3, 2, 3, 2, 3},
      {{1, 2, 1}, {1, 1, 1}, {1, 0, 1}, 1, {1, 3, 4, 2, 6}});
  add("4-D", {{"dilations", Ints{1, 2, 1, 1}}}, {1, 1, 2, 4, 3, 3}, {2, 1, 2, 2, 2, 1},
      {{1, 1, 1, 1}, {1, 2, 1, 1}, {0, 0, 0, 0}, 1, {1, 2, 1, 2, 2, 3}});
  add("no batch", {}, {0, 2, 4, 4}, {3, 2, 3, 3}, {{1, 1}, {1, 1}, {0, 0}, 1, {0, 3, 2, 2}});
  add("no input channels", {}, {1, 0, 4, 4}, {3, 0, 3, 3}, {{1, 1}, {1, 1}, {0, 0}, 1, {1, 3, 2, 2}});
  add("empty input, pads", {{"pads", Ints{1, 1, 1, 1}}}, {1, 2, 0, 3}, {3, 2, 1, 3},
      {{1, 1}, {1, 1}, {1, 1}, 1, {1, 3, 2, 3}});
  check_cases(cases);
}

TEST(Conv, Special) {
  constexpr int64_t kHalf = int64_t{1} << 61;
  check_cases({
      {.name = "infinity times zero",
       .op = "Conv",
       .inputs = {given(tensor<float>({1, 1, 2}, {std::numeric_limits<float>::infinity(), 1})),
                  given(tensor<float>({1, 1, 1}, {0}))},
       .expected = {tensor<float>({1, 1, 2}, {std::numeric_limits<float>::quiet_NaN(), 0})}},
      {.name = "dilation near the limit of 64 bits, one tap",
       .op = "Conv",
       .attributes = {{"dilations", Ints{2 * kHalf}}, {"strides", Ints{2 * kHalf}}},
       .inputs = {given(tensor<float>({1, 1, 2}, {2, 3})), given(tensor<float>({1, 1, 1}, {5}))},
       .expected = {tensor<float>({1, 1, 1}, {10})}},
      {.name = "steps and pads near the limit of 64 bits",
       .op = "Conv",
       .attributes = {{"pads", Ints{3 * kHalf, 0}}, {"strides", Ints{2 * kHalf}}},
       .inputs = {given(tensor<float>({1, 1, 2}, {2, 3})), given(tensor<float>({1, 1, 1}, {5}))},
       .expected = {tensor<float>({1, 1, 2}, {0, 0})}},
  });
}

TEST(Conv, Refused) {
  constexpr int64_t kHuge = int64_t{1} << 62;
  const Extents x = {1, 4, 5, 5}, w = {2, 4, 3, 3};
  check_cases({
      refused("zero stride", {{"strides", Ints{1, 0}}}, x, w, "'strides'"),
      refused("negative dilation", {{"dilations", Ints{1, -1}}}, x, w, "'dilations'"),
      refused("negative pad", {{"pads", Ints{0, -1, 0, 0}}}, x, w, "'pads'"),
      refused("too few pads", {{"pads", Ints{1, 1}}}, x, w, "'pads' has 2 values"),
      refused("too many strides", {{"strides", Ints{1, 1, 1}}}, x, w, "'strides' has 3 values"),
      refused("group 0", {{"group", int64_t{0}}}, x, w, "'group' is 0"),
      refused("negative group", {{"group", int64_t{-1}}}, x, w, "'group' is -1"),
      refused("group that doesn't divide", {{"group", int64_t{4}}}, x, {2, 1, 3, 3}, "group"),
      refused("other channels", {}, x, {2, 3, 3, 3}, "channels"),
      refused("other kernel_shape", {{"kernel_shape", Ints{3, 2}}}, x, w, "'kernel_shape'"),
      refused("unknown auto_pad", {{"auto_pad", "SAME"}}, x, w, "'auto_pad'"),
      refused("unknown attribute", {{"stride", Ints{1, 1}}}, x, w, "'stride' is unknown"),
      refused("weights of another rank", {}, x, {2, 4, 3}, "rank 3"),
      refused("no spatial axis", {}, {1, 4}, {2, 4}, "at least one spatial axis"),
      refused("empty kernel", {}, x, {2, 4, 0, 3}, "empty kernel"),
      refused("kernel larger than the input", {}, x, {2, 4, 7, 3}, "the kernel spans 7 elements"),
      refused("pads overflow", {{"pads", Ints{kHuge, 0, kHuge, 0}}}, x, w, "dimension"),
      refused("dilation overflows", {{"dilations", Ints{kHuge, 1}}}, x, w, "dimension"),
      {.name = "integers",
       .op = "Conv",
       .inputs = {random(kInt32, {1, 1, 3}), random(kInt32, {1, 1, 1})},
       .refused = "operand 0 has the type int32"},
      {.name = "mixed types",
       .op = "Conv",
       .inputs = {random(kFloat32, {1, 1, 3}), random(kFloat16, {1, 1, 1})},
       .refused = "differ in type"},
      {.name = "bias of another length",
       .op = "Conv",
       .inputs = {random(kFloat32, {1, 1, 3}), random(kFloat32, {2, 1, 1}), random(kFloat32, {3})},
       .refused = "bias"},
      {.name = "no weights", .op = "Conv", .inputs = {random(kFloat32, {1, 1, 3})}, .refused = "operand 1 is missing"},
  });
}

TEST(ConvTranspose, ByHand) {
  const auto x = given(tensor<float>({1, 1, 4}, {1, 2, 3, 4}));
  const auto w = given(tensor<float>({1, 1, 3}, {1, 10, 100}));
  const auto strided = [&](AttrMap attributes, Tensor expected) {
    attributes.emplace_back("strides", Ints{2});
    return OpCase{.name = "stride 2",
                  .op = "ConvTranspose",
                  .attributes = std::move(attributes),
                  .inputs = {x, w},
                  .expected = {std::move(expected)}};
  };
  check_cases({
      {.name = "plain",
       .op = "ConvTranspose",
       .inputs = {x, w},
       .expected = {tensor<float>({1, 1, 6}, {1, 12, 123, 234, 340, 400})}},
      {.name = "SAME",
       .op = "ConvTranspose",
       .attributes = {{"auto_pad", "SAME_UPPER"}},
       .inputs = {x, w},
       .expected = {tensor<float>({1, 1, 4}, {12, 123, 234, 340})}},
      {.name = "output_shape larger than what is reached",
       .op = "ConvTranspose",
       .attributes = {{"output_shape", Ints{8}}},
       .inputs = {x, w, given(tensor<float>({1}, {5}))},
       .expected = {tensor<float>({1, 1, 8}, {6, 17, 128, 239, 345, 405, 5, 5})}},
      {.name = "stride larger than kernel",
       .op = "ConvTranspose",
       .attributes = {{"strides", Ints{4}}},
       .inputs = {x, w},
       .expected = {tensor<float>({1, 1, 15}, {1, 10, 100, 0, 2, 20, 200, 0, 3, 30, 300, 0, 4, 40, 400})}},
      {.name = "stride larger than kernel, SAME",
       .op = "ConvTranspose",
       .attributes = {{"strides", Ints{4}}, {"auto_pad", "SAME_LOWER"}},
       .inputs = {x, w},
       .expected = {tensor<float>({1, 1, 16}, {1, 10, 100, 0, 2, 20, 200, 0, 3, 30, 300, 0, 4, 40, 400, 0})}},
      strided({}, tensor<float>({1, 1, 9}, {1, 10, 102, 20, 203, 30, 304, 40, 400})),
      strided({{"output_padding", Ints{1}}}, tensor<float>({1, 1, 10}, {1, 10, 102, 20, 203, 30, 304, 40, 400, 0})),
      strided({{"pads", Ints{1, 2}}}, tensor<float>({1, 1, 6}, {10, 102, 20, 203, 30, 304})),
      strided({{"output_shape", Ints{8}}}, tensor<float>({1, 1, 8}, {10, 102, 20, 203, 30, 304, 40, 400})),
      strided({{"output_shape", Ints{8}}, {"pads", Ints{3, 3}}},
              tensor<float>({1, 1, 8}, {10, 102, 20, 203, 30, 304, 40, 400})),
      strided({{"output_shape", Ints{8}}, {"auto_pad", "SAME_UPPER"}},
              tensor<float>({1, 1, 8}, {1, 10, 102, 20, 203, 30, 304, 40})),
      strided({{"auto_pad", "SAME_UPPER"}}, tensor<float>({1, 1, 8}, {1, 10, 102, 20, 203, 30, 304, 40})),
      strided({{"auto_pad", "SAME_LOWER"}}, tensor<float>({1, 1, 8}, {10, 102, 20, 203, 30, 304, 40, 400})),
      strided({{"auto_pad", "VALID"}, {"pads", Ints{1, 1}}},
              tensor<float>({1, 1, 9}, {1, 10, 102, 20, 203, 30, 304, 40, 400})),
  });
}

TEST(ConvTranspose, Random) {
  std::vector<OpCase> cases;
  for (const DataType t : kFloats) {
    const Tolerance loose = t == kFloat16 || t == kBFloat16 ? Tolerance{2e-2, 2e-2} : kSums;
    cases.push_back({.name = "all attributes",
                     .op = "ConvTranspose",
                     .attributes = {{"kernel_shape", Ints{3, 2}},
                                    {"strides", Ints{2, 3}},
                                    {"pads", Ints{2, 0, 1, 1}},
                                    {"dilations", Ints{2, 1}},
                                    {"group", int64_t{2}},
                                    {"output_padding", Ints{1, 2}}},
                     .inputs = {random(t, {2, 4, 3, 4}), weights(t, {4, 3, 3, 2}), constant(random(t, {6}))},
                     .independent = conv_transpose({{2, 3}, {2, 1}, {2, 0}, 2, {2, 6, 7, 12}}),
                     .backend_tolerance = loose});
  }
  const auto add = [&](std::string name, AttrMap attributes, Extents x, Extents w, Slide slide) {
    cases.push_back({.name = std::move(name),
                     .op = "ConvTranspose",
                     .attributes = std::move(attributes),
                     .inputs = {random(kFloat32, x), weights(kFloat32, w)},
                     .independent = conv_transpose(std::move(slide)),
                     .backend_tolerance = kSums});
  };
  add("2x2, stride 2", {{"strides", Ints{2, 2}}}, {1, 8, 5, 6}, {8, 4, 2, 2},
      {{2, 2}, {1, 1}, {0, 0}, 1, {1, 4, 10, 12}});
  add("4x4, stride 2, pads 1", {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}, {1, 3, 4, 4}, {3, 5, 4, 4},
      {{2, 2}, {1, 1}, {1, 1}, 1, {1, 5, 8, 8}});
  add("1x1", {}, {1, 3, 4, 4}, {3, 5, 1, 1}, {{1, 1}, {1, 1}, {0, 0}, 1, {1, 5, 4, 4}});
  add("depthwise", {{"group", int64_t{3}}, {"strides", Ints{2, 2}}}, {1, 3, 4, 4}, {3, 1, 3, 3},
      {{2, 2}, {1, 1}, {0, 0}, 3, {1, 3, 9, 9}});
  add("1-D, wide", {{"strides", Ints{3}}, {"dilations", Ints{2}}}, {1, 2, 400}, {2, 3, 4},
      {{3}, {2}, {0}, 1, {1, 3, 1204}});
  add("3-D", {{"strides", Ints{2, 1, 2}}, {"pads", Ints{0, 1, 0, 1, 1, 0}}}, {1, 2, 3, 4, 2}, {2, 3, 2, 3, 2},
      {{2, 1, 2}, {1, 1, 1}, {0, 1, 0}, 1, {1, 3, 5, 4, 4}});
  add("output_shape", {{"strides", Ints{3, 2}}, {"output_shape", Ints{10, 8}}}, {1, 1, 3, 3}, {1, 2, 3, 3},
      {{3, 2}, {1, 1}, {0, 0}, 1, {1, 2, 10, 8}});
  add("no batch", {}, {0, 2, 4, 4}, {2, 3, 3, 3}, {{1, 1}, {1, 1}, {0, 0}, 1, {0, 3, 6, 6}});
  check_cases(cases);
}

TEST(ConvTranspose, Refused) {
  constexpr int64_t kHuge = int64_t{1} << 62;
  const Extents x = {1, 4, 5, 5}, w = {4, 2, 3, 3};
  const auto bad = [&](std::string name, AttrMap attributes, std::string message) {
    return refused(std::move(name), std::move(attributes), x, w, std::move(message), "ConvTranspose");
  };
  check_cases({
      bad("zero stride", {{"strides", Ints{0, 1}}}, "'strides'"),
      bad("group 0", {{"group", int64_t{0}}}, "'group' is 0"),
      bad("group that doesn't divide", {{"group", int64_t{3}}}, "group"),
      bad("negative output_padding", {{"output_padding", Ints{-1, 0}}}, "'output_padding'"),
      bad("too few output_padding", {{"output_padding", Ints{1}}}, "'output_padding'"),
      bad("negative output_shape", {{"output_shape", Ints{-1, 3}}}, "'output_shape'"),
      bad("too many output_shape", {{"output_shape", Ints{1, 2, 3, 3}}}, "'output_shape'"),
      bad("pads larger than the output", {{"pads", Ints{9, 0, 9, 0}}}, "negative"),
      bad("stride overflows", {{"strides", Ints{kHuge, 1}}}, "dimension"),
      bad("group overflows", {{"group", kHuge}}, "group"),
      refused("other channels", {}, x, {3, 2, 3, 3}, "channels", "ConvTranspose"),
  });
}

}  // namespace hone::test
