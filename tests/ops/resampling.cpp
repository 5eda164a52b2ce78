// Resize, GridSample and RoiAlign.
#include <cmath>

#include "support/op_case.h"

namespace hone::test {

using enum DataType;

namespace {

// Calls f(position) for every position of a tensor of these dims, row-major.
void for_each_position(const Extents& dims, const std::function<void(const Extents&)>& f) {
  const int64_t count = count_of(dims);
  for (int64_t flat = 0; flat < count; ++flat) {
    Extents position = Extents::filled(dims.size(), 0);
    int64_t rest = flat;
    for (size_t i = dims.size(); i-- > 0;) {
      position[i] = rest % dims[i];
      rest /= dims[i];
    }
    f(position);
  }
}

double hat(double distance) { return std::max(0.0, 1 - std::abs(distance)); }

// Linear interpolation as a sum over all elements of `values`, each weighted by a hat around it. Outside counts 0.
double sum_of_hats(const std::vector<double>& values, const Extents& dims, const std::vector<double>& at) {
  double sum = 0;
  size_t flat = 0;
  for_each_position(dims, [&](const Extents& position) {
    double weight = 1;
    for (size_t i = 0; i < at.size(); ++i) weight *= hat(at[i] - static_cast<double>(position[i]));
    sum += weight * values[flat++];
  });
  return sum;
}

using PositionRule = double (*)(double x, double scale);
double half_pixel(double x, double scale) { return (x + 0.5) / scale - 0.5; }
// What ONNX Runtime answers: axes of scale 1 stay as they are.
double tf_half_pixel_for_nn(double x, double scale) { return scale == 1 ? x : (x + 0.5) / scale; }

// Linear Resize of every axis to `sizes`; nearest if `whole` rounds positions.
Independent linear_resize(Extents sizes, PositionRule rule = half_pixel, double (*whole)(double) = nullptr) {
  return [sizes, rule, whole](std::span<const Tensor> inputs) {
    const std::vector<double> values = to_doubles(inputs[0]);
    const Extents& in = inputs[0].dims();
    std::vector<double> out;
    for_each_position(sizes, [&](const Extents& position) {
      std::vector<double> at;
      for (size_t i = 0; i < in.size(); ++i) {
        const double scale = static_cast<double>(sizes[i]) / static_cast<double>(in[i]);
        const double x = rule(static_cast<double>(position[i]), scale);
        at.push_back(std::clamp(whole != nullptr ? whole(x) : x, 0.0, static_cast<double>(in[i] - 1)));
      }
      const double value = sum_of_hats(values, in, at);
      out.push_back(is_integer(inputs[0].dtype()) ? std::nearbyint(value) : value);
    });
    return std::vector<Tensor>{tensor_from_doubles(inputs[0].dtype(), sizes, out)};
  };
}

// Linear GridSample of [1,1,...] with zeros outside, align_corners.
Tensor sample_linearly(std::span<const Tensor> inputs) {
  const Tensor &x = inputs[0], &grid = inputs[1];
  const std::vector<double> values = to_doubles(x), coordinates = to_doubles(grid);
  const Extents spatial(std::span<const int64_t>(x.dims()).subspan(2));
  const size_t rank = spatial.size();
  Extents out_dims{1, 1};
  for (size_t i = 1; i + 1 < grid.dims().size(); ++i) out_dims.push_back(grid.dims()[i]);
  std::vector<double> out;
  for (size_t row = 0; row < coordinates.size(); row += rank) {
    std::vector<double> at;
    for (size_t i = 0; i < rank; ++i) {
      at.push_back((coordinates[row + rank - 1 - i] + 1) / 2 * static_cast<double>(spatial[i] - 1));
    }
    out.push_back(sum_of_hats(values, spatial, at));
  }
  return tensor_from_doubles(x.dtype(), out_dims, out);
}

CaseOperand sizes(std::initializer_list<int64_t> values) { return given(Tensor::vector<int64_t>(values)); }
CaseOperand scales(std::initializer_list<float> values) { return given(Tensor::vector<float>(values)); }

// Along the last axis of [1,1,1,4]. The expected values are what ONNX's reference evaluator and ONNX Runtime agree on.
OpCase resize_row(std::string name, AttrMap attributes, CaseOperand by_scale, CaseOperand to_size,
                  std::initializer_list<float> expected, CaseOperand roi = absent()) {
  attributes.emplace_back("axes", Ints{-1});
  const Tensor out = Tensor::of<float>(std::span(expected.begin(), expected.size()),
                                       Extents{1, 1, 1, static_cast<int64_t>(expected.size())});
  return {.name = std::move(name),
          .op = "Resize",
          .attributes = std::move(attributes),
          .inputs = {given(tensor<float>({1, 1, 1, 4}, {1, 4, 2, 8})), std::move(roi), std::move(by_scale),
                     std::move(to_size)},
          .expected = {out},
          .tolerance = Tolerance{1e-6, 1e-6}};
}

}  // namespace

TEST(Resize, Nearest) {
  check_cases({
      resize_row("default", {}, scales({2.5f}), absent(), {1, 1, 1, 4, 4, 2, 2, 2, 8, 8}),
      resize_row("ceil", {{"nearest_mode", "ceil"}}, scales({2.5f}), absent(), {1, 4, 4, 4, 2, 2, 8, 8, 8, 8}),
      resize_row("floor", {{"nearest_mode", "floor"}, {"coordinate_transformation_mode", "asymmetric"}}, scales({1.5f}),
                 absent(), {1, 1, 4, 2, 2, 8}),
      resize_row("prefer ceil",
                 {{"nearest_mode", "round_prefer_ceil"}, {"coordinate_transformation_mode", "align_corners"}}, absent(),
                 sizes({7}), {1, 4, 4, 2, 2, 8, 8}),
      // 2 / (2/3) is 3, although the nearest float32 to 2/3 is above it.
      resize_row("thirds", {{"nearest_mode", "floor"}, {"coordinate_transformation_mode", "asymmetric"}},
                 scales({2.f / 3}), absent(), {1, 4}),
      {.name = "twice, as detectors have it",
       .op = "Resize",
       .attributes = {{"coordinate_transformation_mode", "asymmetric"}, {"nearest_mode", "floor"}},
       .inputs = {random(kFloat32, {2, 3, 5, 4}), absent(), scales({1, 1, 2, 2})},
       .independent =
           [](std::span<const Tensor> inputs) {
             const std::vector<double> x = to_doubles(inputs[0]);
             std::vector<double> out;
             for_each_position({6, 10, 8}, [&](const Extents& at) {
               out.push_back(x[static_cast<size_t>((at[0] * 5 + at[1] / 2) * 4 + at[2] / 2)]);
             });
             return std::vector<Tensor>{tensor_from_doubles(kFloat32, Extents{2, 3, 10, 8}, out)};
           }},
      {.name = "bool",
       .op = "Resize",
       .inputs = {given(tensor<bool>({2}, {true, false})), absent(), absent(), sizes({4})},
       .expected = {tensor<bool>({4}, {true, true, false, false})}},
      {.name = "float16", .op = "Resize", .inputs = {random(kFloat16, {3, 4}), absent(), absent(), sizes({5, 2})}},
      {.name = "int64, fewer", .op = "Resize", .inputs = {random(kInt64, {3, 7}), absent(), scales({1, 0.5f})}},
  });
}

TEST(Resize, Linear) {
  const AttrValue linear = "linear";
  check_cases({
      resize_row("by scale", {{"mode", linear}}, scales({1.6f}), absent(),
                 {1, 2.3125f, 3.875f, 2.625f, 3.87499976f, 7.62499952f}),
      resize_row("corners", {{"mode", linear}, {"coordinate_transformation_mode", "align_corners"}}, absent(),
                 sizes({6}), {1, 2.8f, 3.6f, 2.4f, 4.4f, 8}),
      resize_row("symmetric", {{"mode", linear}, {"coordinate_transformation_mode", "half_pixel_symmetric"}},
                 scales({1.6f}), absent(), {1, 2.6875f, 3.625f, 2.375f, 4.625f, 8}),
      resize_row("pytorch", {{"mode", linear}, {"coordinate_transformation_mode", "pytorch_half_pixel"}}, absent(),
                 sizes({3}), {1.5f, 3, 7}),
      resize_row(
          "crop",
          {{"mode", linear}, {"coordinate_transformation_mode", "tf_crop_and_resize"}, {"extrapolation_value", 9.f}},
          absent(), sizes({5}), {1.9f, 3.75f, 2.1f, 6.65f, 9}, given(Tensor::vector<float>({0.1f, 1.2f}))),
      resize_row("antialias", {{"mode", linear}, {"antialias", int64_t{1}}}, scales({0.5f}), absent(), {2.25f, 5.25f}),
      {.name = "three axes",
       .op = "Resize",
       .attributes = {{"mode", linear}},
       .inputs = {random(kFloat32, {3, 4, 5}), absent(), absent(), sizes({5, 2, 9})},
       .independent = linear_resize({5, 2, 9}),
       .tolerance = Tolerance{1e-5, 1e-4}},
      {.name = "bfloat16",
       .op = "Resize",
       .attributes = {{"mode", linear}},
       .inputs = {random(kBFloat16, {1, 6, 5}, uniform(-2, 2)), absent(), absent(), sizes({1, 9, 7})},
       .independent = linear_resize({1, 9, 7}),
       .tolerance = Tolerance{0.008, 1e-3}},
      {.name = "uint8",
       .op = "Resize",
       .attributes = {{"mode", linear}},
       .inputs = {random(kUint8, {4, 6}, uniform(0, 255)), absent(), absent(), sizes({7, 4})},
       .independent = linear_resize({7, 4})},
  });
}

// Of opset 11. Axes that keep their length aren't shifted by half an element.
TEST(Resize, TfHalfPixelForNn) {
  const AttrValue coordinates = "tf_half_pixel_for_nn";
  const auto upwards = [](double x) { return std::ceil(x); };
  const auto nearest = [](double x) { return std::floor(x + 0.5); };
  check_cases({
      {.name = "nearest, ceil",
       .op = "Resize",
       .attributes = {{"coordinate_transformation_mode", coordinates}, {"nearest_mode", "ceil"}},
       .inputs = {random(kFloat32, {2, 3, 4, 5}), absent(), scales({1, 1, 2, 0.6f})},
       .independent = linear_resize({2, 3, 8, 3}, tf_half_pixel_for_nn, upwards)},
      {.name = "nearest, round_prefer_ceil",
       .op = "Resize",
       .attributes = {{"coordinate_transformation_mode", coordinates}, {"nearest_mode", "round_prefer_ceil"}},
       .inputs = {random(kFloat32, {2, 3, 4, 5}), absent(), absent(), sizes({2, 3, 4, 10})},
       .independent = linear_resize({2, 3, 4, 10}, tf_half_pixel_for_nn, nearest)},
      {.name = "linear",
       .op = "Resize",
       .attributes = {{"coordinate_transformation_mode", coordinates}, {"mode", "linear"}},
       .inputs = {random(kFloat32, {2, 3, 4, 5}), absent(), scales({1, 1, 2, 1})},
       .independent = linear_resize({2, 3, 8, 5}, tf_half_pixel_for_nn),
       .tolerance = Tolerance{1e-5, 1e-4}},
  });
}

TEST(Resize, Cubic) {
  const AttrValue cubic = "cubic";
  check_cases({
      resize_row("by scale", {{"mode", cubic}}, scales({1.5f}), absent(),
                 {0.739583671f, 2.6875f, 3.86921644f, 1.81828737f, 4.8125f, 8.52083683f}),
      resize_row("without the outside",
                 {{"mode", cubic},
                  {"coordinate_transformation_mode", "asymmetric"},
                  {"cubic_coeff_a", -0.5f},
                  {"exclude_outside", int64_t{1}}},
                 absent(), sizes({7}), {1, 2.8116343f, 3.90670419f, 2.1341114f, 3.43909335f, 7.41828346f, 8.71287155f}),
      resize_row("antialias", {{"mode", cubic}, {"antialias", int64_t{1}}}, scales({0.5f}), absent(),
                 {1.95703125f, 5.33203125f}),
      {.name = "down to one pixel",
       .op = "Resize",
       .attributes = {{"mode", cubic}, {"antialias", int64_t{1}}},
       .inputs = {random(kFloat64, {33, 17}), absent(), absent(), sizes({1, 1})}},
  });
}

TEST(Resize, SizesAndRefusals) {
  const CaseOperand x = random(kFloat32, {1, 2, 6, 9});
  check_cases({
      {.name = "not larger",
       .op = "Resize",
       .attributes = {{"axes", Ints{2, 3}}, {"keep_aspect_ratio_policy", "not_larger"}},
       .inputs = {given(tensor<float>({1, 1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8})), absent(), absent(), sizes({9, 2})},
       .expected = {tensor<float>({1, 1, 1, 2}, {1, 3})}},
      {.name = "not smaller",
       .op = "Resize",
       .attributes = {{"axes", Ints{3, 2}}, {"keep_aspect_ratio_policy", "not_smaller"}, {"mode", "linear"}},
       .inputs = {x, absent(), absent(), sizes({3, 4})}},
      {.name = "empty batch",
       .op = "Resize",
       .inputs = {random(kFloat32, {0, 4}), absent(), scales({3, 2})},
       .expected = {*Tensor::make(kFloat32, Extents{0, 8})}},
      {.name = "to nothing",
       .op = "Resize",
       .inputs = {random(kFloat32, {4}), absent(), scales({0.1f})},
       .expected = {*Tensor::make(kFloat32, Extents{0})}},
      {.name = "scalar", .op = "Resize", .inputs = {given(Tensor::scalar(2.5f))}, .expected = {Tensor::scalar(2.5f)}},
      {.name = "empty scales beside sizes",
       .op = "Resize",
       .inputs = {random(kFloat32, {4}), given(*Tensor::make(kFloat32, Extents{0})),
                  given(*Tensor::make(kFloat32, Extents{0})), sizes({8})}},
      {.name = "both",
       .op = "Resize",
       .inputs = {x, absent(), scales({1, 1, 2, 2}), sizes({1, 2, 12, 18})},
       .refused = "both 'scales' and 'sizes'"},
      {.name = "neither", .op = "Resize", .inputs = {x}, .refused = "neither 'scales' nor 'sizes'"},
      {.name = "zero scale", .op = "Resize", .inputs = {x, absent(), scales({1, 1, 0, 1})}, .refused = "'scales'"},
      {.name = "NaN scale", .op = "Resize", .inputs = {x, absent(), scales({1, 1, NAN, 1})}, .refused = "'scales'"},
      {.name = "too few", .op = "Resize", .inputs = {x, absent(), scales({2, 2})}, .refused = "2 elements, expected 4"},
      {.name = "huge scale",
       .op = "Resize",
       .inputs = {x, absent(), scales({1, 1, 1e30f, 1})},
       .refused = "longer than 2^62"},
      {.name = "negative size",
       .op = "Resize",
       .inputs = {x, absent(), absent(), sizes({1, 2, -3, 4})},
       .refused = "-3"},
      {.name = "from nothing",
       .op = "Resize",
       .inputs = {random(kFloat32, {0}), absent(), absent(), sizes({3})},
       .refused = "is empty"},
      {.name = "axis twice",
       .op = "Resize",
       .attributes = {{"axes", Ints{2, -2}}},
       .inputs = {x, absent(), absent(), sizes({3, 3})},
       .refused = "twice"},
      {.name = "crop without roi",
       .op = "Resize",
       .attributes = {{"coordinate_transformation_mode", "tf_crop_and_resize"}},
       .inputs = {x, absent(), scales({1, 1, 2, 2})},
       .refused = "roi"},
      {.name = "antialias of nearest",
       .op = "Resize",
       .attributes = {{"antialias", int64_t{1}}},
       .inputs = {x, absent(), scales({1, 1, 2, 2})},
       .refused = "antialias"},
      {.name = "linear bool",
       .op = "Resize",
       .attributes = {{"mode", "linear"}},
       .inputs = {random(kBool, {2, 2}), absent(), scales({2, 2})},
       .refused = "bool"},
      {.name = "hostile roi",
       .op = "Resize",
       .attributes = {{"coordinate_transformation_mode", "tf_crop_and_resize"},
                      {"mode", "linear"},
                      {"extrapolation_value", 3.f}},
       .inputs = {random(kFloat32, {4}), given(Tensor::vector<float>({NAN, INFINITY})), absent(), sizes({2})},
       .expected = {tensor<float>({2}, {3, 3})}},
  });
}

TEST(GridSample, Cases) {
  const CaseOperand image = given(tensor<float>({1, 1, 2, 3}, {1, 2, 3, 4, 5, 6}));
  // Corners, the middle, far outside, and NaN, which counts as -1.
  const CaseOperand grid = given(tensor<float>({1, 1, 5, 2}, {-1, -1, 1, 1, 0, 0, 1.5f, 0.25f, NAN, 1}));
  const auto of = [&](std::string mode, std::string padding, int64_t align, std::initializer_list<float> expected) {
    return OpCase{.name = mode + " " + padding,
                  .op = "GridSample",
                  .attributes = {{"mode", mode}, {"padding_mode", padding}, {"align_corners", align}},
                  .inputs = {image, grid},
                  .expected = {Tensor::of<float>(std::span(expected.begin(), expected.size()), Extents{1, 1, 1, 5})},
                  .tolerance = Tolerance{1e-6, 1e-6}};
  };
  check_cases({
      of("linear", "zeros", 1, {1, 6, 3.5f, 2.4375f, 4}),
      of("linear", "border", 1, {1, 6, 3.5f, 4.875f, 4}),
      of("linear", "reflection", 1, {1, 6, 3.5f, 4.375f, 4}),
      of("linear", "zeros", 0, {0.25f, 1.5f, 3.5f, 0, 1}),
      of("nearest", "zeros", 1, {1, 6, 2, 6, 4}),
      of("nearest", "border", 0, {1, 6, 2, 6, 4}),
      of("cubic", "reflection", 1, {1, 6, 3.5f, 4.73828125f, 4}),
  });
}

TEST(GridSample, AgreesWithSumsOfHats) {
  for (const Extents& spatial : {Extents{5}, Extents{4, 5}, Extents{3, 4, 2}}) {
    Extents image{1, 1}, grid{1};
    for (const int64_t length : spatial) {
      image.push_back(length);
      grid.push_back(length + 1);
    }
    grid.push_back(static_cast<int64_t>(spatial.size()));
    check_case({.name = std::to_string(spatial.size()) + " axes",
                .op = "GridSample",
                .attributes = {{"align_corners", int64_t{1}}},
                .inputs = {random(kFloat32, image, uniform(-3, 3)), random(kFloat32, grid, uniform(-1.6, 1.6))},
                .independent = [](auto inputs) { return std::vector<Tensor>{sample_linearly(inputs)}; },
                .tolerance = Tolerance{1e-4, 1e-5}});
  }
}

TEST(GridSample, AllModesAndRefusals) {
  std::vector<OpCase> cases;
  for (const char* mode : {"linear", "nearest", "cubic"}) {
    for (const char* padding : {"zeros", "border", "reflection"}) {
      for (const DataType dtype : {kFloat32, kFloat16, kInt32}) {
        cases.push_back({.name = std::string(mode) + padding + std::string(name_of(dtype)),
                         .op = "GridSample",
                         .attributes = {{"mode", mode}, {"padding_mode", padding}},
                         .inputs = {random(dtype, {2, 3, 4, 5}), random(kFloat32, {2, 3, 2, 2}, special)}});
      }
    }
  }
  cases.push_back({.name = "batches differ",
                   .op = "GridSample",
                   .inputs = {random(kFloat32, {2, 1, 3, 3}), random(kFloat32, {1, 2, 2, 2})},
                   .refused = "batch"});
  cases.push_back({.name = "coordinates",
                   .op = "GridSample",
                   .inputs = {random(kFloat32, {1, 1, 3, 3}), random(kFloat32, {1, 2, 2, 3})},
                   .refused = "grid"});
  cases.push_back({.name = "empty image",
                   .op = "GridSample",
                   .inputs = {random(kFloat32, {1, 1, 0, 3}), random(kFloat32, {1, 2, 2, 2})},
                   .fails = "empty"});
  cases.push_back({.name = "empty grid",
                   .op = "GridSample",
                   .inputs = {random(kFloat32, {1, 1, 3, 3}), random(kFloat32, {1, 0, 2, 2})}});
  check_cases(cases);
}

TEST(RoiAlign, Cases) {
  const CaseOperand image = given(tensor<float>({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}));
  const CaseOperand whole = given(tensor<float>({1, 4}, {0, 0, 3, 3}));
  const CaseOperand first = given(Tensor::vector<int64_t>({0}));
  check_cases({
      // The mean of the plane 3 y + x + 1 is its value in the middle.
      {.name = "plane",
       .op = "RoiAlign",
       .attributes = {{"sampling_ratio", int64_t{2}}},
       .inputs = {image, given(tensor<float>({1, 4}, {0.5f, 0.5f, 2.5f, 2.5f})), first},
       .expected = {tensor<float>({1, 1, 1, 1}, {5})}},
      {.name = "bins",
       .op = "RoiAlign",
       .attributes = {{"output_height", int64_t{3}}, {"output_width", int64_t{3}}},
       .inputs = {image, whole, first},
       .expected = {tensor<float>({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9})}},
      {.name = "maximum",
       .op = "RoiAlign",
       .attributes = {{"mode", "max"}, {"sampling_ratio", int64_t{3}}},
       .inputs = {image, whole, first},
       .expected = {tensor<float>({1, 1, 1, 1}, {9})}},
      {.name = "outside",
       .op = "RoiAlign",
       .inputs = {image, given(tensor<float>({1, 4}, {50, 50, 60, 60})), first},
       .expected = {tensor<float>({1, 1, 1, 1}, {0})}},
      {.name = "inside out",
       .op = "RoiAlign",
       .inputs = {image, given(tensor<float>({1, 4}, {3, 3, 0, 0})), first},
       .expected = {tensor<float>({1, 1, 1, 1}, {0})}},
      {.name = "long", .op = "RoiAlign", .inputs = {image, given(tensor<float>({1, 4}, {-1e8f, 0, 1e8f, 3})), first}},
      {.name = "random",
       .op = "RoiAlign",
       .attributes = {{"output_height", int64_t{2}},
                      {"output_width", int64_t{3}},
                      {"spatial_scale", 0.5f},
                      {"coordinate_transformation_mode", "output_half_pixel"}},
       .inputs = {random(kFloat16, {2, 5, 8, 7}), random(kFloat16, {6, 4}, boxes(16)),
                  random(kInt64, {6}, nonnegative_indices(2))}},
      {.name = "no regions", .op = "RoiAlign", .inputs = {image, random(kFloat32, {0, 4}), random(kInt64, {0})}},
      {.name = "batch index",
       .op = "RoiAlign",
       .inputs = {image, whole, given(Tensor::vector<int64_t>({1}))},
       .fails = "batch_indices"},
      {.name = "negative batch index",
       .op = "RoiAlign",
       .inputs = {image, whole, given(Tensor::vector<int64_t>({INT64_MIN}))},
       .fails = "batch_indices"},
      {.name = "NaN",
       .op = "RoiAlign",
       .inputs = {image, given(tensor<float>({1, 4}, {0, NAN, 1, 1})), first},
       .fails = "finite"},
      {.name = "bomb",
       .op = "RoiAlign",
       .attributes = {{"sampling_ratio", int64_t{1} << 40}},
       .inputs = {image, whole, first},
       .refused = "sampling_ratio"},
  });
}

}  // namespace hone::test
