#include "ops/rearrange.h"

#include <algorithm>

#include "ops/shape_operand.h"
#include "ops/type_set.h"

namespace hone {

Result<Extents> Transpose::permutation(size_t rank) const {
  Extents axes;
  if (!perm) {
    for (size_t i = rank; i-- > 0;) axes.push_back(static_cast<int64_t>(i));
    return axes;
  }
  if (perm->size() != rank) {
    return invalid_model("attribute 'perm' lists " + std::to_string(perm->size()) + " axes, the operand has " +
                         std::to_string(rank));
  }
  for (const int64_t axis : *perm) {
    if (axis < 0 || axis >= static_cast<int64_t>(rank) || std::find(axes.begin(), axes.end(), axis) != axes.end()) {
      return invalid_model("attribute 'perm' must list each of the axes 0 to " + std::to_string(rank - 1) +
                           " once, but has " + to_string(*perm));
    }
    axes.push_back(axis);
  }
  return axes;
}

Status Transpose::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_ASSIGN(const Extents axes, permutation(ctx.rank(0)));
  Shape shape;
  for (const int64_t axis : axes) shape.push_back(ctx.shape(0)[static_cast<size_t>(axis)]);
  ctx.set_output(0, ctx.dtype(0), std::move(shape));
  pass_elements(ctx);
  return {};
}

namespace {

// b^2 still fits.
constexpr int64_t kMaxBlock = int64_t{1} << 30;

Status check_block(int64_t blocksize) {
  if (blocksize >= 1 && blocksize <= kMaxBlock) return {};
  return invalid_model("attribute 'blocksize' is " + std::to_string(blocksize) + ", must be at least 1");
}

Result<Dim> divided(InferContext& ctx, const Dim& dim, int64_t by, std::string_view what) {
  const Dim quotient = floor_div(dim, by);
  HONE_TRY(ctx.require_equal(quotient * Dim(by), dim, what));
  return quotient;
}

}  // namespace

Status DepthToSpace::check() const { return check_block(blocksize); }

Status DepthToSpace::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(ctx.expect_rank(0, 4));
  const Shape& in = ctx.shape(0);
  HONE_ASSIGN(const Dim depth,
              divided(ctx, in[1], blocksize * blocksize, "the channels and a multiple of blocksize^2"));
  ctx.set_output(0, ctx.dtype(0), {in[0], depth, in[2] * Dim(blocksize), in[3] * Dim(blocksize)});
  return {};
}

Status SpaceToDepth::check() const { return check_block(blocksize); }

Status SpaceToDepth::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(ctx.expect_rank(0, 4));
  const Shape& in = ctx.shape(0);
  HONE_ASSIGN(const Dim height, divided(ctx, in[2], blocksize, "the height and a multiple of blocksize"));
  HONE_ASSIGN(const Dim width, divided(ctx, in[3], blocksize, "the width and a multiple of blocksize"));
  ctx.set_output(0, ctx.dtype(0), {in[0], in[1] * Dim(blocksize * blocksize), height, width});
  return {};
}

Status ReverseSequence::check() const {
  const bool axes_are_0_and_1 = (batch_axis == 0 && time_axis == 1) || (batch_axis == 1 && time_axis == 0);
  if (axes_are_0_and_1) return {};
  return invalid_model("attributes 'batch_axis' and 'time_axis' are " + std::to_string(batch_axis) + " and " +
                       std::to_string(time_axis) + ", must be 0 and 1 or 1 and 0");
}

Status ReverseSequence::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(expect_int_list(ctx, 1, "sequence_lens"));
  if (ctx.rank(0) < 2)
    return invalid_model("operand 0 has rank " + std::to_string(ctx.rank(0)) + ", must be 2 or more");
  HONE_TRY(ctx.require_equal(ctx.shape(1)[0], ctx.shape(0)[static_cast<size_t>(batch_axis)],
                             "the number of sequence lengths and the batch size"));
  ctx.set_output(0, ctx.input(0));
  return {};
}

Status Trilu::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 2));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  if (ctx.rank(0) < 2)
    return invalid_model("operand 0 has rank " + std::to_string(ctx.rank(0)) + ", must be 2 or more");
  if (ctx.has_input(1)) {
    HONE_TRY(ctx.expect_dtype(1, {DataType::kInt64}));
    HONE_TRY(ctx.require_equal(element_count(ctx.shape(1)), 1, "the number of elements of 'k' and 1"));
  }
  ctx.set_output(0, ctx.input(0));
  return {};
}

}  // namespace hone
