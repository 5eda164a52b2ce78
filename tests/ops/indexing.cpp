// Operators that move elements by index: the gathers, the scatters, NonZero, Compress and OneHot.
#include <cmath>
#include <limits>

#include "ops/moved.h"

namespace hone::test {

using enum DataType;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

int64_t wrapped(double index, int64_t size) {
  return static_cast<int64_t>(index) < 0 ? static_cast<int64_t>(index) + size : static_cast<int64_t>(index);
}

// The first `count` of `all`, and what comes after the first `from`.
Extents head(const Extents& all, size_t count) { return Extents(std::span(all.data(), count)); }
Extents tail(const Extents& all, size_t from) { return Extents(std::span(all.data() + from, all.size() - from)); }
Extents joined(Extents a, const Extents& b) {
  for (const int64_t x : b) a.push_back(x);
  return a;
}

OpCase gather_case(std::string name, CaseOperand data, CaseOperand indices, int64_t axis, size_t normal) {
  return {.name = std::move(name),
          .op = "Gather",
          .attributes = {{"axis", axis}},
          .inputs = {std::move(data), std::move(indices)},
          .independent = [normal](std::span<const Tensor> inputs) {
            const Array x(inputs[0]), index(inputs[1]);
            const size_t rank = index.dims().size();
            Array y(joined(joined(head(x.dims(), normal), index.dims()), tail(x.dims(), normal + 1)));
            for_each_position(y.dims(), [&](const Extents& at) {
              Extents from = head(at, normal);
              from.push_back(wrapped(index[head(tail(at, normal), rank)], x.dims()[normal]));
              y[at] = x[joined(from, tail(at, normal + rank))];
            });
            return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
          }};
}

OpCase gather_elements_case(std::string name, CaseOperand data, CaseOperand indices, int64_t axis, size_t normal) {
  return {.name = std::move(name),
          .op = "GatherElements",
          .attributes = {{"axis", axis}},
          .inputs = {std::move(data), std::move(indices)},
          .independent = [normal](std::span<const Tensor> inputs) {
            const Array x(inputs[0]), index(inputs[1]);
            Array y(index.dims());
            for_each_position(y.dims(), [&](const Extents& at) {
              Extents from = at;
              from[normal] = wrapped(index[at], x.dims()[normal]);
              y[at] = x[from];
            });
            return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
          }};
}

OpCase gather_nd_case(std::string name, CaseOperand data, CaseOperand indices, int64_t batch_dims) {
  const auto batch = static_cast<size_t>(batch_dims);
  return {.name = std::move(name),
          .op = "GatherND",
          .attributes = {{"batch_dims", batch_dims}},
          .inputs = {std::move(data), std::move(indices)},
          .independent = [batch](std::span<const Tensor> inputs) {
            const Array x(inputs[0]), index(inputs[1]);
            const size_t lead = index.dims().size() - 1;
            const auto tuple = static_cast<size_t>(index.dims()[lead]);
            Array y(joined(head(index.dims(), lead), tail(x.dims(), batch + tuple)));
            for_each_position(y.dims(), [&](const Extents& at) {
              Extents from = head(at, batch);
              for (size_t k = 0; k < tuple; ++k) {
                Extents place = head(at, lead);
                place.push_back(static_cast<int64_t>(k));
                from.push_back(wrapped(index[place], x.dims()[batch + k]));
              }
              y[at] = x[joined(from, tail(at, lead))];
            });
            return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
          }};
}

}  // namespace

TEST(Gather, Cases) {
  check_cases({
      gather_case("rows", random(kFloat32, {5, 4}), random(kInt64, {3}, indices(5)), 0, 0),
      gather_case("matrix of indices", random(kFloat32, {5, 4}), random(kInt64, {36, 2}, indices(5)), 0, 0),
      gather_case("columns", random(kFloat32, {3, 5}), random(kInt32, {2, 2}, indices(5)), -1, 1),
      gather_case("middle", random(kFloat16, {2, 5, 3}), random(kInt64, {4}, indices(5)), 1, 1),
      gather_case("scalar index", random(kInt64, {2, 5, 3}), random(kInt64, {}, indices(5)), 1, 1),
      gather_case("no index", random(kFloat32, {2, 5}), random(kInt64, {0}, indices(5)), 1, 1),
      gather_case("empty runs", random(kFloat32, {5, 0}), random(kInt64, {3}, indices(5)), 0, 0),
      gather_case("large", random(kFloat32, {700, 96}), random(kInt64, {36, 40}, indices(700)), 0, 0),
      {.name = "above",
       .op = "Gather",
       .inputs = {random(kFloat32, {5, 4}), int_list({0, 5})},
       .fails = "element 1 of 'indices' is 5"},
      {.name = "below", .op = "Gather", .inputs = {random(kFloat32, {5, 4}), int_list({-6})}, .fails = "is -6"},
      {.name = "extreme",
       .op = "Gather",
       .inputs = {random(kFloat32, {5}), int_list({std::numeric_limits<int64_t>::min()})},
       .fails = "[-5, 5)"},
      {.name = "from nothing", .op = "Gather", .inputs = {random(kFloat32, {0, 2}), int_list({0})}, .fails = "[-0, 0)"},
  });
  for (const DataType dtype : kMovedTypes) {
    check_case(gather_case(std::string(name_of(dtype)), random(dtype, {4, 3}), random(kInt64, {5}, indices(4)), 0, 0));
  }
}

TEST(GatherElements, Cases) {
  check_cases({
      gather_elements_case("first", random(kFloat32, {5, 4}), random(kInt64, {7, 4}, indices(5)), 0, 0),
      gather_elements_case("last", random(kFloat32, {5, 4}), random(kInt32, {3, 6}, indices(4)), -1, 1),
      gather_elements_case("middle", random(kInt16, {2, 5, 3}), random(kInt64, {2, 2, 3}, indices(5)), 1, 1),
      gather_elements_case("list", random(kFloat64, {5}), random(kInt64, {9}, indices(5)), 0, 0),
      gather_elements_case("none", random(kFloat32, {5, 4}), random(kInt64, {0, 4}, indices(5)), 0, 0),
      gather_elements_case("large", random(kFloat32, {40, 600}), random(kInt64, {30, 600}, indices(600)), 1, 1),
      {.name = "above",
       .op = "GatherElements",
       .inputs = {random(kFloat32, {2, 2}), given(tensor<int64_t>({1, 2}, {0, 2}))},
       .fails = "is 2"},
      {.name = "larger than the data",
       .op = "GatherElements",
       .inputs = {random(kFloat32, {2, 2}), given(tensor<int64_t>({1, 3}, {0, 1, 0}))},
       .fails = "larger than the data"},
  });
  for (const DataType dtype : kMovedTypes) {
    check_case(gather_elements_case(std::string(name_of(dtype)), random(dtype, {4, 3}),
                                    random(kInt64, {4, 5}, indices(3)), 1, 1));
  }
}

TEST(GatherND, Cases) {
  check_cases({
      gather_nd_case("elements", random(kFloat32, {4, 4}), random(kInt64, {6, 2}, indices(4)), 0),
      gather_nd_case("slices", random(kFloat32, {4, 4, 3}), random(kInt64, {2, 5, 1}, indices(4)), 0),
      gather_nd_case("batched", random(kFloat32, {2, 4, 3}), random(kInt64, {2, 5, 1}, indices(4)), 1),
      gather_nd_case("batched elements", random(kInt8, {2, 3, 4, 4}), random(kInt64, {2, 3, 5, 2}, indices(4)), 2),
      gather_nd_case("one tuple", random(kFloat16, {4, 4, 2}), random(kInt64, {2}, indices(4)), 0),
      gather_nd_case("none", random(kFloat32, {4, 4}), random(kInt64, {0, 2}, indices(4)), 0),
      {.name = "above",
       .op = "GatherND",
       .inputs = {random(kFloat32, {4, 2}), given(tensor<int64_t>({1, 2}, {3, 2}))},
       .fails = "is 2"},
  });
}

namespace {

double reduced(const std::string& reduction, double old, double update) {
  if (reduction == "add") return old + update;
  if (reduction == "mul") return old * update;
  if (reduction == "none") return update;
  if (std::isnan(old) || std::isnan(update)) return kNaN;
  return reduction == "max" ? std::max(old, update) : std::min(old, update);
}

// Sums of few numbers of small magnitude, rounded at each step.
constexpr Tolerance kRounded = {2e-2, 2e-2};

OpCase scatter_nd_case(std::string name, CaseOperand data, CaseOperand indices, CaseOperand updates,
                       std::string reduction = "none") {
  return {.name = std::move(name) + " " + reduction,
          .op = "ScatterND",
          .attributes = {{"reduction", reduction}},
          .inputs = {std::move(data), std::move(indices), std::move(updates)},
          .independent =
              [reduction](std::span<const Tensor> inputs) {
                Array y(inputs[0]);
                const Array index(inputs[1]), update(inputs[2]);
                const size_t lead = index.dims().size() - 1;
                const auto tuple = static_cast<size_t>(index.dims()[lead]);
                for_each_position(update.dims(), [&](const Extents& at) {
                  Extents to;
                  for (size_t k = 0; k < tuple; ++k) {
                    Extents place = head(at, lead);
                    place.push_back(static_cast<int64_t>(k));
                    to.push_back(wrapped(index[place], y.dims()[k]));
                  }
                  to = joined(to, tail(at, lead));
                  y[to] = reduced(reduction, y[to], update[at]);
                });
                return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
              },
          .tolerance = reduction == "add" || reduction == "mul" ? std::optional(kRounded) : std::nullopt};
}

OpCase scatter_elements_case(std::string name, CaseOperand data, CaseOperand indices, CaseOperand updates, int64_t axis,
                             size_t normal, std::string reduction = "none") {
  return {.name = std::move(name) + " " + reduction,
          .op = "ScatterElements",
          .attributes = {{"axis", axis}, {"reduction", reduction}},
          .inputs = {std::move(data), std::move(indices), std::move(updates)},
          .independent =
              [normal, reduction](std::span<const Tensor> inputs) {
                Array y(inputs[0]);
                const Array index(inputs[1]), update(inputs[2]);
                for_each_position(update.dims(), [&](const Extents& at) {
                  Extents to = at;
                  to[normal] = wrapped(index[at], y.dims()[normal]);
                  y[to] = reduced(reduction, y[to], update[at]);
                });
                return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
              },
          .tolerance = reduction == "add" || reduction == "mul" ? std::optional(kRounded) : std::nullopt};
}

constexpr const char* kReductions[] = {"none", "add", "mul", "max", "min"};

// Small, so that products of a few stay in range of all types.
Tensor ones_and_twos(DataType dtype, const Extents& dims, Random& random) {
  return each([](Random& r) { return static_cast<double>(r.integer(1, 2)); })(dtype, dims, random);
}

}  // namespace

TEST(ScatterND, Cases) {
  check_cases({
      {.name = "the last one stays",
       .op = "ScatterND",
       .inputs = {given(tensor<float>({4}, {1, 2, 3, 4})), given(tensor<int64_t>({3, 1}, {1, -3, 3})),
                  given(tensor<float>({3}, {7, 8, 9}))},
       .expected = {tensor<float>({4}, {1, 8, 3, 9})}},
      scatter_nd_case("none", random(kFloat32, {4, 3}), random(kInt64, {0, 1}), random(kFloat32, {0, 3})),
      scatter_nd_case("one tuple", random(kFloat32, {4, 3}), random(kInt64, {2}, indices(3)), random(kFloat32, {})),
      scatter_nd_case("32-bit", random(kFloat32, {4, 3}), random(kInt32, {5, 1}, indices(4)), random(kFloat32, {5, 3})),
      scatter_nd_case("many repeats", random(kFloat32, {20, 192}), random(kInt64, {36, 20, 1}, indices(20)),
                      random(kFloat32, {36, 20, 192})),
      {.name = "NaN wins",
       .op = "ScatterND",
       .attributes = {{"reduction", std::string("max")}},
       .inputs = {given(tensor<float>({2}, {static_cast<float>(kNaN), 2})), given(tensor<int64_t>({2, 1}, {0, 1})),
                  given(tensor<float>({2}, {7, static_cast<float>(kNaN)}))},
       .expected = {tensor<float>({2}, {static_cast<float>(kNaN), static_cast<float>(kNaN)})}},
      {.name = "above",
       .op = "ScatterND",
       .inputs = {random(kFloat32, {4, 3}), given(tensor<int64_t>({2, 1}, {0, 4})), random(kFloat32, {2, 3})},
       .fails = "element 1 of 'indices' is 4"},
      {.name = "below",
       .op = "ScatterND",
       .inputs = {random(kFloat32, {4, 3}), given(tensor<int64_t>({1, 2}, {0, -4})), random(kFloat32, {1})},
       .fails = "is -4"},
  });
  for (const char* reduction : kReductions) {
    for (const DataType dtype : {kFloat32, kFloat64, kFloat16, kBFloat16, kInt8, kUint8, kInt32, kInt64}) {
      check_case(scatter_nd_case(std::string(name_of(dtype)), random(dtype, {5, 4, 3}, ones_and_twos),
                                 random(kInt64, {2, 4, 2}, indices(4)), random(dtype, {2, 4, 3}, ones_and_twos),
                                 reduction));
    }
  }
  check_case(scatter_nd_case("bool", random(kBool, {5}), random(kInt64, {4, 1}, indices(5)), random(kBool, {4})));
}

TEST(ScatterElements, Cases) {
  check_cases({
      {.name = "the last one stays",
       .op = "ScatterElements",
       .attributes = {{"axis", int64_t{1}}},
       .inputs = {given(tensor<float>({1, 4}, {1, 2, 3, 4})), given(tensor<int64_t>({1, 3}, {1, 1, -1})),
                  given(tensor<float>({1, 3}, {7, 8, 9}))},
       .expected = {tensor<float>({1, 4}, {1, 8, 3, 9})}},
      scatter_elements_case("first", random(kFloat32, {5, 4}), random(kInt32, {7, 3}, indices(5)),
                            random(kFloat32, {7, 3}), 0, 0),
      scatter_elements_case("none", random(kFloat32, {5, 4}), random(kInt64, {0, 3}, indices(5)),
                            random(kFloat32, {0, 3}), 0, 0),
      {.name = "below",
       .op = "ScatterElements",
       .inputs = {random(kFloat32, {2, 2}), given(tensor<int64_t>({1, 2}, {0, -3})), random(kFloat32, {1, 2})},
       .fails = "is -3"},
      {.name = "larger than the data",
       .op = "ScatterElements",
       .inputs = {random(kFloat32, {2, 2}), given(tensor<int64_t>({1, 3}, {0, 1, 0})), random(kFloat32, {1, 3})},
       .fails = "larger than the data"},
  });
  for (const char* reduction : kReductions) {
    for (const DataType dtype : {kFloat32, kFloat16, kInt8, kUint64}) {
      check_case(scatter_elements_case(std::string(name_of(dtype)), random(dtype, {3, 5, 2}, ones_and_twos),
                                       random(kInt64, {3, 6, 2}, indices(5)), random(dtype, {3, 6, 2}, ones_and_twos),
                                       -2, 1, reduction));
    }
  }
}

namespace {

OpCase cache_case(std::string name, CaseOperand cache, CaseOperand update, std::optional<std::vector<int64_t>> starts,
                  int64_t axis, size_t normal, std::string mode) {
  OpCase spec = {.name = std::move(name) + " " + mode,
                 .op = "TensorScatter",
                 .attributes = {{"axis", axis}, {"mode", mode}},
                 .inputs = {std::move(cache), std::move(update)}};
  const auto batch = static_cast<int64_t>(starts ? starts->size() : 0);
  if (starts) spec.inputs.push_back(given(Tensor::of<int64_t>(*starts, std::span(&batch, 1))));
  spec.independent = [starts, normal](std::span<const Tensor> inputs) {
    Array y(inputs[0]);
    const Array x(inputs[1]);
    for_each_position(x.dims(), [&](const Extents& at) {
      Extents to = at;
      to[normal] = (to[normal] + (starts ? (*starts)[static_cast<size_t>(at[0])] : 0)) % y.dims()[normal];
      y[to] = x[at];
    });
    return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
  };
  return spec;
}

}  // namespace

TEST(TensorScatter, Cases) {
  check_cases({
      cache_case("no indices", random(kFloat32, {2, 3, 5, 4}), random(kFloat32, {2, 3, 2, 4}), std::nullopt, -2, 2,
                 "linear"),
      cache_case("indices", random(kFloat16, {2, 3, 5, 4}), random(kFloat16, {2, 3, 2, 4}), {{3, 0}}, -2, 2, "linear"),
      cache_case("around", random(kFloat32, {3, 5, 4}), random(kFloat32, {3, 4, 4}), {{3, 1, 14}}, 1, 1, "circular"),
      cache_case("last axis", random(kInt8, {2, 6}), random(kInt8, {2, 6}), {{5, 2}}, -1, 1, "circular"),
      cache_case("nothing", random(kFloat32, {2, 5, 4}), random(kFloat32, {2, 0, 4}), {{5, 2}}, -2, 1, "linear"),
      {.name = "past the end",
       .op = "TensorScatter",
       .inputs = {random(kFloat32, {1, 5, 4}), random(kFloat32, {1, 2, 4}), int_list({4})},
       .fails = "is 4, must be in [0, 3]"},
      {.name = "negative",
       .op = "TensorScatter",
       .attributes = {{"mode", std::string("circular")}},
       .inputs = {random(kFloat32, {1, 5, 4}), random(kFloat32, {1, 2, 4}), int_list({-1})},
       .fails = "is -1"},
      {.name = "longer than the cache",
       .op = "TensorScatter",
       .inputs = {random(kFloat32, {1, 2, 4}), random(kFloat32, {1, 3, 4})},
       .fails = "3 positions"},
      {.name = "batch axis",
       .op = "TensorScatter",
       .attributes = {{"axis", int64_t{0}}},
       .inputs = {random(kFloat32, {2, 2}), random(kFloat32, {1, 2})},
       .refused = "the batch"},
  });
}

namespace {

// Half of them zeros, with NaN and a negative zero among the floating ones.
Tensor sparse(DataType dtype, const Extents& dims, Random& random) {
  return each([dtype](Random& r) {
    const int64_t kind = r.integer(0, 5);
    if (kind == 0 && is_floating(dtype)) return kNaN;
    if (kind == 1) return -0.0;
    return kind < 4 ? 0.0 : 1.0;
  })(dtype, dims, random);
}

std::vector<Tensor> nonzero_positions(std::span<const Tensor> inputs) {
  const Array x(inputs[0]);
  std::vector<Extents> found;
  for_each_position(x.dims(), [&](const Extents& at) {
    if (x[at] != 0) found.push_back(at);
  });
  Array y({static_cast<int64_t>(x.dims().size()), static_cast<int64_t>(found.size())});
  for_each_position(y.dims(), [&](const Extents& at) {
    y[at] = static_cast<double>(found[static_cast<size_t>(at[1])][static_cast<size_t>(at[0])]);
  });
  return {y.tensor(kInt64)};
}

OpCase compress_case(std::string name, CaseOperand x, AttrMap attributes, CaseOperand condition, bool flat,
                     size_t axis) {
  return {.name = std::move(name),
          .op = "Compress",
          .attributes = std::move(attributes),
          .inputs = {std::move(x), std::move(condition)},
          .independent = [flat, axis](std::span<const Tensor> inputs) {
            const Tensor source = flat ? inputs[0].reshaped({inputs[0].count()}) : inputs[0];
            const Array x_array(source), chosen(inputs[1]);
            Ints kept;
            for (int64_t i = 0; i < std::min(chosen.dims()[0], x_array.dims()[axis]); ++i) {
              if (chosen[{i}] != 0) kept.push_back(i);
            }
            Extents out = x_array.dims();
            out[axis] = static_cast<int64_t>(kept.size());
            Array y(out);
            for_each_position(out, [&](const Extents& at) {
              Extents from = at;
              from[axis] = kept[static_cast<size_t>(at[axis])];
              y[at] = x_array[from];
            });
            return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
          }};
}

}  // namespace

TEST(NonZero, Cases) {
  check_cases({
      {.name = "by hand",
       .op = "NonZero",
       .inputs = {given(tensor<float>({2, 2}, {1, 0, 1, 1}))},
       .expected = {tensor<int64_t>({2, 3}, {0, 1, 1, 0, 0, 1})}},
      {.name = "all",
       .op = "NonZero",
       .inputs = {given(tensor<int32_t>({2}, {-1, 5}))},
       .expected = {tensor<int64_t>({1, 2}, {0, 1})}},
      {.name = "nothing",
       .op = "NonZero",
       .inputs = {given(tensor<int32_t>({2}, {0, 0}))},
       .expected = {tensor<int64_t>({1, 0}, {})}},
      {.name = "empty",
       .op = "NonZero",
       .inputs = {random(kFloat32, {3, 0})},
       .expected = {tensor<int64_t>({2, 0}, {})}},
      {.name = "scalar",
       .op = "NonZero",
       .inputs = {given(Tensor::scalar(3.f))},
       .expected = {tensor<int64_t>({0, 1}, {})}},
      {.name = "rank 4",
       .op = "NonZero",
       .inputs = {random(kFloat32, {2, 3, 4, 5}, sparse)},
       .independent = nonzero_positions},
  });
  for (const DataType dtype : kMovedTypes) {
    check_case({.name = std::string(name_of(dtype)),
                .op = "NonZero",
                .inputs = {random(dtype, {7, 9}, sparse)},
                .independent = nonzero_positions});
  }
}

TEST(Compress, Cases) {
  check_cases({
      compress_case("rows", random(kFloat32, {6, 3}), {{"axis", int64_t{0}}}, random(kBool, {6}), false, 0),
      compress_case("columns", random(kInt8, {4, 6}), {{"axis", int64_t{-1}}}, random(kBool, {6}), false, 1),
      compress_case("short condition", random(kFloat32, {4, 6}), {{"axis", int64_t{1}}}, random(kBool, {4}), false, 1),
      compress_case("long condition", random(kFloat32, {4, 2}), {{"axis", int64_t{0}}}, random(kBool, {9}), false, 0),
      compress_case("flat", random(kFloat64, {3, 4}), {}, random(kBool, {12}), true, 0),
      compress_case("no condition", random(kFloat32, {3, 4}), {}, random(kBool, {0}), true, 0),
      compress_case("empty", random(kFloat32, {0, 4}), {{"axis", int64_t{1}}}, random(kBool, {4}), false, 1),
  });
}

namespace {

OpCase one_hot_case(std::string name, CaseOperand indices, CaseOperand depth, CaseOperand values, int64_t axis,
                    size_t normal) {
  return {.name = std::move(name),
          .op = "OneHot",
          .attributes = {{"axis", axis}},
          .inputs = {std::move(indices), std::move(depth), std::move(values)},
          .independent = [normal](std::span<const Tensor> inputs) {
            const Array index(inputs[0]), value(inputs[2]);
            const auto size = static_cast<int64_t>(to_doubles(inputs[1])[0]);
            Array y(joined(joined(head(index.dims(), normal), {size}), tail(index.dims(), normal)));
            for_each_position(y.dims(), [&](const Extents& at) {
              const double hot = index[joined(head(at, normal), tail(at, normal + 1))];
              const bool on = hot >= -static_cast<double>(size) && hot < static_cast<double>(size) &&
                              wrapped(hot, size) == at[normal];
              y[at] = value[{on ? 1 : 0}];
            });
            return std::vector<Tensor>{y.tensor(inputs[2].dtype())};
          }};
}

}  // namespace

TEST(OneHot, Cases) {
  const CaseOperand values = given(tensor<float>({2}, {2, 5}));
  const CaseOperand depth = given(Tensor::scalar<int64_t>(4));
  check_cases({
      one_hot_case("last", random(kInt64, {2, 3}, uniform(-6, 6)), depth, values, -1, 2),
      one_hot_case("first", random(kInt32, {2, 3}, uniform(-6, 6)), depth, values, 0, 0),
      one_hot_case("middle", random(kUint8, {2, 3}, uniform(0, 6)), depth, values, -2, 1),
      one_hot_case("floating", random(kFloat32, {5}, choice({-1, 0, 3, 4, 1e30, kNaN})), given(tensor<float>({1}, {4})),
                   given(tensor<Half>({2}, {Half(1.f), Half(0.f)})), -1, 1),
      one_hot_case("scalar index", random(kInt64, {}, indices(4)), depth, given(tensor<int8_t>({2}, {0, 1})), 0, 0),
      one_hot_case("no depth", random(kInt64, {3}), given(Tensor::scalar<int64_t>(0)), values, 1, 1),
      one_hot_case("empty", random(kInt64, {0, 2}), depth, values, 1, 1),
  });
}

}  // namespace hone::test
