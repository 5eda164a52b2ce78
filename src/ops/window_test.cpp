#include <gtest/gtest.h>

#include "ops/conv.h"
#include "ops/pool.h"

namespace hone {

namespace {

Dim height() { return Dim::symbol(0, /*nonnegative=*/true); }

Window window(AutoPad auto_pad, int64_t stride, Ints pads, int64_t dilation = 1) {
  Window w;
  w.auto_pad = auto_pad;
  w.strides = {stride};
  w.pads = std::move(pads);
  w.dilations = {dilation};
  return w;
}

WindowGeometry geometry_of(const Window& w, int64_t input, int64_t kernel, bool ceil_mode = false) {
  const Result<WindowGeometry> geometry = window_geometry(w, std::span(&input, 1), std::span(&kernel, 1), ceil_mode);
  EXPECT_TRUE(geometry.ok()) << geometry.status().message();
  return geometry.ok() ? *geometry : WindowGeometry{};
}

}  // namespace

TEST(Window, SymbolicOutputs) {
  const auto output = [](const Window& w, const Dim& input, int64_t kernel) {
    const Result<Dim> dim = window_output(w, 0, input, kernel, /*ceil_mode=*/false);
    EXPECT_TRUE(dim.ok());
    return dim.ok() ? *dim : Dim::invalid();
  };
  const Dim h = height();
  EXPECT_EQ(output(window(AutoPad::kNotSet, 1, {1, 1}), h, 3), h);
  EXPECT_EQ(output(window(AutoPad::kNotSet, 1, {}), h, 3), h - 2);
  EXPECT_EQ(output(window(AutoPad::kNotSet, 2, {1, 1}), h, 3), floor_div(h - 1, 2) + 1);
  EXPECT_EQ(output(window(AutoPad::kNotSet, 2, {}), h * 32, 2), h * 16);
  EXPECT_EQ(output(window(AutoPad::kSameUpper, 1, {}), h, 5), h);
  EXPECT_EQ(output(window(AutoPad::kSameLower, 2, {}), h, 5), ceil_div(h, 2));
  EXPECT_EQ(output(window(AutoPad::kValid, 1, {9, 9}, 2), h, 3), h - 4);
}

TEST(Window, SymbolicAndConcreteAgree) {
  for (const AutoPad auto_pad : {AutoPad::kNotSet, AutoPad::kSameUpper, AutoPad::kSameLower, AutoPad::kValid}) {
    for (const int64_t stride : {1, 2, 3, 5}) {
      for (const int64_t input : {5, 6, 7, 8, 12}) {
        for (const bool ceil_mode : {false, true}) {
          const Window w = window(auto_pad, stride, {1, 2}, 2);
          const Result<Dim> symbolic = window_output(w, 0, height(), 3, ceil_mode);
          ASSERT_TRUE(symbolic.ok());
          EXPECT_EQ(symbolic->eval(std::span(&input, 1)), geometry_of(w, input, 3, ceil_mode).output[0]);
        }
      }
    }
  }
}

TEST(Window, SplitsPads) {
  const WindowGeometry upper = geometry_of(window(AutoPad::kSameUpper, 2, {}), 6, 3);
  EXPECT_EQ(upper.pads_begin[0], 0);
  EXPECT_EQ(upper.pads_end[0], 1);
  const WindowGeometry lower = geometry_of(window(AutoPad::kSameLower, 2, {}), 6, 3);
  EXPECT_EQ(lower.pads_begin[0], 1);
  EXPECT_EQ(lower.pads_end[0], 0);
  const WindowGeometry sparse = geometry_of(window(AutoPad::kSameUpper, 4, {}), 8, 1);
  EXPECT_EQ(sparse.pads_begin[0], 0);
  EXPECT_EQ(sparse.pads_end[0], 0);
}

TEST(Window, GeometryRefuses) {
  constexpr int64_t kHuge = int64_t{1} << 62;
  const auto message = [](const Window& w, int64_t input, int64_t kernel) {
    return window_geometry(w, std::span(&input, 1), std::span(&kernel, 1), false).status().message();
  };
  EXPECT_NE(message(window(AutoPad::kNotSet, 0, {}), 4, 3), "");
  EXPECT_NE(message(window(AutoPad::kNotSet, 1, {1}), 4, 3), "");
  EXPECT_NE(message(window(AutoPad::kNotSet, 1, {}), 4, 0), "");
  EXPECT_EQ(message(window(AutoPad::kNotSet, 1, {}), 4, 6),
            "on spatial axis 0 the kernel spans 6 elements, more than the padded input has (4)");
  EXPECT_NE(message(window(AutoPad::kNotSet, 1, {kHuge, kHuge}), 4, 3), "");
  EXPECT_NE(message(window(AutoPad::kNotSet, 1, {}, kHuge), 4, 3), "");
  EXPECT_NE(message(window(AutoPad::kSameUpper, kHuge, {}, kHuge), 4, 3), "");
}

TEST(ConvGeometry, ChecksShapes) {
  Conv conv;
  conv.group = 2;
  const auto status = [&](const Extents& x, const Extents& w) { return conv_geometry(conv, x, w).status(); };
  EXPECT_TRUE(status({1, 4, 5}, {6, 2, 3}).ok());
  EXPECT_FALSE(status({1, 4, 5}, {6, 4, 3}).ok());
  EXPECT_FALSE(status({1, 4, 5}, {5, 2, 3}).ok());
  EXPECT_FALSE(status({1, 4, 5}, {6, 2, 3, 3}).ok());
  EXPECT_FALSE(status({1, 4}, {6, 2}).ok());
  conv.group = 0;
  EXPECT_FALSE(status({1, 4, 5}, {6, 2, 3}).ok());
}

TEST(ConvGeometry, TransposedPads) {
  ConvTranspose op;
  op.strides = {2};
  op.output_shape = {8};
  const Extents x = {1, 1, 4}, w = {1, 1, 3};
  Result<WindowGeometry> geometry = conv_geometry(op, x, w);
  ASSERT_TRUE(geometry.ok());
  EXPECT_EQ(geometry->pads_begin[0], 1);
  op.auto_pad = AutoPad::kSameUpper;
  geometry = conv_geometry(op, x, w);
  ASSERT_TRUE(geometry.ok());
  EXPECT_EQ(geometry->pads_begin[0], 0);
  EXPECT_EQ(geometry->pads_end[0], 1);
}

TEST(PoolGeometry, ChecksPads) {
  MaxPool pool;
  const Extents x = {1, 1, 9};
  EXPECT_FALSE(pool_geometry(pool, x).ok());
  pool.kernel_shape = {3};
  pool.pads = {2, 2};
  EXPECT_TRUE(pool_geometry(pool, x).ok());
  pool.pads = {3, 0};
  EXPECT_FALSE(pool_geometry(pool, x).ok());
  pool.dilations = {2};
  EXPECT_TRUE(pool_geometry(pool, x).ok());
}

}  // namespace hone
