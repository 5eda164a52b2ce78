// Operators that move whole stretches of elements: Transpose, DepthToSpace, SpaceToDepth, Concat, Split, Slice, Expand,
// Tile and Pad.
#include <limits>

#include "ops/moved.h"

namespace hone::test {

using enum DataType;

namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max(), kMin = std::numeric_limits<int64_t>::min();

size_t at_index(int64_t i) { return static_cast<size_t>(i); }

OpCase transpose_case(std::string name, CaseOperand x, Ints perm) {
  Extents out;
  for (const int64_t axis : perm) out.push_back(x.dims[at_index(axis)]);
  return {.name = std::move(name),
          .op = "Transpose",
          .attributes = {{"perm", perm}},
          .inputs = {x},
          .independent = moved(out, [perm](const Extents& at) {
            Extents from = at;
            for (size_t i = 0; i < perm.size(); ++i) from[at_index(perm[i])] = at[i];
            return from;
          })};
}

}  // namespace

TEST(Transpose, Cases) {
  check_cases({
      {.name = "by hand",
       .op = "Transpose",
       .inputs = {given(tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}))},
       .expected = {tensor<float>({3, 2}, {1, 4, 2, 5, 3, 6})}},
      transpose_case("identity", random(kFloat32, {2, 3, 4}), {0, 1, 2}),
      transpose_case("to channels last", random(kFloat32, {2, 3, 5, 7}), {0, 2, 3, 1}),
      transpose_case("to channels first", random(kFloat32, {2, 5, 7, 3}), {0, 3, 1, 2}),
      transpose_case("detector's head", random(kFloat32, {1, 3, 5, 4, 6}), {0, 1, 3, 4, 2}),
      transpose_case("inner pair", random(kFloat16, {2, 3, 40, 70}), {0, 1, 3, 2}),
      transpose_case("inner kept", random(kFloat16, {5, 6, 9}), {1, 0, 2}),
      transpose_case("sizes of 1", random(kFloat32, {1, 6, 1, 9}), {3, 0, 1, 2}),
      transpose_case("rank 8", random(kInt8, {2, 1, 3, 2, 2, 1, 2, 3}), {7, 2, 0, 5, 4, 3, 1, 6}),
      transpose_case("large matrix", random(kFloat32, {257, 391}), {1, 0}),
      transpose_case("large batch", random(kFloat32, {6, 65, 3, 130}), {3, 0, 2, 1}),
      transpose_case("empty", random(kFloat32, {3, 0, 2}), {2, 0, 1}),
      transpose_case("scalar", random(kFloat32, {}), {}),
      transpose_case("list", random(kInt64, {3}), {0}),
      {.name = "reversed",
       .op = "Transpose",
       .inputs = {random(kInt16, {2, 3, 4})},
       .independent = moved({4, 3, 2},
                            [](const Extents& at) {
                              return Extents{at[2], at[1], at[0]};
                            })},
  });
  for (const DataType dtype : kMovedTypes) {
    check_case(transpose_case(std::string(name_of(dtype)), random(dtype, {3, 5, 6}), {2, 0, 1}));
  }
}

TEST(DepthToSpace, Cases) {
  const auto depth_to_space = [](std::string mode, DataType dtype) -> OpCase {
    const bool dcr = mode == "DCR";
    return {.name = mode + std::string(name_of(dtype)),
            .op = "DepthToSpace",
            .attributes = {{"blocksize", int64_t{3}}, {"mode", mode}},
            .inputs = {random(dtype, {2, 18, 4, 5})},
            .independent = moved({2, 2, 12, 15}, [dcr](const Extents& at) {
              const int64_t in_block = at[2] % 3 * 3 + at[3] % 3;
              return Extents{at[0], dcr ? in_block * 2 + at[1] : at[1] * 9 + in_block, at[2] / 3, at[3] / 3};
            })};
  };
  check_cases({
      depth_to_space("DCR", kFloat32),
      depth_to_space("CRD", kFloat32),
      depth_to_space("DCR", kInt8),
      {.name = "block of 1",
       .op = "DepthToSpace",
       .attributes = {{"blocksize", int64_t{1}}},
       .inputs = {random(kFloat32, {1, 2, 3, 4})},
       .independent = same_order({1, 2, 3, 4})},
      {.name = "channels",
       .op = "DepthToSpace",
       .attributes = {{"blocksize", int64_t{2}}},
       .inputs = {random(kFloat32, {1, 6, 3, 4})},
       .refused = "blocksize^2"},
  });
}

TEST(SpaceToDepth, Cases) {
  const auto space_to_depth = [](DataType dtype) -> OpCase {
    return {.name = std::string(name_of(dtype)),
            .op = "SpaceToDepth",
            .attributes = {{"blocksize", int64_t{2}}},
            .inputs = {random(dtype, {2, 3, 4, 6})},
            .independent = moved({2, 12, 2, 3}, [](const Extents& at) {
              const int64_t in_block = at[1] / 3;
              return Extents{at[0], at[1] % 3, at[2] * 2 + in_block / 2, at[3] * 2 + in_block % 2};
            })};
  };
  check_cases({
      space_to_depth(kFloat32),
      space_to_depth(kFloat64),
      {.name = "height",
       .op = "SpaceToDepth",
       .attributes = {{"blocksize", int64_t{2}}},
       .inputs = {random(kFloat32, {1, 1, 3, 4})},
       .refused = "height"},
  });
}

namespace {

OpCase concat_case(std::string name, std::vector<CaseOperand> parts, int64_t axis, size_t normal) {
  Extents out = parts[0].dims;
  for (size_t i = 1; i < parts.size(); ++i) out[normal] += parts[i].dims[normal];
  return {.name = std::move(name),
          .op = "Concat",
          .attributes = {{"axis", axis}},
          .inputs = std::move(parts),
          .independent = [out, normal](std::span<const Tensor> inputs) {
            Array y(out);
            int64_t offset = 0;
            for (const Tensor& input : inputs) {
              const Array x(input);
              for_each_position(x.dims(), [&](const Extents& at) {
                Extents to = at;
                to[normal] += offset;
                y[to] = x[at];
              });
              offset += x.dims()[normal];
            }
            return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
          }};
}

OpCase split_case(std::string name, CaseOperand x, AttrMap attributes, std::vector<int64_t> sizes, size_t axis,
                  bool given_sizes) {
  OpCase spec = {.name = std::move(name),
                 .op = "Split",
                 .attributes = std::move(attributes),
                 .inputs = {x},
                 .num_outputs = sizes.size()};
  const auto count = static_cast<int64_t>(sizes.size());
  if (given_sizes) spec.inputs.push_back(given(Tensor::of<int64_t>(sizes, std::span(&count, 1))));
  spec.independent = [sizes, axis](std::span<const Tensor> inputs) {
    const Array whole(inputs[0]);
    std::vector<Tensor> parts;
    int64_t offset = 0;
    for (const int64_t size : sizes) {
      Extents dims = whole.dims();
      dims[axis] = size;
      Array part(dims);
      for_each_position(dims, [&](const Extents& at) {
        Extents from = at;
        from[axis] += offset;
        part[at] = whole[from];
      });
      offset += size;
      parts.push_back(part.tensor(inputs[0].dtype()));
    }
    return parts;
  };
  return spec;
}

}  // namespace

TEST(Concat, Cases) {
  check_cases({
      {.name = "by hand",
       .op = "Concat",
       .attributes = {{"axis", int64_t{1}}},
       .inputs = {given(tensor<float>({2, 1}, {1, 2})), given(tensor<float>({2, 2}, {3, 4, 5, 6}))},
       .expected = {tensor<float>({2, 3}, {1, 3, 4, 2, 5, 6})}},
      concat_case("first axis", {random(kFloat32, {2, 3}), random(kFloat32, {1, 3}), random(kFloat32, {4, 3})}, 0, 0),
      concat_case("channels", {random(kFloat32, {2, 3, 4, 5}), random(kFloat32, {2, 6, 4, 5})}, 1, 1),
      concat_case("last axis", {random(kInt8, {2, 3, 1}), random(kInt8, {2, 3, 2})}, -1, 2),
      concat_case("an empty one", {random(kFloat32, {2, 0}), random(kFloat32, {2, 3}), random(kFloat32, {2, 0})}, 1, 1),
      concat_case("all empty", {random(kFloat32, {0, 2}), random(kFloat32, {0, 2})}, 1, 1),
      concat_case("one", {random(kFloat16, {3})}, 0, 0),
      concat_case("large", {random(kFloat32, {3, 40, 900}), random(kFloat32, {3, 17, 900})}, 1, 1),
  });
  for (const DataType dtype : kMovedTypes) {
    check_case(concat_case(std::string(name_of(dtype)), {random(dtype, {2, 3}), random(dtype, {2, 2})}, 1, 1));
  }
}

TEST(Split, Cases) {
  check_cases({
      split_case("sizes", random(kFloat32, {2, 7, 3}), {{"axis", int64_t{1}}}, {2, 2, 3}, 1, true),
      split_case("a size of 0", random(kFloat32, {2, 7}), {{"axis", int64_t{-1}}}, {4, 0, 3}, 1, true),
      split_case("outputs", random(kInt64, {7}), {{"num_outputs", int64_t{3}}}, {3, 3, 1}, 0, false),
      split_case("even", random(kFloat16, {6, 2}), {}, {2, 2, 2}, 0, false),
      split_case("one", random(kBool, {6, 2}), {{"num_outputs", int64_t{1}}}, {6}, 0, false),
      split_case("empty", random(kFloat32, {0, 4}), {{"num_outputs", int64_t{2}}}, {0, 0}, 0, false),
      split_case("large", random(kFloat32, {5, 96, 700}), {{"axis", int64_t{1}}}, {32, 64}, 1, true),
  });
}

namespace {

// One axis of a slice in plain numbers: count elements from `first` on.
struct Plain {
  int64_t first, step, count;
};

OpCase slice_case(std::string name, CaseOperand x, std::vector<CaseOperand> lists, std::vector<Plain> axes) {
  Extents out;
  for (const Plain& axis : axes) out.push_back(axis.count);
  std::vector<CaseOperand> inputs = {std::move(x)};
  inputs.insert(inputs.end(), lists.begin(), lists.end());
  return {.name = std::move(name),
          .op = "Slice",
          .inputs = std::move(inputs),
          .independent = moved(out, [axes](const Extents& at) {
            Extents from = at;
            for (size_t i = 0; i < axes.size(); ++i) from[i] = axes[i].first + at[i] * axes[i].step;
            return from;
          })};
}

}  // namespace

TEST(Slice, Cases) {
  const CaseOperand x = random(kFloat32, {5, 6, 7});
  check_cases({
      slice_case("first axes", x, {int_list({1, 2}), int_list({3, 6})}, {{1, 1, 2}, {2, 1, 4}, {0, 1, 7}}),
      slice_case("axes", x, {int_list({-3, 1}), int_list({kMax, -1}), int_list({2, 0})},
                 {{1, 1, 3}, {0, 1, 6}, {4, 1, 3}}),
      slice_case("steps", x, {int_list({0, 1}), int_list({5, 7}), int_list({0, -1}), int_list({2, 3})},
                 {{0, 2, 3}, {0, 1, 6}, {1, 3, 2}}),
      slice_case("backwards", x, {int_list({kMax, 3}), int_list({kMin, 0}), int_list({0, 1}), int_list({-1, -2})},
                 {{4, -1, 5}, {3, -2, 2}, {0, 1, 7}}),
      slice_case("far steps", x, {int_list({0, -1}), int_list({kMax, kMin}), int_list({0, 1}), int_list({kMax, kMin})},
                 {{0, 1, 1}, {5, 1, 1}, {0, 1, 7}}),
      slice_case("nothing", x, {int_list({4}), int_list({2})}, {{0, 1, 0}, {0, 1, 6}, {0, 1, 7}}),
      slice_case("past the end", x, {int_list({5}), int_list({100})}, {{0, 1, 0}, {0, 1, 6}, {0, 1, 7}}),
      slice_case("clamped", x, {int_list({-100}), int_list({100})}, {{0, 1, 5}, {0, 1, 6}, {0, 1, 7}}),
      slice_case("backwards from before the beginning", x,
                 {int_list({-100}), int_list({kMin}), int_list({0}), int_list({-1})},
                 {{0, 1, 1}, {0, 1, 6}, {0, 1, 7}}),
      slice_case("no axis", x, {int_list({}), int_list({})}, {{0, 1, 5}, {0, 1, 6}, {0, 1, 7}}),
      slice_case("empty operand", random(kFloat32, {0, 3}),
                 {int_list({kMax}), int_list({kMin}), int_list({0}), int_list({-1})}, {{0, 1, 0}, {0, 1, 3}}),
      slice_case("32-bit bounds", random(kInt16, {9}),
                 {given(Tensor::vector<int32_t>({1})), given(Tensor::vector<int32_t>({2147483647})),
                  given(Tensor::vector<int32_t>({0})), given(Tensor::vector<int32_t>({2}))},
                 {{1, 2, 4}}),
      slice_case("patches", random(kFloat16, {1, 3, 64, 96}),
                 {int_list({1, 0}), int_list({kMax, kMax}), int_list({2, 3}), int_list({2, 2})},
                 {{0, 1, 1}, {0, 1, 3}, {1, 2, 32}, {0, 2, 48}}),
      slice_case("large", random(kFloat32, {4, 300, 200}), {int_list({7}), int_list({290}), int_list({1})},
                 {{0, 1, 4}, {7, 1, 283}, {0, 1, 200}}),
  });
  for (const DataType dtype : kMovedTypes) {
    check_case(slice_case(std::string(name_of(dtype)), random(dtype, {4, 5}),
                          {int_list({3, 0}), int_list({0, 3}), int_list({0, 1}), int_list({-1, 1})},
                          {{3, -1, 3}, {0, 1, 3}}));
  }
}

namespace {

OpCase expand_case(std::string name, CaseOperand x, std::initializer_list<int64_t> shape, Extents out) {
  const Extents dims = x.dims;
  return {.name = std::move(name),
          .op = "Expand",
          .inputs = {std::move(x), int_list(shape)},
          .independent = moved(out, [dims](const Extents& at) {
            Extents from = dims;
            for (size_t i = 0; i < dims.size(); ++i) from[i] = dims[i] == 1 ? 0 : at[at.size() - dims.size() + i];
            return from;
          })};
}

OpCase tile_case(std::string name, CaseOperand x, std::initializer_list<int64_t> repeats) {
  const Extents dims = x.dims;
  Extents out = dims;
  for (size_t i = 0; i < dims.size(); ++i) out[i] *= repeats.begin()[i];
  return {.name = std::move(name),
          .op = "Tile",
          .inputs = {std::move(x), int_list(repeats)},
          .independent = moved(out, [dims](const Extents& at) {
            Extents from = at;
            for (size_t i = 0; i < dims.size(); ++i) from[i] = at[i] % dims[i];
            return from;
          })};
}

}  // namespace

TEST(Expand, Cases) {
  check_cases({
      expand_case("last", random(kFloat32, {3, 1}), {3, 4}, {3, 4}),
      expand_case("first", random(kFloat32, {1, 4}), {3, 1}, {3, 4}),
      expand_case("both", random(kFloat32, {3, 1}), {2, 1, 6}, {2, 3, 6}),
      expand_case("shorter shape", random(kFloat32, {2, 3, 1}), {4}, {2, 3, 4}),
      expand_case("scalar", random(kInt64, {}), {2, 3}, {2, 3}),
      expand_case("middle", random(kFloat16, {2, 1, 3, 1, 2}), {2, 5, 3, 4, 2}, {2, 5, 3, 4, 2}),
      expand_case("to nothing", random(kFloat32, {1, 3}), {0, 3}, {0, 3}),
      expand_case("large", random(kFloat32, {1, 300, 1}), {30, 300, 20}, {30, 300, 20}),
      {.name = "does not fit", .op = "Expand", .inputs = {random(kFloat32, {2}), int_list({3})}, .refused = "2 and 3"},
  });
  for (const DataType dtype : kMovedTypes) {
    check_case(expand_case(std::string(name_of(dtype)), random(dtype, {2, 1, 3}), {2, 4, 3}, {2, 4, 3}));
  }
}

TEST(Tile, Cases) {
  check_cases({
      {.name = "by hand",
       .op = "Tile",
       .inputs = {given(tensor<float>({2, 2}, {1, 2, 3, 4})), int_list({1, 2})},
       .expected = {tensor<float>({2, 4}, {1, 2, 1, 2, 3, 4, 3, 4})}},
      tile_case("all axes", random(kFloat32, {2, 3, 4}), {3, 2, 5}),
      tile_case("middle", random(kFloat32, {2, 3, 4}), {1, 3, 1}),
      tile_case("first", random(kInt8, {2, 3}), {4, 1}),
      tile_case("single elements", random(kFloat16, {3, 1}), {1, 7}),
      tile_case("as it is", random(kFloat32, {2, 3}), {1, 1}),
      tile_case("not at all", random(kFloat32, {2, 3}), {2, 0}),
      tile_case("empty", random(kFloat32, {0, 3}), {2, 2}),
      tile_case("scalar", random(kFloat32, {}), {}),
      tile_case("large", random(kFloat32, {40, 50, 3}), {3, 4, 5}),
  });
  for (const DataType dtype : kMovedTypes) {
    check_case(tile_case(std::string(name_of(dtype)), random(dtype, {2, 3}), {2, 3}));
  }
}

namespace {

// All axes padded; by walking outwards from the edge, one place at a time.
OpCase pad_case(std::string mode, CaseOperand x, std::initializer_list<int64_t> pads, Tensor value = {}) {
  const Extents dims = x.dims;
  const size_t rank = dims.size();
  const std::vector<int64_t> p(pads);
  Extents out = dims;
  for (size_t i = 0; i < rank; ++i) out[i] += p[i] + p[rank + i];
  OpCase spec = {.name = mode + " " + to_string(p) + " " + std::string(name_of(x.dtype)),
                 .op = "Pad",
                 .attributes = {{"mode", mode}},
                 .inputs = {x, int_list(pads)}};
  if (value.defined()) spec.inputs.push_back(given(value));
  const auto origin = [mode, dims, p, rank](const Extents& at) -> std::optional<Extents> {
    Extents from = at;
    for (size_t i = 0; i < rank; ++i) {
      const int64_t low = std::max<int64_t>(-p[i], 0), high = dims[i] - 1 - std::max<int64_t>(-p[rank + i], 0);
      int64_t place = at[i] - p[i];
      const bool outside = place < low || place > high;
      if (outside && mode == "constant") return std::nullopt;
      if (mode == "edge") place = std::clamp(place, low, high);
      while (mode == "wrap" && place < low) place += high - low + 1;
      while (mode == "wrap" && place > high) place -= high - low + 1;
      while (mode == "reflect" && (place < low || place > high)) place = 2 * (place < low ? low : high) - place;
      from[i] = place;
    }
    return from;
  };
  spec.independent = moved(out, origin, value.defined() ? to_doubles(value)[0] : 0);
  return spec;
}

}  // namespace

TEST(Pad, Cases) {
  for (const char* mode : {"constant", "edge", "reflect", "wrap"}) {
    check_cases({
        pad_case(mode, random(kFloat32, {4, 5}), {1, 2, 0, 3}),
        pad_case(mode, random(kFloat32, {4, 5}), {-1, 2, 2, -2}),
        pad_case(mode, random(kFloat32, {3, 2}), {7, 5, 9, 6}),
        pad_case(mode, random(kFloat32, {2, 3, 4, 5}), {0, 0, 2, 1, 0, 0, 1, 2}),
        pad_case(mode, random(kFloat32, {4, 5}), {0, 0, 0, 0}),
        pad_case(mode, random(kFloat32, {3, 4}), {-3, 0, 0, 0}),
        pad_case(mode, random(kInt8, {6}), {2, 3}),
        pad_case(mode, random(kFloat64, {6}), {2, 3}),
        pad_case(mode, random(kBool, {6}), {2, 3}),
        pad_case(mode, random(kFloat32, {}), {}),
    });
  }
  check_cases({
      pad_case("constant", random(kFloat32, {2, 3}), {1, 1, 1, 1}, Tensor::scalar(2.5f)),
      pad_case("constant", random(kFloat16, {2, 3}), {0, 2, 1, 0}, tensor<Half>({}, {Half(-1.5f)})),
      pad_case("constant", random(kInt64, {0, 3}), {1, 1, 1, 1}, Tensor::scalar<int64_t>(7)),
      pad_case("constant", random(kFloat32, {2, 9, 70, 80}), {0, 0, 3, 4, 0, 0, 5, 6}),
      {.name = "axes",
       .op = "Pad",
       .inputs = {random(kFloat32, {2, 3, 4}), int_list({1, 0, 2, -1}), absent(),
                  given(Tensor::vector<int32_t>({-1, 1}))},
       .independent =
           moved({2, 2, 7},
                 [](const Extents& at) -> std::optional<Extents> {
                   return at[2] < 1 || at[2] > 4 ? std::nullopt : std::optional(Extents{at[0], at[1], at[2] - 1});
                 })},
      {.name = "taken away by the other end",
       .op = "Pad",
       .inputs = {given(tensor<float>({3}, {1, 2, 3})), int_list({-5, 4}), given(Tensor::scalar(9.f))},
       .expected = {tensor<float>({2}, {9, 9})}},
      {.name = "reflect of one element",
       .op = "Pad",
       .attributes = {{"mode", std::string("reflect")}},
       .inputs = {given(tensor<float>({1}, {4})), int_list({2, 1})},
       .expected = {tensor<float>({4}, {4, 4, 4, 4})}},
      {.name = "edge of nothing",
       .op = "Pad",
       .attributes = {{"mode", std::string("edge")}},
       .inputs = {random(kFloat32, {0}), int_list({1, 1})},
       .fails = "is empty"},
      {.name = "too much taken away",
       .op = "Pad",
       .inputs = {random(kFloat32, {3}), int_list({-2, -2})},
       .refused = "takes away more"},
  });
}

TEST(CenterCropPad, Cases) {
  const auto center = [](std::string name, CaseOperand x, std::initializer_list<int64_t> shape, Ints axes,
                         Extents out) -> OpCase {
    const Extents dims = x.dims;
    AttrMap attributes;
    if (!axes.empty()) attributes.emplace_back("axes", axes);
    return {.name = std::move(name),
            .op = "CenterCropPad",
            .attributes = attributes,
            .inputs = {std::move(x), int_list(shape)},
            .independent = moved(out, [dims, out](const Extents& at) -> std::optional<Extents> {
              Extents from = at;
              for (size_t i = 0; i < dims.size(); ++i) {
                from[i] += dims[i] > out[i] ? (dims[i] - out[i]) / 2 : -((out[i] - dims[i]) / 2);
                if (from[i] < 0 || from[i] >= dims[i]) return std::nullopt;
              }
              return from;
            })};
  };
  check_cases({
      center("crop", random(kFloat32, {20, 11, 3}), {10, 8, 3}, {}, {10, 8, 3}),
      center("pad", random(kFloat32, {5, 4}), {8, 9}, {}, {8, 9}),
      center("both", random(kInt8, {5, 8, 2}), {9, 3}, {0, -2}, {9, 3, 2}),
      center("to nothing", random(kFloat16, {5, 4}), {0}, {1}, {5, 0}),
      center("from nothing", random(kFloat16, {0, 4}), {3, 4}, {}, {3, 4}),
      {.name = "negative",
       .op = "CenterCropPad",
       .inputs = {random(kFloat32, {3}), int_list({-1})},
       .refused = "'shape' is -1"},
      {.name = "too short",
       .op = "CenterCropPad",
       .inputs = {random(kFloat32, {3, 3}), int_list({1})},
       .refused = "1 and 2"},
  });
}

}  // namespace hone::test
