// The reductions, ArgMax and ArgMin.
#include <cmath>
#include <limits>
#include <numeric>

#include "ops/naive.h"
#include "support/op_case.h"

namespace hone::test {

using enum DataType;

namespace {

constexpr DataType kWide[] = {kFloat32, kFloat64, kFloat16, kBFloat16, kInt32, kInt64, kUint32, kUint64};
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
// Other backends sum in float32, in another order.
constexpr Tolerance kSums = {1e-4, 1e-4};

// What a slice's elements give; truncated for integer types by the conversion to them.
using Reduction = double (*)(const std::vector<double>& slice);

double sum(const std::vector<double>& slice) { return std::accumulate(slice.begin(), slice.end(), 0.0); }
double mean(const std::vector<double>& slice) { return sum(slice) / static_cast<double>(slice.size()); }
double product(const std::vector<double>& slice) {
  return std::accumulate(slice.begin(), slice.end(), 1.0, std::multiplies<>());
}
double largest(const std::vector<double>& slice) { return *std::max_element(slice.begin(), slice.end()); }
double smallest(const std::vector<double>& slice) { return *std::min_element(slice.begin(), slice.end()); }
double sum_square(const std::vector<double>& slice) {
  return std::inner_product(slice.begin(), slice.end(), slice.begin(), 0.0);
}
double l1(const std::vector<double>& slice) {
  return std::accumulate(slice.begin(), slice.end(), 0.0, [](double a, double x) { return a + std::abs(x); });
}
double l2(const std::vector<double>& slice) { return std::sqrt(sum_square(slice)); }
double log_sum(const std::vector<double>& slice) { return std::log(sum(slice)); }
double log_sum_exp(const std::vector<double>& slice) {
  return std::log(std::accumulate(slice.begin(), slice.end(), 0.0, [](double a, double x) { return a + std::exp(x); }));
}

// The reduction over the axes whose bits are set.
Independent reduce(Reduction f, uint32_t mask, bool keepdims) {
  return [=](std::span<const Tensor> inputs) {
    const Array x(inputs[0]);
    const auto shrink = [&](const Extents& at, int64_t reduced) {
      Extents out;
      for (size_t i = 0; i < at.size(); ++i) {
        const bool gone = (mask >> i & 1) != 0;
        if (!gone || keepdims) out.push_back(gone ? reduced : at[i]);
      }
      return out;
    };
    Array y(shrink(x.dims(), 1));
    for_each_position(y.dims(), [&](const Extents& out) {
      std::vector<double> slice;
      for_each_position(x.dims(), [&](const Extents& at) {
        if (shrink(at, 0) == out) slice.push_back(x[at]);
      });
      y[out] = f(slice);
    });
    return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
  };
}

CaseOperand axes(std::initializer_list<int64_t> values) {
  return given(tensor<int64_t>({static_cast<int64_t>(values.size())}, values));
}

AttrMap flags(bool keepdims, bool noop = false) {
  return {{"keepdims", int64_t{keepdims}}, {"noop_with_empty_axes", int64_t{noop}}};
}

struct Family {
  const char* op;
  Reduction f;
  Generator generate;  // keeps results within every type, and logarithms defined
};

const std::vector<Family>& families() {
  static const auto* const kFamilies = new std::vector<Family>{
      {"ReduceSum", sum, mixed},
      {"ReduceMean", mean, uniform(0, 20)},
      {"ReduceProd", product, uniform(1, 2)},
      {"ReduceMax", largest, mixed},
      {"ReduceMin", smallest, mixed},
      {"ReduceL1", l1, mixed},
      {"ReduceL2", l2, mixed},
      {"ReduceLogSum", log_sum, uniform(1, 9)},
      {"ReduceLogSumExp", log_sum_exp, uniform(0, 4)},
      {"ReduceSumSquare", sum_square, mixed},
  };
  return *kFamilies;
}

}  // namespace

TEST(Reduce, Axes) {
  for (const Family& family : families()) {
    std::vector<OpCase> cases;
    const auto add = [&](Extents x, CaseOperand list, uint32_t mask, DataType t = kFloat32) {
      for (const bool keepdims : {true, false}) {
        cases.push_back({.name = "mask " + std::to_string(mask),
                         .op = family.op,
                         .attributes = flags(keepdims),
                         .inputs = {random(t, x, family.generate), list},
                         .independent = reduce(family.f, mask, keepdims),
                         .backend_tolerance = kSums});
      }
    };
    for (const DataType t : kWide) {
      add({2, 3, 4}, axes({1}), 0b010, t);
      add({2, 3, 4}, absent(), 0b111, t);
    }
    add({2, 3, 4}, axes({}), 0b111);
    add({2, 3, 4}, axes({-1}), 0b100);
    add({2, 3, 4}, axes({0}), 0b001);
    add({2, 3, 4}, axes({0, 2}), 0b101);
    add({2, 3, 4}, axes({2, 0}), 0b101);
    add({2, 3, 4}, axes({-3, -2, -1}), 0b111);
    add({5}, axes({0}), 0b1);
    add({1, 5, 1}, axes({0, 2}), 0b101);
    add({}, absent(), 0);
    add({2, 1, 2, 1, 2, 1, 2, 3}, axes({0, 2, 4, 7}), 0b10010101);
    add({3, 2000}, axes({1}), 0b10);
    add({0, 3}, axes({1}), 0b10);
    check_cases(cases);
  }
}

TEST(Reduce, Noop) {
  std::vector<OpCase> cases;
  for (const Family& family : families()) {
    for (const CaseOperand& list : {absent(), axes({})}) {
      cases.push_back({.name = "nothing to reduce",
                       .op = family.op,
                       .attributes = flags(true, true),
                       .inputs = {random(kFloat32, {2, 3}, family.generate), list},
                       .independent = reduce(family.f, 0, true)});
    }
    cases.push_back({.name = "axes all the same",
                     .op = family.op,
                     .attributes = flags(false, true),
                     .inputs = {random(kFloat32, {2, 3}, family.generate), axes({1})},
                     .independent = reduce(family.f, 0b10, false)});
  }
  check_cases(cases);
}

TEST(Reduce, SmallTypes) {
  std::vector<OpCase> cases;
  for (const DataType t : {kInt8, kUint8, kBool}) {
    cases.push_back({.name = "small",
                     .op = "ReduceMax",
                     .inputs = {random(t, {4, 3, 5}, special), axes({0, 2})},
                     .independent = reduce(largest, 0b101, true)});
    cases.push_back({.name = "small",
                     .op = "ReduceMin",
                     .inputs = {random(t, {4, 3, 5}, special), axes({0, 2})},
                     .independent = reduce(smallest, 0b101, true)});
  }
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceProd", "ReduceL1"}) {
    cases.push_back(
        {.name = "too small", .op = op, .inputs = {random(kInt8, {3})}, .refused = "operand 0 has the type int8"});
  }
  check_cases(cases);
}

TEST(Reduce, EmptySet) {
  const auto empty = [](const char* op, Tensor expected) {
    return OpCase{.name = "nothing in a slice",
                  .op = op,
                  .attributes = flags(false),
                  .inputs = {random(expected.dtype(), {2, 0, 1}), axes({1})},
                  .expected = {expected.reshaped({2, 1})}};
  };
  const auto floats = [](float x) { return tensor<float>({2}, {x, x}); };
  const auto ints = [](int32_t x) { return tensor<int32_t>({2}, {x, x}); };
  check_cases({
      empty("ReduceSum", floats(0)),
      empty("ReduceSum", ints(0)),
      empty("ReduceProd", floats(1)),
      empty("ReduceProd", ints(1)),
      empty("ReduceMean", floats(kNaN)),
      empty("ReduceMean", ints(0)),
      empty("ReduceMax", floats(-kInf)),
      empty("ReduceMax", ints(std::numeric_limits<int32_t>::min())),
      empty("ReduceMax", tensor<bool>({2}, {false, false})),
      empty("ReduceMax", tensor<uint8_t>({2}, {0, 0})),
      empty("ReduceMax", tensor<Half>({2}, {-kInf, -kInf})),
      empty("ReduceMin", floats(kInf)),
      empty("ReduceMin", ints(std::numeric_limits<int32_t>::max())),
      empty("ReduceMin", tensor<bool>({2}, {true, true})),
      empty("ReduceL1", floats(0)),
      empty("ReduceL2", floats(0)),
      empty("ReduceSumSquare", floats(0)),
      empty("ReduceLogSum", floats(-kInf)),
      empty("ReduceLogSumExp", floats(-kInf)),
  });
}

TEST(Reduce, Special) {
  constexpr int32_t kLeast = std::numeric_limits<int32_t>::min(), kMost = std::numeric_limits<int32_t>::max();
  const auto whole = [](std::string name, const char* op, Tensor x, Tensor y) {
    return OpCase{.name = std::move(name),
                  .op = op,
                  .attributes = flags(false),
                  .inputs = {given(std::move(x))},
                  .expected = {std::move(y)}};
  };
  check_cases({
      whole("wraps", "ReduceSum", tensor<int32_t>({2}, {kMost, 1}), Tensor::scalar(kLeast)),
      whole("wraps", "ReduceProd", tensor<int32_t>({2}, {kMost, 2}), Tensor::scalar(-2)),
      whole("of the least", "ReduceL1", tensor<int32_t>({1}, {kLeast}), Tensor::scalar(kLeast)),
      whole("no overflow in between", "ReduceMean", tensor<int32_t>({2}, {kMost, kMost}), Tensor::scalar(kMost)),
      whole("truncates", "ReduceMean", tensor<int32_t>({2}, {-3, -4}), Tensor::scalar(-3)),
      whole("large unsigned", "ReduceMean", tensor<uint64_t>({2}, {uint64_t{1} << 63, 2}),
            Tensor::scalar((uint64_t{1} << 62) + 1)),
      whole("no overflow in between", "ReduceMean", tensor<Half>({2}, {60000.f, 60000.f}),
            Tensor::scalar(Half(60000.f))),
      whole("truncates", "ReduceL2", tensor<int32_t>({2}, {1, 2}), Tensor::scalar(int32_t{2})),
      whole("truncates", "ReduceLogSum", tensor<int32_t>({2}, {10, 11}), Tensor::scalar(int32_t{3})),
      whole("large", "ReduceLogSumExp", tensor<float>({2}, {1000, 1000}), Tensor::scalar(1000.693147f)),
      whole("infinity", "ReduceLogSumExp", tensor<float>({2}, {kInf, 1}), Tensor::scalar(kInf)),
      whole("minus infinity", "ReduceLogSumExp", tensor<float>({2}, {-kInf, -kInf}), Tensor::scalar(-kInf)),
      whole("NaN", "ReduceLogSumExp", tensor<float>({2}, {kInf, kNaN}), Tensor::scalar(kNaN)),
      whole("NaN", "ReduceMax", tensor<float>({3}, {1, kNaN, kInf}), Tensor::scalar(kNaN)),
      whole("NaN", "ReduceMin", tensor<float>({3}, {-kInf, kNaN, 1}), Tensor::scalar(kNaN)),
      whole("minus infinity", "ReduceMax", tensor<float>({2}, {-kInf, -kInf}), Tensor::scalar(-kInf)),
      whole("infinities", "ReduceSum", tensor<float>({2}, {kInf, -kInf}), Tensor::scalar(kNaN)),
      whole("negative", "ReduceLogSum", tensor<float>({2}, {-3, 1}), Tensor::scalar(kNaN)),
  });
}

// What Shape gives, reduced: inference follows the contents.
TEST(Reduce, ShapeArithmetic) {
  std::vector<OpCase> cases;
  for (const char* op : {"ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin"}) {
    for (const bool keepdims : {true, false}) {
      for (const DataType t : {kInt64, kInt32}) {
        cases.push_back({.name = "of a shape",
                         .op = op,
                         .attributes = flags(keepdims),
                         .inputs = {random(t, {4}, uniform(0, 9)), axes({0})}});
        cases.push_back({.name = "of a shape, all axes",
                         .op = op,
                         .attributes = flags(keepdims),
                         .inputs = {random(t, {3}, uniform(0, 9))}});
        cases.push_back({.name = "no axes",
                         .op = op,
                         .attributes = flags(keepdims, true),
                         .inputs = {random(t, {3}, uniform(0, 9))}});
      }
    }
  }
  check_cases(cases);
}

TEST(Reduce, Refused) {
  const auto bad = [](std::string name, CaseOperand list, std::string message) {
    return OpCase{.name = std::move(name),
                  .op = "ReduceSum",
                  .inputs = {random(kFloat32, {2, 3}), std::move(list)},
                  .refused = std::move(message)};
  };
  check_cases({
      bad("axis outside", axes({2}), "axis 2 is outside [-2, 2)"),
      bad("axis far outside", axes({std::numeric_limits<int64_t>::min()}), "is outside"),
      bad("axis twice", axes({1, -1}), "axis 1 is given twice"),
      bad("axes of another type", given(tensor<int32_t>({1}, {0})), "operand 1 has the type int32"),
      bad("axes of rank 2", given(tensor<int64_t>({1, 1}, {0})), "rank 2"),
  });
}

namespace {

// int64 positions from slices along one axis.
Independent position(int64_t (*f)(const std::vector<double>& line), size_t axis, bool keepdims) {
  return [=](std::span<const Tensor> inputs) {
    const Array x(inputs[0]);
    Extents kept = x.dims();
    kept[axis] = 1;
    std::vector<double> values;
    for_each_position(kept, [&](const Extents& at) {
      std::vector<double> line;
      for (Extents walk = at; walk[axis] < x.dims()[axis]; ++walk[axis]) line.push_back(x[walk]);
      values.push_back(static_cast<double>(f(line)));
    });
    Extents out;
    for (size_t i = 0; i < kept.size(); ++i) {
      if (i != axis || keepdims) out.push_back(kept[i]);
    }
    return std::vector<Tensor>{tensor_from_doubles(kInt64, out, values)};
  };
}

int64_t first_largest(const std::vector<double>& line) {
  return std::max_element(line.begin(), line.end()) - line.begin();
}
int64_t first_smallest(const std::vector<double>& line) {
  return std::min_element(line.begin(), line.end()) - line.begin();
}
int64_t last_largest(const std::vector<double>& line) {
  return line.rend() - std::max_element(line.rbegin(), line.rend()) - 1;
}
int64_t last_smallest(const std::vector<double>& line) {
  return line.rend() - std::min_element(line.rbegin(), line.rend()) - 1;
}

}  // namespace

TEST(ArgMaxMin, Axes) {
  std::vector<OpCase> cases;
  const auto add = [&](DataType t, Extents x, int64_t axis, bool keepdims) {
    const size_t positive = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(x.size()) : axis);
    // Few different values, so that there are equal ones.
    const CaseOperand data = random(t, x, choice({0, 1, 2, 3}));
    const auto push = [&](const char* op, bool last, int64_t (*f)(const std::vector<double>&)) {
      cases.push_back(
          {.name = last ? "last" : "first",
           .op = op,
           .attributes = {{"axis", axis}, {"keepdims", int64_t{keepdims}}, {"select_last_index", int64_t{last}}},
           .inputs = {data},
           .independent = position(f, positive, keepdims)});
    };
    push("ArgMax", false, first_largest);
    push("ArgMax", true, last_largest);
    push("ArgMin", false, first_smallest);
    push("ArgMin", true, last_smallest);
  };
  for (const DataType t :
       {kFloat32, kFloat64, kFloat16, kBFloat16, kInt8, kInt16, kInt32, kInt64, kUint8, kUint16, kUint32, kUint64}) {
    add(t, {3, 7, 2}, 1, true);
  }
  add(kFloat32, {3, 7, 2}, 0, false);
  add(kFloat32, {3, 7, 2}, -1, false);
  add(kFloat32, {9}, 0, false);
  add(kFloat32, {9}, 0, true);
  add(kFloat32, {4, 1}, 1, true);
  add(kFloat32, {0, 4}, 1, true);
  add(kInt32, {2, 1000}, -1, false);
  check_cases(cases);
}

TEST(ArgMaxMin, Special) {
  const auto line = [](std::string name, const char* op, bool last, Tensor x, int64_t y) {
    return OpCase{.name = std::move(name),
                  .op = op,
                  .attributes = {{"keepdims", int64_t{0}}, {"select_last_index", int64_t{last}}},
                  .inputs = {given(std::move(x))},
                  .expected = {Tensor::scalar(y)}};
  };
  constexpr int64_t kLarge = int64_t{1} << 60;
  check_cases({
      line("NaN is the largest", "ArgMax", false, tensor<float>({5}, {1, kInf, kNaN, kNaN, 2}), 2),
      line("NaN is the largest", "ArgMax", true, tensor<float>({5}, {1, kInf, kNaN, kNaN, 2}), 3),
      line("NaN is the smallest", "ArgMin", false, tensor<float>({5}, {1, -kInf, kNaN, kNaN, 2}), 2),
      line("minus infinity only", "ArgMax", false, tensor<float>({2}, {-kInf, -kInf}), 0),
      line("large integers", "ArgMax", false, tensor<int64_t>({3}, {kLarge, kLarge + 1, kLarge}), 1),
      line("large unsigned", "ArgMin", false, tensor<uint64_t>({2}, {~uint64_t{0}, 1}), 1),
      {.name = "empty axis", .op = "ArgMax", .inputs = {random(kFloat32, {0, 2})}, .refused = "is empty"},
      {.name = "axis outside",
       .op = "ArgMin",
       .attributes = {{"axis", int64_t{-2}}},
       .inputs = {random(kFloat32, {3})},
       .refused = "axis -2 is outside"},
      {.name = "scalar", .op = "ArgMax", .inputs = {random(kFloat32, {})}, .refused = "outside"},
      {.name = "bool", .op = "ArgMax", .inputs = {random(kBool, {3})}, .refused = "operand 0 has the type bool"},
  });
}

}  // namespace hone::test
