// ConstantOfShape, Range, EyeLike, Trilu, ReverseSequence, CumSum and CumProd.
#include <limits>

#include "ops/moved.h"

namespace hone::test {

using enum DataType;

TEST(ConstantOfShape, Cases) {
  const auto filled = [](Tensor value, Extents dims) {
    const double number = value.defined() ? to_doubles(value)[0] : 0;
    const DataType dtype = value.defined() ? value.dtype() : kFloat32;
    return [=](std::span<const Tensor>) { return std::vector<Tensor>{Array(dims, number).tensor(dtype)}; };
  };
  const auto constant_of_shape = [&](std::string name, std::initializer_list<int64_t> shape, Tensor value) -> OpCase {
    AttrMap attributes;
    if (value.defined()) attributes.emplace_back("value", value);
    return {.name = std::move(name),
            .op = "ConstantOfShape",
            .attributes = attributes,
            .inputs = {int_list(shape)},
            .independent = filled(value, Extents(shape))};
  };
  check_cases({
      constant_of_shape("default", {2, 3}, {}),
      constant_of_shape("float16", {2, 3}, tensor<Half>({1}, {Half(1.5f)})),
      constant_of_shape("int64", {5}, Tensor::vector<int64_t>({-7})),
      constant_of_shape("bool", {5}, tensor<bool>({1}, {true})),
      constant_of_shape("int8", {4, 1000, 30}, tensor<int8_t>({1}, {-3})),
      constant_of_shape("scalar", {}, Tensor::vector<double>({2.25})),
      constant_of_shape("empty", {0, 3}, Tensor::vector<float>({1})),
      {.name = "negative", .op = "ConstantOfShape", .inputs = {int_list({2, -1})}, .refused = "'shape' is -1"},
  });
}

namespace {

template <class T>
OpCase range_case(std::string name, T start, T limit, T delta, std::vector<double> expected) {
  const auto count = static_cast<int64_t>(expected.size());
  return {.name = std::move(name),
          .op = "Range",
          .inputs = {given(Tensor::scalar(start)), given(Tensor::scalar(limit)), given(Tensor::scalar(delta))},
          .expected = {tensor_from_doubles(kDataTypeOf<T>, std::span(&count, 1), expected)}};
}

}  // namespace

TEST(Range, Cases) {
  check_cases({
      range_case<int64_t>("up", 3, 9, 2, {3, 5, 7}),
      range_case<int64_t>("down", 5, -2, -3, {5, 2, -1}),
      range_case<int64_t>("wrong way", 5, 7, -1, {}),
      range_case<int32_t>("int32", 10, 4, -2, {10, 8, 6}),
      range_case<int16_t>("int16", -3, 4, 5, {-3, 2}),
      range_case<float>("float", 1, 3, 0.5f, {1, 1.5, 2, 2.5}),
      range_case<double>("double", 0, -1, -0.25, {0, -0.25, -0.5, -0.75}),
      range_case<Half>("float16", Half(0.f), Half(2.5f), Half(1.f), {0, 1, 2}),
      range_case<BFloat16>("bfloat16", BFloat16(1.f), BFloat16(4.f), BFloat16(2.f), {1, 3}),
      {.name = "zero",
       .op = "Range",
       .inputs = {given(Tensor::scalar(0.f)), given(Tensor::scalar(1.f)), given(Tensor::scalar(0.f))},
       .refused = "'delta' is 0"},
      {.name = "endless",
       .op = "Range",
       .inputs = {given(Tensor::scalar(0.f)), given(Tensor::scalar(std::numeric_limits<float>::infinity())),
                  given(Tensor::scalar(1.f))},
       .refused = "no end"},
  });
}

TEST(EyeLike, Cases) {
  const auto eye = [](std::string name, CaseOperand x, AttrMap attributes, int64_t k, DataType dtype) -> OpCase {
    const Extents dims = x.dims;
    return {.name = std::move(name),
            .op = "EyeLike",
            .attributes = std::move(attributes),
            .inputs = {std::move(x)},
            .independent = [=](std::span<const Tensor>) {
              Array y(dims);
              for_each_position(dims, [&](const Extents& at) { y[at] = at[1] - at[0] == k ? 1 : 0; });
              return std::vector<Tensor>{y.tensor(dtype)};
            }};
  };
  const auto diagonal = [](int64_t k) { return AttrMap{{"k", k}}; };
  check_cases({
      eye("square", random(kFloat32, {4, 4}), {}, 0, kFloat32),
      eye("above", random(kInt32, {4, 6}), diagonal(2), 2, kInt32),
      eye("below", random(kFloat16, {5, 3}), diagonal(-3), -3, kFloat16),
      eye("outside", random(kFloat32, {3, 3}), diagonal(3), 3, kFloat32),
      eye("far outside", random(kFloat32, {3, 3}), diagonal(std::numeric_limits<int64_t>::max()), 100, kFloat32),
      eye("far below", random(kFloat32, {3, 3}), diagonal(std::numeric_limits<int64_t>::min()), 100, kFloat32),
      eye("type", random(kInt64, {3, 2}), {{"dtype", static_cast<int64_t>(kBool)}}, 0, kBool),
      eye("empty", random(kFloat32, {0, 3}), {}, 0, kFloat32),
      {.name = "rank", .op = "EyeLike", .inputs = {random(kFloat32, {3})}, .refused = "rank 1"},
  });
}

TEST(Trilu, Cases) {
  const auto trilu = [](std::string name, CaseOperand x, bool upper, std::optional<int64_t> k) -> OpCase {
    const Extents dims = x.dims;
    OpCase spec = {.name = std::move(name), .op = "Trilu", .attributes = {{"upper", int64_t{upper}}}, .inputs = {x}};
    if (k) spec.inputs.push_back(given(Tensor::scalar(*k)));
    const double from = static_cast<double>(k.value_or(0));
    spec.independent = moved(dims, [=](const Extents& at) -> std::optional<Extents> {
      const auto diagonal = static_cast<double>(at[at.size() - 1] - at[at.size() - 2]);
      return (upper ? diagonal >= from : diagonal <= from) ? std::optional(at) : std::nullopt;
    });
    return spec;
  };
  for (const bool upper : {true, false}) {
    const std::string side = upper ? "upper" : "lower";
    check_cases({
        trilu(side, random(kFloat32, {4, 5}), upper, std::nullopt),
        trilu(side + " 2", random(kFloat32, {2, 3, 5, 4}), upper, 2),
        trilu(side + " -1", random(kInt64, {2, 5, 4}), upper, -1),
        trilu(side + " outside", random(kFloat16, {3, 3}), upper, 9),
        trilu(side + " far below", random(kBool, {3, 3}), upper, std::numeric_limits<int64_t>::min()),
        trilu(side + " far above", random(kInt8, {3, 3}), upper, std::numeric_limits<int64_t>::max()),
        trilu(side + " empty", random(kFloat32, {3, 0}), upper, 1),
    });
  }
}

TEST(ReverseSequence, Cases) {
  const auto reverse = [](std::string name, CaseOperand x, std::vector<int64_t> lengths, size_t batch) -> OpCase {
    const Extents dims = x.dims;
    const auto count = static_cast<int64_t>(lengths.size());
    return {.name = std::move(name),
            .op = "ReverseSequence",
            .attributes = {{"batch_axis", static_cast<int64_t>(batch)}, {"time_axis", static_cast<int64_t>(1 - batch)}},
            .inputs = {std::move(x), given(Tensor::of<int64_t>(lengths, std::span(&count, 1)))},
            .independent = moved(dims, [=](const Extents& at) {
              Extents from = at;
              const int64_t length = lengths[static_cast<size_t>(at[batch])];
              if (at[1 - batch] < length) from[1 - batch] = length - 1 - at[1 - batch];
              return from;
            })};
  };
  check_cases({
      reverse("batch second", random(kFloat32, {4, 3}), {4, 0, 2}, 1),
      reverse("batch first", random(kInt16, {3, 4, 2}), {1, 4, 3}, 0),
      reverse("empty", random(kFloat32, {0, 3}), {0, 0, 0}, 1),
      {.name = "too long",
       .op = "ReverseSequence",
       .inputs = {random(kFloat32, {4, 2}), int_list({1, 5})},
       .fails = "'sequence_lens' is 5"},
      {.name = "negative",
       .op = "ReverseSequence",
       .inputs = {random(kFloat32, {4, 2}), int_list({-1, 0})},
       .fails = "'sequence_lens' is -1"},
  });
}

namespace {

// Sums of a few elements, kept in float32 by other backends.
constexpr Tolerance kScans = {1e-2, 1e-2};

OpCase scan_case(std::string op, CaseOperand x, int64_t axis, size_t normal, bool exclusive, bool reverse) {
  const bool product = op == "CumProd";
  return {.name = std::string(name_of(x.dtype)) + to_string(x.dims) + (exclusive ? " exclusive" : "") +
                  (reverse ? " reverse" : ""),
          .op = std::move(op),
          .attributes = {{"exclusive", int64_t{exclusive}}, {"reverse", int64_t{reverse}}},
          .inputs = {std::move(x), given(Tensor::scalar(axis))},
          .independent =
              [=](std::span<const Tensor> inputs) {
                const Array from(inputs[0]);
                Array y(from.dims());
                for_each_position(from.dims(), [&](const Extents& at) {
                  double total = product ? 1 : 0;
                  for (int64_t i = 0; i < from.dims()[normal]; ++i) {
                    const bool before = reverse ? i > at[normal] : i < at[normal];
                    if (!before && (exclusive || i != at[normal])) continue;
                    Extents place = at;
                    place[normal] = i;
                    total = product ? total * from[place] : total + from[place];
                  }
                  y[at] = total;
                });
                return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
              },
          .tolerance = kScans};
}

}  // namespace

TEST(Scans, Cases) {
  for (const char* op : {"CumSum", "CumProd"}) {
    for (const bool exclusive : {false, true}) {
      for (const bool reverse : {false, true}) {
        check_cases({
            scan_case(op, random(kFloat32, {5}, uniform(-2, 2)), 0, 0, exclusive, reverse),
            scan_case(op, random(kFloat64, {2, 5, 3}, uniform(-2, 2)), -2, 1, exclusive, reverse),
            scan_case(op, random(kInt32, {4, 5}, uniform(-3, 3)), 1, 1, exclusive, reverse),
            scan_case(op, random(kFloat16, {3, 4}, uniform(0, 2)), 0, 0, exclusive, reverse),
            scan_case(op, random(kFloat32, {3, 0}), 1, 1, exclusive, reverse),
        });
      }
    }
    check_case({.name = "no such axis",
                .op = op,
                .inputs = {random(kFloat32, {3, 4}), given(Tensor::scalar<int64_t>(2))},
                .fails = "axis 2 is outside"});
  }
  check_case({.name = "wraps",
              .op = "CumSum",
              .inputs = {given(tensor<int32_t>({2}, {2147483647, 1})), given(Tensor::scalar<int64_t>(0))},
              .expected = {tensor<int32_t>({2}, {2147483647, -2147483647 - 1})}});
}

}  // namespace hone::test
