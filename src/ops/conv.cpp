#include "ops/conv.h"

#include "ops/checks.h"

namespace hone {

namespace {

// What both convolutions ask of ranks and types; sets `spatial` to the number of spatial axes.
Status check_operands(InferContext& ctx, const Window& window, int64_t group, size_t& spatial) {
  HONE_TRY(ctx.expect_inputs(2, 3));
  HONE_TRY(expect_types(ctx, 0, kFloatTypes));
  HONE_TRY(ctx.expect_same_dtype(0, 1));
  if (ctx.rank(0) < 3) {
    return invalid_model("operand 0 has rank " + std::to_string(ctx.rank(0)) +
                         ", but needs batch, channels and at least one spatial axis");
  }
  HONE_TRY(ctx.expect_rank(1, ctx.rank(0)));
  if (group < 1) return invalid_model("attribute 'group' is " + std::to_string(group) + ", which must be at least 1");
  spatial = ctx.rank(0) - 2;
  HONE_TRY(window.check_window(spatial));
  for (size_t i = 0; i < window.kernel_shape.size(); ++i) {
    HONE_TRY(ctx.require_equal(ctx.shape(1)[2 + i], window.kernel_shape[i],
                               "axis " + std::to_string(2 + i) + " of the weights and of attribute 'kernel_shape'"));
  }
  for (size_t i = 0; i < spatial; ++i) {
    if (ctx.shape(1)[2 + i] == Dim(0)) return invalid_model("the weights have an empty kernel");
  }
  return {};
}

Status check_bias(InferContext& ctx, const Dim& channels) {
  if (!ctx.has_input(2)) return {};
  HONE_TRY(ctx.expect_same_dtype(0, 2));
  HONE_TRY(ctx.expect_rank(2, 1));
  return ctx.require_equal(ctx.shape(2)[0], channels, "the bias's length and the number of output channels");
}

Status check_list(const char* name, const Ints& list, size_t expected) {
  if (list.empty()) return {};
  if (list.size() != expected) {
    return invalid_model("attribute '" + std::string(name) + "' has " + std::to_string(list.size()) +
                         " values, expected one for each of the " + std::to_string(expected) + " spatial axes");
  }
  for (const int64_t value : list) {
    if (value < 0) return invalid_model("attribute '" + std::string(name) + "' has a negative value");
  }
  return {};
}

Status check_transpose_lists(const ConvTranspose& op, size_t spatial) {
  HONE_TRY(check_list("output_padding", op.output_padding, spatial));
  return check_list("output_shape", op.output_shape, spatial);
}

// Where the last tap of the last input position would write, plus one, without padding.
Dim full_output(const ConvTranspose& op, size_t axis, const Dim& input, const Dim& kernel) {
  const Dim added = op.output_padding.empty() ? 0 : op.output_padding[axis];
  return (input - Dim(1)) * Dim(op.stride(axis)) + dilated_kernel(kernel, op.dilation(axis)) + added;
}

Dim transposed_output(const ConvTranspose& op, size_t axis, const Dim& input, const Dim& kernel) {
  if (!op.output_shape.empty()) return op.output_shape[axis];
  if (op.is_same()) return input * Dim(op.stride(axis));
  return full_output(op, axis, input, kernel) - Dim(op.pad_begin(axis)) - Dim(op.pad_end(axis));
}

Status channels_differ(int64_t x, int64_t expected) {
  return invalid_model("the input has " + std::to_string(x) + " channels, but weights and group ask for " +
                       std::to_string(expected));
}

Status check_ranks(std::span<const int64_t> x, std::span<const int64_t> w, int64_t group) {
  if (x.size() < 3 || x.size() > kMaxRank || w.size() != x.size()) {
    return invalid_model("a convolution's input and weights must have the same rank of at least 3");
  }
  return group < 1 ? invalid_model("attribute 'group' must be at least 1") : Status();
}

}  // namespace

Status Conv::infer(InferContext& ctx) const {
  size_t spatial = 0;
  HONE_TRY(check_operands(ctx, *this, group, spatial));
  const Shape &x = ctx.shape(0), &w = ctx.shape(1);
  HONE_TRY(ctx.require_equal(x[1], w[1] * Dim(group), "the input's channels and the weights' times 'group'"));
  HONE_TRY(expect_divisible(ctx, w[0], group, "the number of output channels", "attribute 'group'"));
  HONE_TRY(check_bias(ctx, w[0]));
  Shape out = {x[0], w[0]};
  for (size_t i = 0; i < spatial; ++i) {
    HONE_ASSIGN(out.emplace_back(), window_output(*this, i, x[2 + i], w[2 + i], /*ceil_mode=*/false));
  }
  ctx.set_output(0, ctx.dtype(0), std::move(out));
  return {};
}

Status ConvTranspose::infer(InferContext& ctx) const {
  size_t spatial = 0;
  HONE_TRY(check_operands(ctx, *this, group, spatial));
  HONE_TRY(check_transpose_lists(*this, spatial));
  const Shape &x = ctx.shape(0), &w = ctx.shape(1);
  HONE_TRY(ctx.require_equal(x[1], w[0], "the input's channels and the weights' first axis"));
  HONE_TRY(expect_divisible(ctx, w[0], group, "the number of input channels", "attribute 'group'"));
  const Dim channels = w[1] * Dim(group);
  HONE_TRY(check_bias(ctx, channels));
  Shape out = {x[0], channels};
  for (size_t i = 0; i < spatial; ++i) out.push_back(transposed_output(*this, i, x[2 + i], w[2 + i]));
  ctx.set_output(0, ctx.dtype(0), std::move(out));
  return {};
}

Result<WindowGeometry> conv_geometry(const Conv& op, std::span<const int64_t> x, std::span<const int64_t> w) {
  HONE_TRY(check_ranks(x, w, op.group));
  const Dim channels = Dim(w[1]) * Dim(op.group);
  if (channels != Dim(x[1])) return channels_differ(x[1], channels.value());
  if (w[0] % op.group != 0) return invalid_model("the output channels aren't a multiple of 'group'");
  return window_geometry(op, x.subspan(2), w.subspan(2), /*ceil_mode=*/false);
}

Result<WindowGeometry> conv_geometry(const ConvTranspose& op, std::span<const int64_t> x, std::span<const int64_t> w) {
  HONE_TRY(check_ranks(x, w, op.group));
  if (w[0] != x[1]) return channels_differ(x[1], w[0]);
  if (w[0] % op.group != 0) return invalid_model("the input channels aren't a multiple of 'group'");
  const size_t spatial = x.size() - 2;
  HONE_TRY(op.check_window(spatial));
  HONE_TRY(check_transpose_lists(op, spatial));
  WindowGeometry geometry;
  geometry.input = Extents(x.subspan(2));
  geometry.kernel = Extents(w.subspan(2));
  for (size_t i = 0; i < spatial; ++i) {
    if (geometry.kernel[i] < 1) return invalid_model("the weights have an empty kernel");
    const Dim output = transposed_output(op, i, geometry.input[i], geometry.kernel[i]);
    const Dim full = full_output(op, i, geometry.input[i], geometry.kernel[i]);
    const Dim surplus = full - output;
    if (output.is_invalid() || full.is_invalid() || surplus.is_invalid()) {
      return invalid_model("the transposed convolution's size overflows 64 bits");
    }
    if (output.value() < 0) return invalid_model("the pads are larger than the transposed convolution's output");
    int64_t begin = op.pad_begin(i), end = op.pad_end(i);
    if (op.is_same() || !op.output_shape.empty()) {
      split_pads(op.auto_pad, surplus.value(), begin, end);
    }
    geometry.output.push_back(output.value());
    geometry.strides.push_back(op.stride(i));
    geometry.dilations.push_back(op.dilation(i));
    geometry.pads_begin.push_back(begin);
    geometry.pads_end.push_back(end);
  }
  return geometry;
}

}  // namespace hone
