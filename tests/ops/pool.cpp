// MaxPool, AveragePool, LpPool and the global pools.
#include <cmath>
#include <limits>

#include "ops/naive.h"
#include "support/op_case.h"

namespace hone::test {

using enum DataType;

namespace {

constexpr DataType kFloats[] = {kFloat32, kFloat64, kFloat16, kBFloat16};
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
// Other backends sum in float32, in another order.
constexpr Tolerance kSums = {1e-4, 1e-4};

// A pool with everything spelled out; `y` is the output's shape, worked out by hand.
struct Slide {
  Extents kernel, strides, dilations, pads_begin, pads_end, y;
};

// What a window sees: the elements inside X, in order, and how many taps are inside X and its pads.
struct Seen {
  std::vector<double> values;
  int64_t with_pads = 0;
};

using Reduction = double (*)(const Seen& seen);

Independent pool(Slide slide, Reduction reduce) {
  return [slide, reduce](std::span<const Tensor> inputs) {
    const Array x(inputs[0]);
    Array y(slide.y);
    for_each_position(slide.y, [&](const Extents& out) {
      Seen seen;
      for_each_position(slide.kernel, [&](const Extents& tap) {
        Extents at = {out[0], out[1]};
        bool in_pads = true;
        for (size_t i = 0; i < tap.size(); ++i) {
          at.push_back(out[2 + i] * slide.strides[i] + tap[i] * slide.dilations[i] - slide.pads_begin[i]);
          in_pads = in_pads && at[2 + i] < x.dims()[2 + i] + slide.pads_end[i];
        }
        seen.with_pads += in_pads ? 1 : 0;
        if (x.contains(at)) seen.values.push_back(x[at]);
      });
      y[out] = reduce(seen);
    });
    return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
  };
}

double largest(const Seen& seen) {
  double best = -std::numeric_limits<double>::infinity();
  for (const double x : seen.values) best = std::max(best, x);
  return best;
}

double sum(const Seen& seen) {
  double total = 0;
  for (const double x : seen.values) total += x;
  return total;
}

double average(const Seen& seen) {
  return seen.values.empty() ? 0 : sum(seen) / static_cast<double>(seen.values.size());
}

double average_with_pads(const Seen& seen) { return sum(seen) / static_cast<double>(seen.with_pads); }

double norm(const Seen& seen) {
  double total = 0;
  for (const double x : seen.values) total += x * x;
  return std::sqrt(total);
}

double cubic_norm(const Seen& seen) {
  double total = 0;
  for (const double x : seen.values) total += std::abs(x * x * x);
  return std::cbrt(total);
}

double norm1(const Seen& seen) {
  double total = 0;
  for (const double x : seen.values) total += std::abs(x);
  return total;
}

// The same window for every sliding pool.
struct Setting {
  std::string name;
  AttrMap attributes;
  Extents x;
  Slide slide;
};

std::vector<Setting> settings() {
  const auto kernel = [](Ints sizes) { return std::pair<std::string, AttrValue>("kernel_shape", std::move(sizes)); };
  return {
      {"2x2, stride 2",
       {kernel({2, 2}), {"strides", Ints{2, 2}}},
       {2, 3, 6, 7},
       {{2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}, {2, 3, 3, 3}}},
      {"3x3, pads 1, stride 2",
       {kernel({3, 3}), {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}},
       {1, 2, 7, 8},
       {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, {1, 2, 4, 4}}},
      {"13x13, pads 6",
       {kernel({13, 13}), {"pads", Ints{6, 6, 6, 6}}},
       {1, 1, 9, 20},
       {{13, 13}, {1, 1}, {1, 1}, {6, 6}, {6, 6}, {1, 1, 9, 20}}},
      {"ceil",
       {kernel({3, 2}), {"strides", Ints{2, 3}}, {"ceil_mode", int64_t{1}}},
       {1, 2, 6, 6},
       {{3, 2}, {2, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 2, 3, 2}}},
      {"ceil, a last window that would start in the pads",
       {kernel({2}), {"strides", Ints{3}}, {"ceil_mode", int64_t{1}}, {"pads", Ints{0, 1}}},
       {1, 2, 6},
       {{2}, {3}, {1}, {0}, {1}, {1, 2, 2}}},
      {"ceil, pads",
       {kernel({3}), {"strides", Ints{2}}, {"ceil_mode", int64_t{1}}, {"pads", Ints{1, 1}}},
       {1, 1, 6},
       {{3}, {2}, {1}, {1}, {1}, {1, 1, 4}}},
      {"ceil, VALID",
       {kernel({3}), {"strides", Ints{2}}, {"ceil_mode", int64_t{1}}, {"auto_pad", "VALID"}},
       {1, 1, 6},
       {{3}, {2}, {1}, {0}, {0}, {1, 1, 3}}},
      {"SAME_UPPER",
       {kernel({3, 2}), {"strides", Ints{2, 1}}, {"auto_pad", "SAME_UPPER"}},
       {1, 2, 6, 5},
       {{3, 2}, {2, 1}, {1, 1}, {0, 0}, {1, 1}, {1, 2, 3, 5}}},
      {"SAME_LOWER",
       {kernel({3, 2}), {"strides", Ints{2, 1}}, {"auto_pad", "SAME_LOWER"}},
       {1, 2, 6, 5},
       {{3, 2}, {2, 1}, {1, 1}, {1, 1}, {0, 0}, {1, 2, 3, 5}}},
      {"SAME_UPPER, dilated",
       {kernel({3}), {"dilations", Ints{3}}, {"auto_pad", "SAME_UPPER"}},
       {1, 2, 8},
       {{3}, {1}, {3}, {3}, {3}, {1, 2, 8}}},
      {"SAME_UPPER, stride larger than kernel",
       {kernel({1}), {"strides", Ints{3}}, {"auto_pad", "SAME_UPPER"}, {"ceil_mode", int64_t{1}}},
       {1, 2, 6},
       {{1}, {3}, {1}, {0}, {0}, {1, 2, 2}}},
      {"dilated, uneven pads",
       {kernel({2, 3}), {"dilations", Ints{3, 2}}, {"pads", Ints{1, 2, 0, 1}}},
       {2, 2, 5, 6},
       {{2, 3}, {1, 1}, {3, 2}, {1, 2}, {0, 1}, {2, 2, 3, 5}}},
      {"1-D", {kernel({4}), {"strides", Ints{3}}}, {2, 3, 20}, {{4}, {3}, {1}, {0}, {0}, {2, 3, 6}}},
      {"3-D",
       {kernel({2, 1, 3}), {"strides", Ints{1, 2, 1}}, {"pads", Ints{1, 0, 0, 0, 0, 2}}},
       {1, 2, 3, 4, 5},
       {{2, 1, 3}, {1, 2, 1}, {1, 1, 1}, {1, 0, 0}, {0, 0, 2}, {1, 2, 3, 2, 5}}},
      {"one tap", {kernel({1, 1})}, {1, 2, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 2, 3, 3}}},
      {"no channels", {kernel({2, 2})}, {1, 0, 3, 3}, {{2, 2}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 0, 2, 2}}},
  };
}

void check_everywhere(const std::string& op, const AttrMap& extra, Reduction reduce) {
  std::vector<OpCase> cases;
  for (const Setting& setting : settings()) {
    AttrMap attributes = setting.attributes;
    attributes.insert(attributes.end(), extra.begin(), extra.end());
    cases.push_back({.name = setting.name,
                     .op = op,
                     .attributes = attributes,
                     .inputs = {random(kFloat32, setting.x)},
                     .independent = pool(setting.slide, reduce),
                     .backend_tolerance = kSums});
  }
  for (const DataType t : kFloats) {
    const Setting setting = settings()[1];
    AttrMap attributes = setting.attributes;
    attributes.insert(attributes.end(), extra.begin(), extra.end());
    cases.push_back({.name = "every type",
                     .op = op,
                     .attributes = attributes,
                     .inputs = {random(t, setting.x)},
                     .independent = pool(setting.slide, reduce)});
  }
  check_cases(cases);
}

AttrMap kernel_of(Ints sizes, AttrMap more = {}) {
  more.emplace_back("kernel_shape", std::move(sizes));
  return more;
}

}  // namespace

TEST(MaxPool, Windows) { check_everywhere("MaxPool", {}, largest); }

TEST(MaxPool, Bytes) {
  std::vector<OpCase> cases;
  for (const DataType t : {kInt8, kUint8}) {
    cases.push_back({.name = "bytes",
                     .op = "MaxPool",
                     .attributes = settings()[1].attributes,
                     .inputs = {random(t, settings()[1].x, special)},
                     .independent = pool(settings()[1].slide, largest)});
  }
  check_cases(cases);
}

TEST(MaxPool, Indices) {
  const auto x = given(tensor<float>({2, 1, 3, 4}, {1,  9,  3,  4,  5,  6,  7,  7,  2, 8, 1, 0,  //
                                                    -1, -2, -3, -4, -9, -8, -7, -6, 5, 5, 5, 5}));
  const Tensor y = tensor<float>({2, 1, 2, 3}, {9, 9, 7, 8, 8, 7, -1, -2, -3, 5, 5, 5});
  check_cases({
      {.name = "row-major; the first of equals",
       .op = "MaxPool",
       .attributes = kernel_of({2, 2}),
       .inputs = {x},
       .num_outputs = 2,
       .expected = {y, tensor<int64_t>({2, 1, 2, 3}, {1, 1, 6, 9, 9, 6, 12, 13, 14, 20, 21, 22})}},
      {.name = "column-major",
       .op = "MaxPool",
       .attributes = kernel_of({2, 2}, {{"storage_order", int64_t{1}}}),
       .inputs = {x},
       .num_outputs = 2,
       .expected = {y, tensor<int64_t>({2, 1, 2, 3}, {3, 3, 7, 5, 5, 7, 12, 15, 18, 14, 17, 20})}},
      {.name = "pads don't count",
       .op = "MaxPool",
       .attributes = kernel_of({3}, {{"pads", Ints{1, 1}}}),
       .inputs = {given(tensor<int8_t>({1, 1, 3}, {-128, -3, -2}))},
       .num_outputs = 2,
       .expected = {tensor<int8_t>({1, 1, 3}, {-3, -2, -2}), tensor<int64_t>({1, 1, 3}, {1, 2, 2})}},
      {.name = "NaN and infinities",
       .op = "MaxPool",
       .attributes = kernel_of({2}),
       .inputs = {given(tensor<float>({1, 1, 7}, {1, kNaN, 3, kInf, kNaN, -kInf, -kInf}))},
       .num_outputs = 2,
       .expected = {tensor<float>({1, 1, 6}, {kNaN, kNaN, kInf, kNaN, kNaN, -kInf}),
                    tensor<int64_t>({1, 1, 6}, {1, 1, 3, 4, 4, 5})}},
      {.name = "a window that sees nothing",
       .op = "MaxPool",
       .attributes = kernel_of({2}, {{"dilations", Ints{2}}, {"pads", Ints{1, 1}}}),
       .inputs = {given(tensor<float>({1, 1, 1}, {4}))},
       .num_outputs = 2,
       .expected = {tensor<float>({1, 1, 1}, {-kInf}), tensor<int64_t>({1, 1, 1}, {-1})}},
      {.name = "column-major, 3-D",
       .op = "MaxPool",
       .attributes = kernel_of({2, 2, 2}, {{"storage_order", int64_t{1}}}),
       .inputs = {given(tensor<uint8_t>({1, 1, 2, 2, 3}, {1, 2, 3, 4, 5, 6, 9, 8, 7, 6, 5, 9}))},
       .num_outputs = 2,
       .expected = {tensor<uint8_t>({1, 1, 1, 1, 2}, {9, 9}), tensor<int64_t>({1, 1, 1, 1, 2}, {1, 11})}},
  });
}

TEST(AveragePool, Windows) { check_everywhere("AveragePool", {}, average); }

TEST(AveragePool, CountIncludePad) {
  check_everywhere("AveragePool", {{"count_include_pad", int64_t{1}}}, average_with_pads);
}

TEST(AveragePool, Special) {
  constexpr int64_t kHuge = int64_t{1} << 42;
  check_cases({
      {.name = "a window that sees nothing",
       .op = "AveragePool",
       .attributes = kernel_of({2}, {{"dilations", Ints{2}}, {"pads", Ints{1, 1}}}),
       .inputs = {given(tensor<float>({1, 1, 1}, {4}))},
       .expected = {tensor<float>({1, 1, 1}, {0})}},
      {.name = "pads beyond 64 bits",
       .op = "AveragePool",
       .attributes = kernel_of({kHuge, kHuge}, {{"pads", Ints{kHuge - 1, kHuge - 1, kHuge - 1, kHuge - 1}},
                                                {"strides", Ints{kHuge - 1, kHuge - 1}},
                                                {"count_include_pad", int64_t{1}}}),
       .inputs = {given(tensor<float>({1, 1, 1, 1}, {4}))},
       .expected = {tensor<float>({1, 1, 2, 2}, {0x1p-82f, 0x1p-82f, 0x1p-82f, 0x1p-82f})},
       .tolerance = Tolerance{1e-6, 0}},
      {.name = "infinities",
       .op = "AveragePool",
       .attributes = kernel_of({2}),
       .inputs = {given(tensor<float>({1, 1, 4}, {kInf, 1, kNaN, 3}))},
       .expected = {tensor<float>({1, 1, 3}, {kInf, kNaN, kNaN})}},
      {.name = "no overflow in between",
       .op = "AveragePool",
       .attributes = kernel_of({2}),
       .inputs = {given(tensor<Half>({1, 1, 2}, {60000.f, 40000.f}))},
       .expected = {tensor<Half>({1, 1, 1}, {50000.f})}},
  });
}

TEST(LpPool, Windows) {
  check_everywhere("LpPool", {}, norm);
  check_everywhere("LpPool", {{"p", int64_t{1}}}, norm1);
  check_everywhere("LpPool", {{"p", int64_t{3}}}, cubic_norm);
}

TEST(GlobalPools, Cases) {
  std::vector<OpCase> cases;
  const auto add = [&](const char* op, DataType t, Extents x, Reduction reduce, AttrMap attributes = {}) {
    Slide slide;
    slide.kernel = Extents(std::span<const int64_t>(x).subspan(2));
    slide.strides = slide.dilations = Extents::filled(slide.kernel.size(), 1);
    slide.pads_begin = slide.pads_end = Extents::filled(slide.kernel.size(), 0);
    slide.y = {x[0], x[1]};
    for (size_t i = 2; i < x.size(); ++i) slide.y.push_back(1);
    cases.push_back({.name = "global",
                     .op = op,
                     .attributes = std::move(attributes),
                     .inputs = {random(t, x)},
                     .independent = pool(slide, reduce),
                     .backend_tolerance = kSums});
  };
  for (const DataType t : kFloats) {
    add("GlobalAveragePool", t, {2, 3, 4, 5}, average);
    add("GlobalMaxPool", t, {2, 3, 4, 5}, largest);
    add("GlobalLpPool", t, {2, 3, 4, 5}, norm);
  }
  add("GlobalAveragePool", kFloat32, {1, 2, 9}, average);
  add("GlobalAveragePool", kFloat32, {2, 1, 2, 3, 4}, average);
  add("GlobalMaxPool", kFloat32, {2, 1, 2, 3, 4}, largest);
  add("GlobalLpPool", kFloat32, {1, 2, 3, 4}, cubic_norm, {{"p", int64_t{3}}});
  cases.push_back({.name = "no spatial axis",
                   .op = "GlobalAveragePool",
                   .inputs = {random(kFloat32, {2, 3})},
                   .refused = "at least one spatial axis"});
  cases.push_back({.name = "bad p",
                   .op = "GlobalLpPool",
                   .attributes = {{"p", int64_t{0}}},
                   .inputs = {random(kFloat32, {2, 3, 4})},
                   .refused = "'p' is 0"});
  check_cases(cases);
}

TEST(Pools, Refused) {
  constexpr int64_t kHuge = int64_t{1} << 62;
  std::vector<OpCase> cases;
  const auto add = [&](std::string name, AttrMap attributes, std::string message) {
    for (const char* op : {"MaxPool", "AveragePool", "LpPool"}) {
      cases.push_back({.name = name,
                       .op = op,
                       .attributes = attributes,
                       .inputs = {random(kFloat32, {1, 2, 5, 5})},
                       .refused = message});
    }
  };
  add("no kernel", {}, "'kernel_shape' is missing");
  add("kernel of another rank", kernel_of({2}), "'kernel_shape' has 1 values");
  add("empty kernel", kernel_of({2, 0}), "'kernel_shape'");
  add("zero stride", kernel_of({2, 2}, {{"strides", Ints{0, 1}}}), "'strides'");
  add("zero dilation", kernel_of({2, 2}, {{"dilations", Ints{1, 0}}}), "'dilations'");
  add("negative pad", kernel_of({2, 2}, {{"pads", Ints{0, 0, -1, 0}}}), "'pads'");
  add("pads as large as the kernel", kernel_of({2, 2}, {{"pads", Ints{0, 2, 0, 0}}}), "padding only");
  add("kernel larger than the input", kernel_of({8, 2}), "the kernel spans 8 elements");
  add("huge kernel", kernel_of({kHuge, 2}, {{"dilations", Ints{kHuge, 1}}}), "overflows");
  cases.push_back({.name = "int32",
                   .op = "MaxPool",
                   .attributes = kernel_of({2}),
                   .inputs = {random(kInt32, {1, 1, 4})},
                   .refused = "operand 0 has the type int32"});
  cases.push_back({.name = "bytes",
                   .op = "AveragePool",
                   .attributes = kernel_of({2}),
                   .inputs = {random(kInt8, {1, 1, 4})},
                   .refused = "operand 0 has the type int8"});
  check_cases(cases);
}

}  // namespace hone::test
