// Softmax, LogSoftmax and Hardmax.
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

// f(line, k): the result at element k of a line along `axis`.
using LineFunction = double (*)(const std::vector<double>& line, size_t k);

Independent along(size_t axis, LineFunction f) {
  return [axis, f](std::span<const Tensor> inputs) {
    const Array x(inputs[0]);
    Array y(x.dims());
    for_each_position(x.dims(), [&](const Extents& at) {
      std::vector<double> line;
      for (Extents walk = at; line.size() < static_cast<size_t>(x.dims()[axis]);) {
        walk[axis] = static_cast<int64_t>(line.size());
        line.push_back(x[walk]);
      }
      y[at] = f(line, static_cast<size_t>(at[axis]));
    });
    return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
  };
}

double softmax(const std::vector<double>& line, size_t k) {
  double sum = 0;
  for (const double x : line) sum += std::exp(x);
  return std::exp(line[k]) / sum;
}

double log_softmax(const std::vector<double>& line, size_t k) { return std::log(softmax(line, k)); }

double hardmax(const std::vector<double>& line, size_t k) {
  return std::max_element(line.begin(), line.end()) == line.begin() + static_cast<std::ptrdiff_t>(k) ? 1 : 0;
}

void check_along_axes(const std::string& op, LineFunction f) {
  std::vector<OpCase> cases;
  const auto add = [&](DataType t, Extents dims, int64_t axis, Generator generate = mixed) {
    const size_t positive = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(dims.size()) : axis);
    cases.push_back({.name = "axis " + std::to_string(axis),
                     .op = op,
                     .attributes = {{"axis", axis}},
                     .inputs = {random(t, dims, std::move(generate))},
                     .independent = along(positive, f),
                     .backend_tolerance = Tolerance{1e-4, 1e-5}});
  };
  for (const DataType t : kFloats) {
    add(t, {3, 4, 5}, -1);
    add(t, {3, 4, 5}, 1);
  }
  add(kFloat32, {3, 4, 5}, 0);
  add(kFloat32, {3, 4, 5}, 2);
  add(kFloat32, {3, 4, 5}, -3);
  add(kFloat32, {7}, 0);
  add(kFloat32, {1}, 0);
  add(kFloat32, {6, 1000}, -1);
  add(kFloat32, {2, 4, 16, 16}, -1);
  add(kFloat32, {1000, 2}, 0);
  add(kFloat32, {0, 4}, 1);
  add(kFloat32, {4, 0}, 1);
  add(kFloat32, {4, 0}, 0);
  add(kFloat32, {2, 1, 2, 1, 2, 1, 2, 3}, 4);
  add(kFloat32, {5, 6}, -1, choice({1, 2, 3}));
  cases.push_back({.name = "the last axis by default",
                   .op = op,
                   .inputs = {random(kFloat32, {3, 4, 5})},
                   .independent = along(2, f)});
  cases.push_back({.name = "axis outside",
                   .op = op,
                   .attributes = {{"axis", int64_t{2}}},
                   .inputs = {random(kFloat32, {3, 4})},
                   .refused = "axis 2 is outside [-2, 2)"});
  cases.push_back({.name = "scalar", .op = op, .inputs = {random(kFloat32, {})}, .refused = "outside"});
  cases.push_back(
      {.name = "integers", .op = op, .inputs = {random(kInt32, {3})}, .refused = "operand 0 has the type int32"});
  check_cases(cases);
}

OpCase line(std::string name, std::string op, std::initializer_list<float> x, std::initializer_list<float> y) {
  const auto size = static_cast<int64_t>(x.size());
  return {.name = std::move(name),
          .op = std::move(op),
          .inputs = {given(tensor<float>({size}, x))},
          .expected = {tensor<float>({size}, y)}};
}

}  // namespace

TEST(Softmax, Axes) { check_along_axes("Softmax", softmax); }
TEST(LogSoftmax, Axes) { check_along_axes("LogSoftmax", log_softmax); }
TEST(Hardmax, Axes) { check_along_axes("Hardmax", hardmax); }

TEST(Softmax, Special) {
  check_cases({
      line("large numbers", "Softmax", {3e38f, 3e38f, -3e38f}, {0.5f, 0.5f, 0}),
      line("minus infinity is masked", "Softmax", {-kInf, 2, 2}, {0, 0.5f, 0.5f}),
      line("nothing but masked", "Softmax", {-kInf, -kInf}, {kNaN, kNaN}),
      line("infinity", "Softmax", {kInf, 1}, {kNaN, kNaN}),
      line("NaN", "Softmax", {1, kNaN, 2}, {kNaN, kNaN, kNaN}),
      line("large numbers", "LogSoftmax", {0, 1e30f, -3e38f}, {-1e30f, 0, -3e38f}),
      line("minus infinity is masked", "LogSoftmax", {-kInf, 0, 0}, {-kInf, -0.693147181f, -0.693147181f}),
      line("far below", "LogSoftmax", {0, -200}, {0, -200}),
      line("NaN", "LogSoftmax", {1, kNaN}, {kNaN, kNaN}),
      line("the first of equals", "Hardmax", {1, 3, 3, 2}, {0, 1, 0, 0}),
      line("NaN is the largest", "Hardmax", {1, kInf, kNaN, kNaN}, {0, 0, 1, 0}),
      line("minus infinity only", "Hardmax", {-kInf, -kInf}, {1, 0}),
  });
}

}  // namespace hone::test
