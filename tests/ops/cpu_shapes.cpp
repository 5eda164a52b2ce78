// Shapes at which the CPU kernels change their way: blocks, bands, phases, thin and stacked products.
#include "support/op_case.h"

namespace hone::test {

using enum DataType;

namespace {

const Generator kSmall = uniform(-1, 1);
const Tolerance kSums = {1e-4, 1e-4};

OpCase conv(std::string name, Extents x, Extents w, AttrMap attributes, std::string kernel) {
  return {
      .name = std::move(name),
      .op = "Conv",
      .attributes = std::move(attributes),
      .inputs = {random(kFloat32, x, kSmall), constant(random(kFloat32, w, kSmall)), random(kFloat32, {w[0]}, kSmall)},
      .backend_tolerance = kSums,
      .served_by = {std::move(kernel)}};
}

OpCase product(std::string op, AttrMap attributes, Extents a, Extents b, std::string kernel) {
  return {.name = to_string(a) + to_string(b),
          .op = std::move(op),
          .attributes = std::move(attributes),
          .inputs = {random(kFloat32, a, kSmall), constant(random(kFloat32, b, kSmall))},
          .backend_tolerance = kSums,
          .served_by = {std::move(kernel)}};
}

AttrMap pads(int64_t top, int64_t left, int64_t bottom, int64_t right) {
  return {{"pads", Ints{top, left, bottom, right}}};
}

AttrMap with(AttrMap map, std::string name, AttrValue value) {
  map.emplace_back(std::move(name), std::move(value));
  return map;
}

}  // namespace

TEST(CpuShapes, ConvolutionAsProduct) {
  const std::string kernel = "cpu.conv.gemm";
  check_cases({
      conv("pointwise, the input as it is", {2, 20, 9, 11}, {13, 20, 1, 1}, {}, kernel),
      conv("pointwise with stride", {1, 6, 9, 12}, {5, 6, 1, 1}, {{"strides", Ints{2, 3}}}, kernel),
      conv("no pads", {1, 3, 12, 13}, {4, 3, 3, 2}, {}, kernel),
      conv("pads on one side", {1, 3, 7, 8}, {4, 3, 3, 3}, pads(0, 2, 2, 0), kernel),
      conv("stride 2", {1, 4, 17, 16}, {6, 4, 3, 3}, with(pads(1, 1, 1, 1), "strides", Ints{2, 2}), kernel),
      conv("stride 3, dilated", {1, 2, 23, 29}, {3, 2, 3, 4},
           with(with(pads(2, 3, 1, 4), "strides", Ints{3, 2}), "dilations", Ints{2, 3}), kernel),
      conv("stride above the kernel", {1, 2, 20, 20}, {3, 2, 2, 2}, {{"strides", Ints{5, 3}}}, kernel),
      conv("groups", {2, 12, 6, 6}, {8, 3, 3, 3}, with(pads(1, 1, 1, 1), "group", int64_t{4}), kernel),
      conv("more channels than a block", {1, 50, 6, 7}, {5, 50, 3, 3}, pads(1, 1, 1, 1), kernel),
      conv("bands", {1, 64, 100, 90}, {2, 64, 3, 3}, pads(1, 1, 1, 1), kernel),
      conv("bands of phases", {1, 32, 150, 130}, {2, 32, 3, 3}, with(pads(1, 1, 1, 1), "strides", Ints{2, 2}), kernel),
      conv("one axis", {2, 5, 40}, {7, 5, 4}, {{"pads", Ints{3, 1}}, {"strides", Ints{2}}}, kernel),
      conv("pads beyond the kernel", {1, 2, 3, 3}, {2, 2, 2, 2}, pads(4, 5, 3, 2), kernel),
  });
}

TEST(CpuShapes, Depthwise) {
  const std::string kernel = "cpu.conv.depthwise";
  const AttrMap same = pads(1, 1, 1, 1);
  check_cases({
      conv("3x3", {2, 5, 13, 35}, {5, 1, 3, 3}, with(same, "group", int64_t{5}), kernel),
      conv("stride 2", {1, 4, 14, 15}, {4, 1, 3, 3}, with(with(same, "group", int64_t{4}), "strides", Ints{2, 2}),
           kernel),
      conv("several filters", {1, 3, 8, 8}, {6, 1, 5, 5}, with(pads(2, 2, 2, 2), "group", int64_t{3}), kernel),
      conv("one axis, dilated", {1, 3, 30}, {3, 1, 4}, {{"group", int64_t{3}}, {"dilations", Ints{3}}}, kernel),
      conv("one channel", {1, 1, 6, 6}, {4, 1, 3, 3}, same, kernel),
  });
}

TEST(CpuShapes, Products) {
  check_cases({
      product("MatMul", {}, {3, 70}, {70, 33}, "cpu.matmul"),
      product("MatMul", {}, {4, 400}, {400, 65}, "cpu.matmul"),
      product("MatMul", {}, {13, 512}, {512, 31}, "cpu.matmul"),
      product("MatMul", {}, {2, 3, 40, 20}, {20, 50}, "cpu.matmul"),
      product("MatMul", {}, {20, 6, 5}, {20, 5, 7}, "cpu.matmul"),
      product("MatMul", {}, {20, 1, 36, 24}, {5, 24, 36}, "cpu.matmul"),
      product("MatMul", {}, {2, 1, 9, 70}, {70}, "cpu.matmul"),
      product("MatMul", {}, {70}, {3, 70, 6}, "cpu.matmul"),
      product("MatMul", {}, {600, 17}, {17, 40}, "cpu.matmul"),
      product("Gemm", {{"alpha", 0.5f}}, {20, 30}, {30, 40}, "cpu.gemm"),
      product("Gemm", {{"transA", int64_t{1}}}, {30, 20}, {30, 40}, "cpu.gemm"),
      product("Gemm", {{"transB", int64_t{1}}}, {20, 30}, {40, 30}, "cpu.gemm"),
      product("Gemm", {{"transA", int64_t{1}}, {"transB", int64_t{1}}}, {30, 2}, {40, 30}, "cpu.gemm"),
  });
  std::vector<OpCase> biases;
  for (const Extents& c : {Extents{40}, Extents{1, 40}, Extents{20, 1}, Extents{20, 40}, Extents{}, Extents{1}}) {
    for (const float beta : {1.f, 0.25f}) {
      OpCase with_bias = product("Gemm", {{"beta", beta}}, {20, 30}, {30, 40}, "cpu.gemm");
      with_bias.name += to_string(c) + std::to_string(beta);
      with_bias.inputs.push_back(random(kFloat32, c, kSmall));
      biases.push_back(std::move(with_bias));
    }
  }
  check_cases(biases);
}

TEST(CpuShapes, Rows) {
  const CaseOperand rows = random(kFloat32, {70, 37}, uniform(-8, 8));
  check_cases({
      {.name = "odd length", .op = "Softmax", .inputs = {rows}, .served_by = {"cpu.softmax"}},
      {.name = "special",
       .op = "Softmax",
       .inputs = {random(kFloat32, {40, 35}, special)},
       .served_by = {"cpu.softmax"}},
      {.name = "one element", .op = "Softmax", .inputs = {random(kFloat32, {5, 1})}, .served_by = {"cpu.softmax"}},
      {.name = "scale and bias",
       .op = "LayerNormalization",
       .inputs = {rows, random(kFloat32, {37}), random(kFloat32, {37})},
       .tolerance = Tolerance{1e-5, 1e-5},
       .served_by = {"cpu.layer_normalization"}},
      {.name = "two axes",
       .op = "LayerNormalization",
       .attributes = {{"axis", int64_t{1}}},
       .inputs = {random(kFloat32, {6, 5, 9}), random(kFloat32, {5, 9})},
       .tolerance = Tolerance{1e-5, 1e-5},
       .served_by = {"cpu.layer_normalization"}},
      {.name = "last axis",
       .op = "ReduceMean",
       .inputs = {rows, given(Tensor::vector<int64_t>({-1}))},
       .backend_tolerance = Tolerance{1e-5, 1e-5},
       .served_by = {"cpu.reduce_mean"}},
  });
}

TEST(CpuShapes, Broadcasting) {
  std::vector<OpCase> cases;
  const std::pair<Extents, Extents> shapes[] = {
      {{3, 4, 5}, {3, 4, 5}}, {{2, 6, 4, 5}, {1, 6, 1, 1}}, {{2, 3}, {}},  {{}, {4}},
      {{4, 1}, {1, 5}},       {{2, 1, 3, 1}, {1, 4, 1, 5}}, {{1, 1}, {1}}, {{0, 3}, {3}},
      {{5, 1, 7}, {5, 6, 1}},
  };
  for (const char* op : {"Add", "Sub", "Mul", "Div"}) {
    for (const auto& [a, b] : shapes) {
      cases.push_back({.name = to_string(a) + to_string(b),
                       .op = op,
                       .inputs = {random(kFloat32, a), random(kFloat32, b, uniform(0.5, 2))},
                       .served_by = {op == std::string("Add")   ? "cpu.add"
                                     : op == std::string("Sub") ? "cpu.sub"
                                     : op == std::string("Mul") ? "cpu.mul"
                                                                : "cpu.div"}});
    }
  }
  for (const float exponent : {2.f, 0.5f, -1.5f}) {
    cases.push_back({.name = std::to_string(exponent),
                     .op = "Pow",
                     .inputs = {random(kFloat32, {3, 50}, uniform(0.1, 9)), given(Tensor::scalar(exponent))},
                     .served_by = {"cpu.pow"}});
  }
  check_cases(cases);
}

TEST(CpuShapes, Pools) {
  std::vector<OpCase> cases;
  for (const char* op : {"MaxPool", "AveragePool"}) {
    const auto add = [&](std::string name, Extents x, Ints kernel, AttrMap more) {
      more.emplace_back("kernel_shape", std::move(kernel));
      cases.push_back({.name = std::move(name),
                       .op = op,
                       .attributes = std::move(more),
                       .inputs = {random(kFloat32, x, kSmall)},
                       .backend_tolerance = Tolerance{1e-5, 1e-6},
                       .served_by = {op == std::string("MaxPool") ? "cpu.max_pool" : "cpu.average_pool"}});
    };
    add("large window", {2, 3, 20, 21}, {13, 13}, pads(6, 6, 6, 6));
    add("stride 2", {1, 4, 17, 18}, {2, 2}, {{"strides", Ints{2, 2}}});
    add("stride 3, dilated", {1, 2, 19, 23}, {2, 3},
        with(with(pads(1, 2, 0, 1), "strides", Ints{3, 3}), "dilations", Ints{2, 2}));
    add("ceil", {1, 2, 10, 11}, {3, 3}, {{"strides", Ints{2, 2}}, {"ceil_mode", int64_t{1}}});
    add("one axis", {3, 2, 30}, {4}, {{"strides", Ints{3}}, {"pads", Ints{2, 1}}});
    add("three axes", {1, 2, 6, 7, 8}, {2, 3, 2}, {{"strides", Ints{2, 1, 2}}});
  }
  cases.push_back(
      {.name = "pads count",
       .op = "AveragePool",
       .attributes = with(with(pads(1, 1, 1, 1), "kernel_shape", Ints{3, 3}), "count_include_pad", int64_t{1}),
       .inputs = {random(kFloat32, {1, 2, 5, 6})},
       .backend_tolerance = Tolerance{1e-5, 1e-6}});
  cases.push_back({.name = "special",
                   .op = "MaxPool",
                   .attributes = {{"kernel_shape", Ints{2, 2}}},
                   .inputs = {random(kFloat32, {1, 3, 12, 12}, special)},
                   .served_by = {"cpu.max_pool"}});
  cases.push_back({.name = "global",
                   .op = "GlobalAveragePool",
                   .inputs = {random(kFloat32, {2, 3, 9, 11}, kSmall)},
                   .backend_tolerance = Tolerance{1e-5, 1e-6},
                   .served_by = {"cpu.global_average_pool"}});
  check_cases(cases);
}

TEST(CpuShapes, ResizeNearest) {
  std::vector<OpCase> cases;
  for (const char* coordinates : {"half_pixel", "asymmetric", "align_corners", "half_pixel_symmetric"}) {
    for (const char* nearest : {"round_prefer_floor", "floor", "ceil"}) {
      for (const float scale : {2.f, 3.f, 0.5f, 1.7f}) {
        cases.push_back(
            {.name = std::string(coordinates) + nearest + std::to_string(scale),
             .op = "Resize",
             .attributes = {{"coordinate_transformation_mode", coordinates}, {"nearest_mode", nearest}},
             .inputs = {random(kFloat32, {1, 3, 7, 8}), absent(), given(Tensor::vector<float>({1, 1, scale, scale}))},
             .served_by = {"cpu.resize.nearest"}});
      }
    }
  }
  check_cases(cases);
}

TEST(CpuShapes, Widened) {
  std::vector<OpCase> cases;
  for (const DataType dtype : {kFloat16, kBFloat16}) {
    const CaseOperand image = random(dtype, {2, 6, 9, 10}, kSmall);
    const CaseOperand rows = random(dtype, {20, 33}, kSmall);
    const std::string type(name_of(dtype));
    cases.push_back({.name = type,
                     .op = "Conv",
                     .attributes = pads(1, 1, 1, 1),
                     .inputs = {image, constant(random(dtype, {5, 6, 3, 3}, kSmall)), random(dtype, {5}, kSmall)},
                     .served_by = {"cpu.conv.widened"}});
    cases.push_back({.name = type,
                     .op = "MatMul",
                     .inputs = {rows, constant(random(dtype, {33, 40}, kSmall))},
                     .served_by = {"cpu.matmul.widened"}});
    cases.push_back({.name = type,
                     .op = "MaxPool",
                     .attributes = {{"kernel_shape", Ints{3, 3}}},
                     .inputs = {image},
                     .served_by = {"cpu.max_pool.widened"}});
    cases.push_back({.name = type, .op = "Softmax", .inputs = {rows}, .served_by = {"cpu.softmax.widened"}});
    cases.push_back(
        {.name = type, .op = "SiLU", .inputs = {random(dtype, {50, 7}, special)}, .served_by = {"cpu.silu.widened"}});
    cases.push_back(
        {.name = type, .op = "Mul", .inputs = {image, random(dtype, {1, 6, 1, 1})}, .served_by = {"cpu.mul.widened"}});
  }
  check_cases(cases);
}

}  // namespace hone::test
