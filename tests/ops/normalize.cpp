// BatchNormalization, LayerNormalization, RMSNormalization, InstanceNormalization, GroupNormalization,
// MeanVarianceNormalization, LpNormalization and LRN.
#include <cmath>
#include <limits>

#include "ops/naive.h"
#include "support/op_case.h"

namespace hone::test {

using enum DataType;

namespace {

constexpr DataType kFloats[] = {kFloat32, kFloat64, kFloat16, kBFloat16};
constexpr Tolerance kSums = {1e-4, 1e-4};

// Sums of x and x^2 over the elements that `same` ties to one position.
struct Statistics {
  double mean = 0, mean_square = 0, sum_magnitude = 0;
  int64_t count = 0;
  double variance() const { return mean_square - mean * mean; }
};

template <class Same>
Statistics statistics(const Array& x, const Extents& at, Same&& same) {
  Statistics s;
  for_each_position(x.dims(), [&](const Extents& other) {
    if (!same(at, other)) return;
    s.mean += x[other];
    s.mean_square += x[other] * x[other];
    s.sum_magnitude += std::abs(x[other]);
    ++s.count;
  });
  s.mean /= static_cast<double>(s.count);
  s.mean_square /= static_cast<double>(s.count);
  return s;
}

// y = f(x, at) for every position of operand 0.
template <class F>
Tensor everywhere(std::span<const Tensor> inputs, DataType dtype, F&& f) {
  const Array x(inputs[0]);
  Array y(x.dims());
  for_each_position(x.dims(), [&](const Extents& at) { y[at] = f(x, at); });
  return y.tensor(dtype);
}

std::vector<Tensor> batch_norm(std::span<const Tensor> inputs) {
  const Array scale(inputs[1]), bias(inputs[2]), mean(inputs[3]), variance(inputs[4]);
  return {everywhere(inputs, inputs[0].dtype(), [&](const Array& x, const Extents& at) {
    const Extents c = {at.size() == 1 ? 0 : at[1]};
    return (x[at] - mean[c]) / std::sqrt(variance[c] + 1e-5) * scale[c] + bias[c];
  })};
}

OpCase batch_norm_case(Extents x, DataType t, DataType parameters, DataType statistics) {
  const Extents c = {x.size() == 1 ? 1 : x[1]};
  return {.name = "rank " + std::to_string(x.size()),
          .op = "BatchNormalization",
          .inputs = {random(t, x), constant(random(parameters, c)), constant(random(parameters, c)),
                     constant(random(statistics, c)), constant(random(statistics, c, uniform(0.5, 3)))},
          .independent = batch_norm,
          .backend_tolerance = kSums};
}

}  // namespace

TEST(BatchNormalization, Cases) {
  std::vector<OpCase> cases;
  for (const DataType t : kFloats) cases.push_back(batch_norm_case({2, 3, 4, 5}, t, t, t));
  cases.push_back(batch_norm_case({2, 3, 4, 5}, kFloat16, kFloat32, kFloat64));
  for (const Extents& x : {Extents{4}, Extents{5, 3}, Extents{2, 3, 7}, Extents{2, 2, 3, 4, 5}, Extents{0, 3, 2},
                           Extents{2, 3, 0}, Extents{2, 0, 3}}) {
    cases.push_back(batch_norm_case(x, kFloat32, kFloat32, kFloat32));
  }
  const auto one = [](float x) { return given(tensor<float>({1}, {x})); };
  cases.push_back({.name = "epsilon",
                   .op = "BatchNormalization",
                   .attributes = {{"epsilon", 3.f}},
                   .inputs = {given(tensor<float>({1, 1, 2}, {5, 9})), one(10), one(1), one(1), one(1)},
                   .expected = {tensor<float>({1, 1, 2}, {21, 41})}});
  cases.push_back({.name = "negative variance",
                   .op = "BatchNormalization",
                   .inputs = {given(tensor<float>({1, 1, 1}, {5})), one(1), one(1), one(1), one(-1)},
                   .expected = {tensor<float>({1, 1, 1}, {std::numeric_limits<float>::quiet_NaN()})}});
  check_cases(cases);
}

TEST(BatchNormalization, Refused) {
  OpCase training = batch_norm_case({2, 3, 4}, kFloat32, kFloat32, kFloat32);
  training.independent = {};
  OpCase more_outputs = training, short_scale = training, mixed_types = training, integers = training;
  training.attributes = {{"training_mode", int64_t{1}}};
  training.refused = "training form";
  more_outputs.num_outputs = 3;
  more_outputs.refused = "training form";
  short_scale.inputs[1] = random(kFloat32, {2});
  short_scale.refused = "the length of operand 1 and the number of channels";
  mixed_types.inputs[2] = random(kFloat64, {3});
  mixed_types.refused = "differ in type";
  integers.inputs[0] = random(kInt32, {2, 3, 4});
  integers.refused = "operand 0 has the type int32";
  check_cases({training, more_outputs, short_scale, mixed_types, integers});
}

namespace {

// Positions that agree in the axes before `axis`.
auto same_before(size_t axis) {
  return [axis](const Extents& a, const Extents& b) { return std::equal(a.begin(), a.begin() + axis, b.begin()); };
}

Independent layer_norm(size_t axis, double epsilon, DataType stash) {
  return [=](std::span<const Tensor> inputs) {
    const Array input(inputs[0]), scale(inputs[1]);
    Extents rows = inputs[0].dims();
    for (size_t i = axis; i < rows.size(); ++i) rows[i] = 1;
    Array mean(rows), inverse(rows);
    for_each_position(rows, [&](const Extents& at) {
      const Statistics s = statistics(input, at, same_before(axis));
      mean[at] = s.mean;
      inverse[at] = 1 / std::sqrt(s.variance() + epsilon);
    });
    const Tensor y = everywhere(inputs, inputs[0].dtype(), [&](const Array& x, const Extents& at) {
      const double bias = inputs.size() > 2 ? Array(inputs[2]).broadcast(at) : 0;
      return (x[at] - mean.broadcast(at)) * inverse.broadcast(at) * scale.broadcast(at) + bias;
    });
    return std::vector<Tensor>{y, mean.tensor(stash), inverse.tensor(stash)};
  };
}

}  // namespace

TEST(LayerNormalization, Cases) {
  std::vector<OpCase> cases;
  const auto add = [&](std::string name, Extents x, int64_t axis, Extents scale, DataType t = kFloat32,
                       int64_t stash = 1) {
    const size_t positive = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(x.size()) : axis);
    cases.push_back({.name = std::move(name),
                     .op = "LayerNormalization",
                     .attributes = {{"axis", axis}, {"epsilon", 0.01f}, {"stash_type", stash}},
                     .inputs = {random(t, x), constant(random(t, scale)), constant(random(t, scale))},
                     .num_outputs = 3,
                     .independent = layer_norm(positive, static_cast<double>(0.01f), static_cast<DataType>(stash)),
                     .tolerance = t == kFloat64 ? std::optional(Tolerance{1e-6, 1e-6}) : std::nullopt,
                     .backend_tolerance = t == kFloat32 ? std::optional(kSums) : std::nullopt});
  };
  for (const DataType t : kFloats) add("every type", {2, 3, 8}, -1, {8}, t);
  add("bfloat16 statistics", {2, 3, 8}, -1, {8}, kBFloat16, 16);
  add("two axes", {2, 3, 4}, 1, {3, 4});
  add("all axes", {2, 3, 4}, 0, {2, 3, 4});
  add("negative axis", {2, 3, 4}, -2, {3, 4});
  add("one number for all", {2, 3, 4}, 1, {});
  add("broadcast in an inner axis", {2, 3, 4}, 1, {3, 1});
  add("broadcast from an outer axis", {2, 3, 4}, -1, {3, 4});
  add("one element in a row", {3, 1}, -1, {1});
  add("long rows", {3, 1500}, -1, {1500});
  add("no rows", {0, 4}, -1, {4});
  cases.push_back({.name = "without bias; one output",
                   .op = "LayerNormalization",
                   .inputs = {random(kFloat32, {3, 5}), random(kFloat32, {5})},
                   .independent = [](std::span<const Tensor> inputs) {
                     std::vector<Tensor> all = layer_norm(1, 1e-5, kFloat32)(inputs);
                     all.resize(1);
                     return all;
                   }});
  cases.push_back({.name = "a large mean",
                   .op = "LayerNormalization",
                   .attributes = {{"epsilon", 0.f}},
                   .inputs = {given(tensor<float>({2}, {1e6f, 1e6f + 2})), given(Tensor::scalar(1.f))},
                   .expected = {tensor<float>({2}, {-1, 1})}});
  check_cases(cases);
}

TEST(LayerNormalization, Refused) {
  const auto bad = [](std::string name, AttrMap attributes, Extents scale, std::string message) {
    return OpCase{.name = std::move(name),
                  .op = "LayerNormalization",
                  .attributes = std::move(attributes),
                  .inputs = {random(kFloat32, {2, 3, 4}), random(kFloat32, scale)},
                  .refused = std::move(message)};
  };
  check_cases({
      bad("axis outside", {{"axis", int64_t{3}}}, {4}, "axis 3 is outside"),
      bad("stash_type", {{"stash_type", int64_t{7}}}, {4}, "'stash_type' is 7"),
      bad("scale of another size", {}, {3}, "broadcast"),
      bad("scale of a larger rank", {}, {1, 2, 3, 4}, "rank 4"),
      {.name = "scale that would grow X",
       .op = "LayerNormalization",
       .inputs = {random(kFloat32, {2, 1}), random(kFloat32, {4})},
       .refused = "must be equal: 4 and 1"},
  });
}

TEST(RMSNormalization, Cases) {
  std::vector<OpCase> cases;
  const auto add = [&](Extents x, int64_t axis, Extents scale, DataType t, DataType scale_type) {
    const size_t positive = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(x.size()) : axis);
    cases.push_back({.name = "axis " + std::to_string(axis),
                     .op = "RMSNormalization",
                     .attributes = {{"axis", axis}},
                     .inputs = {random(t, x), constant(random(scale_type, scale))},
                     .independent =
                         [positive, scale_type](std::span<const Tensor> inputs) {
                           return std::vector<Tensor>{
                               everywhere(inputs, scale_type, [&](const Array& values, const Extents& at) {
                                 const Statistics s = statistics(values, at, same_before(positive));
                                 return values[at] / std::sqrt(s.mean_square + 1e-5) * Array(inputs[1]).broadcast(at);
                               })};
                         },
                     .tolerance = t == kFloat64 ? std::optional(Tolerance{1e-6, 1e-6}) : std::nullopt});
  };
  for (const DataType t : kFloats) add({2, 3, 8}, -1, {8}, t, t);
  add({2, 3, 4}, 1, {3, 4}, kFloat16, kFloat32);
  add({2, 3, 4}, 0, {}, kFloat32, kFloat32);
  add({0, 4}, 1, {4}, kFloat32, kFloat32);
  check_cases(cases);
}

namespace {

// Over spatial axes and `channels / groups` channels; scale and bias by channel.
Independent group_norm(int64_t groups) {
  return [groups](std::span<const Tensor> inputs) {
    const Array scale(inputs[1]), bias(inputs[2]);
    const int64_t per_group = groups == 0 ? 1 : inputs[0].dims()[1] / groups;
    const auto same = [per_group](const Extents& a, const Extents& b) {
      return a[0] == b[0] && a[1] / per_group == b[1] / per_group;
    };
    return std::vector<Tensor>{everywhere(inputs, inputs[0].dtype(), [&](const Array& x, const Extents& at) {
      const Statistics s = statistics(x, at, same);
      return (x[at] - s.mean) / std::sqrt(s.variance() + 1e-5) * scale[{at[1]}] + bias[{at[1]}];
    })};
  };
}

OpCase by_channel(std::string op, AttrMap attributes, DataType t, Extents x, Independent independent) {
  const Extents c = {x[1]};
  return {.name = to_string(x),
          .op = std::move(op),
          .attributes = std::move(attributes),
          .inputs = {random(t, x), constant(random(t, c)), constant(random(t, c))},
          .independent = std::move(independent),
          .tolerance = t == kFloat32 ? std::optional(Tolerance{1e-5, 1e-5}) : std::nullopt,
          .backend_tolerance = t == kFloat32 ? std::optional(kSums) : std::nullopt};
}

}  // namespace

TEST(InstanceNormalization, Cases) {
  std::vector<OpCase> cases;
  for (const DataType t : {kFloat32, kFloat16, kBFloat16}) {
    cases.push_back(by_channel("InstanceNormalization", {}, t, {2, 3, 4, 5}, group_norm(3)));
  }
  cases.push_back(by_channel("InstanceNormalization", {}, kFloat32, {1, 2, 9}, group_norm(2)));
  cases.push_back(by_channel("InstanceNormalization", {}, kFloat32, {1, 2, 2, 3, 4}, group_norm(2)));
  cases.push_back(by_channel("InstanceNormalization", {}, kFloat32, {0, 2, 3}, group_norm(2)));
  cases.push_back(by_channel("InstanceNormalization", {}, kFloat32, {2, 0, 3}, group_norm(0)));
  cases.push_back({.name = "scale of another length",
                   .op = "InstanceNormalization",
                   .inputs = {random(kFloat32, {2, 3, 4}), random(kFloat32, {3}), random(kFloat32, {4})},
                   .refused = "the length of operand 2"});
  check_cases(cases);
}

TEST(GroupNormalization, Cases) {
  std::vector<OpCase> cases;
  const auto groups = [](int64_t n) { return AttrMap{{"num_groups", n}}; };
  for (const DataType t : {kFloat32, kFloat16, kBFloat16}) {
    cases.push_back(by_channel("GroupNormalization", groups(2), t, {2, 6, 3, 4}, group_norm(2)));
  }
  cases.push_back(by_channel("GroupNormalization", groups(1), kFloat32, {2, 4, 5}, group_norm(1)));
  cases.push_back(by_channel("GroupNormalization", groups(4), kFloat32, {2, 4, 5}, group_norm(4)));
  cases.push_back(by_channel("GroupNormalization", groups(3), kFloat32, {4, 6}, group_norm(3)));
  OpCase uneven = by_channel("GroupNormalization", groups(4), kFloat32, {2, 6, 3}, {});
  uneven.refused = "the number of channels, 6, isn't a multiple of attribute 'num_groups', 4";
  OpCase none = by_channel("GroupNormalization", groups(0), kFloat32, {2, 6, 3}, {});
  none.refused = "'num_groups' is 0";
  cases.push_back(uneven);
  cases.push_back(none);
  check_cases(cases);
}

TEST(MeanVarianceNormalization, Cases) {
  const auto expected = [](std::vector<size_t> kept) -> Independent {
    return [kept](std::span<const Tensor> inputs) {
      return std::vector<Tensor>{everywhere(inputs, inputs[0].dtype(), [&](const Array& x, const Extents& at) {
        const Statistics s = statistics(x, at, [&](const Extents& a, const Extents& b) {
          return std::all_of(kept.begin(), kept.end(), [&](size_t i) { return a[i] == b[i]; });
        });
        return (x[at] - s.mean) / std::sqrt(s.variance());
      })};
    };
  };
  std::vector<OpCase> cases;
  for (const DataType t : kFloats) {
    cases.push_back({.name = "per channel",
                     .op = "MeanVarianceNormalization",
                     .inputs = {random(t, {2, 3, 4, 2})},
                     .independent = expected({1}),
                     .tolerance = t == kFloat64 ? std::optional(Tolerance{1e-8, 1e-8}) : std::nullopt});
  }
  cases.push_back({.name = "axes",
                   .op = "MeanVarianceNormalization",
                   .attributes = {{"axes", Ints{-1, 0}}},
                   .inputs = {random(kFloat32, {4, 3, 5})},
                   .independent = expected({1}),
                   .tolerance = Tolerance{1e-5, 1e-5}});
  cases.push_back({.name = "rank too small",
                   .op = "MeanVarianceNormalization",
                   .inputs = {random(kFloat32, {4, 3})},
                   .refused = "axis 2 is outside"});
  check_cases(cases);
}

TEST(LpNormalization, Cases) {
  const auto expected = [](size_t axis, int64_t p) -> Independent {
    return [axis, p](std::span<const Tensor> inputs) {
      return std::vector<Tensor>{everywhere(inputs, inputs[0].dtype(), [&](const Array& x, const Extents& at) {
        const Statistics s = statistics(x, at, [&](Extents a, const Extents& b) {
          a[axis] = b[axis];
          return a == b;
        });
        const double norm = p == 1 ? s.sum_magnitude : std::sqrt(s.mean_square * static_cast<double>(s.count));
        return norm == 0 ? 0 : x[at] / norm;
      })};
    };
  };
  std::vector<OpCase> cases;
  for (const DataType t : kFloats) {
    for (const int64_t p : {1, 2}) {
      cases.push_back({.name = "p " + std::to_string(p),
                       .op = "LpNormalization",
                       .attributes = {{"axis", int64_t{1}}, {"p", p}},
                       .inputs = {random(t, {3, 4, 2})},
                       .independent = expected(1, p)});
    }
  }
  cases.push_back({.name = "the last axis by default",
                   .op = "LpNormalization",
                   .inputs = {random(kFloat32, {3, 4})},
                   .independent = expected(1, 2)});
  cases.push_back({.name = "zeros stay",
                   .op = "LpNormalization",
                   .inputs = {given(tensor<float>({2, 2}, {0, 0, 3, 4}))},
                   .expected = {tensor<float>({2, 2}, {0, 0, 0.6f, 0.8f})}});
  cases.push_back({.name = "p 3",
                   .op = "LpNormalization",
                   .attributes = {{"p", int64_t{3}}},
                   .inputs = {random(kFloat32, {3, 4})},
                   .refused = "'p' is 3"});
  check_cases(cases);
}

TEST(LRN, Cases) {
  const auto expected = [](int64_t size, double alpha, double beta, double bias) -> Independent {
    return [=](std::span<const Tensor> inputs) {
      return std::vector<Tensor>{everywhere(inputs, inputs[0].dtype(), [&](const Array& x, const Extents& at) {
        double sum = 0;
        Extents other = at;
        for (int64_t k = 0; k < size; ++k) {
          other[1] = at[1] - (size - 1) / 2 + k;
          if (x.contains(other)) sum += x[other] * x[other];
        }
        return x[at] / std::pow(bias + alpha / static_cast<double>(size) * sum, beta);
      })};
    };
  };
  std::vector<OpCase> cases;
  for (const DataType t : kFloats) {
    cases.push_back({.name = "five",
                     .op = "LRN",
                     .attributes = {{"size", int64_t{5}}, {"alpha", 0.5f}, {"beta", 0.75f}, {"bias", 2.f}},
                     .inputs = {random(t, {2, 7, 3, 2})},
                     .independent = expected(5, 0.5, 0.75, 2)});
  }
  cases.push_back({.name = "even size",
                   .op = "LRN",
                   .attributes = {{"size", int64_t{4}}, {"alpha", 2.f}, {"beta", 1.f}},
                   .inputs = {random(kFloat32, {1, 6, 5})},
                   .independent = expected(4, 2, 1, 1)});
  cases.push_back({.name = "larger than the channels",
                   .op = "LRN",
                   .attributes = {{"size", std::numeric_limits<int64_t>::max()}, {"alpha", 2.f}, {"beta", 1.f}},
                   .inputs = {given(tensor<float>({1, 1, 2}, {3, 4}))},
                   .expected = {tensor<float>({1, 1, 2}, {3, 4})}});
  cases.push_back({.name = "no size", .op = "LRN", .inputs = {random(kFloat32, {1, 6, 5})}, .refused = "'size' is 0"});
  check_cases(cases);
}

}  // namespace hone::test
