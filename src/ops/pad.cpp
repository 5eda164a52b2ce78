#include "ops/pad.h"

#include <algorithm>

#include "ops/shape_operand.h"
#include "ops/type_set.h"

namespace hone {

namespace {

Status check_operands(InferContext& ctx) {
  HONE_TRY(ctx.expect_inputs(2, 4));
  HONE_TRY(expect_types(ctx, Pad::kData, kComputableTypes));
  HONE_TRY(expect_int_list(ctx, Pad::kPads, "pads"));
  if (ctx.has_input(Pad::kValue)) {
    HONE_TRY(ctx.expect_same_dtype(Pad::kData, Pad::kValue));
    HONE_TRY(ctx.require_equal(element_count(ctx.shape(Pad::kValue)), 1,
                               "the number of elements of 'constant_value' and 1"));
  }
  if (ctx.has_input(Pad::kAxes)) HONE_TRY(expect_int_list(ctx, Pad::kAxes, "axes", /*allow_int32=*/true));
  return {};
}

// The padded axes, if they are known.
Result<std::optional<Ints>> padded_axes(InferContext& ctx) {
  std::optional<Ints> axes = Ints();
  if (ctx.has_input(Pad::kAxes)) {
    axes = ctx.constant_ints(Pad::kAxes);
  } else {
    for (size_t i = 0; i < ctx.rank(Pad::kData); ++i) axes->push_back(static_cast<int64_t>(i));
  }
  if (!axes) return axes;
  HONE_TRY(ctx.require_equal(ctx.shape(Pad::kPads)[0], Dim(2 * static_cast<int64_t>(axes->size())),
                             "the number of 'pads' and twice the number of axes"));
  HONE_ASSIGN(axes, normalize_axes(*axes, ctx.rank(Pad::kData)));
  return axes;
}

bool has_known_sign(const Dim& pad) { return pad.is_const() || pad.nonnegative(); }

}  // namespace

Status Pad::infer(InferContext& ctx) const {
  HONE_TRY(check_operands(ctx));
  Shape shape = ctx.shape(kData);
  HONE_ASSIGN(const std::optional<Ints> axes, padded_axes(ctx));
  const std::optional<std::vector<Dim>> pads = ctx.elements(kPads);
  const bool known = axes && pads && pads->size() == 2 * axes->size();
  const bool signs_known = known && std::all_of(pads->begin(), pads->end(), has_known_sign);
  if (!axes) {
    for (Dim& dim : shape) dim = ctx.resolved_later("padded");
  }
  for (size_t k = 0; axes && k < axes->size(); ++k) {
    Dim& dim = shape[static_cast<size_t>((*axes)[k])];
    if (!known) {
      dim = ctx.resolved_later("padded");
      continue;
    }
    const Dim padded = dim + (*pads)[k] + (*pads)[axes->size() + k];
    if (padded.is_const() && padded.value() < 0) {
      return invalid_model("'pads' takes away more than axis " + std::to_string((*axes)[k]) +
                           " has: its size would be " + std::to_string(padded.value()));
    }
    // Where the signs of pads aren't known, a size of its own is known to be 0 or more.
    dim = signs_known || padded.nonnegative() ? padded : ctx.resolved_later("padded");
  }
  ctx.set_output(0, ctx.dtype(kData), std::move(shape));
  return {};
}

Status CenterCropPad::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(expect_int_list(ctx, 1, "shape", /*allow_int32=*/true));
  Ints all;
  for (size_t i = 0; i < ctx.rank(0); ++i) all.push_back(static_cast<int64_t>(i));
  HONE_ASSIGN(const Ints chosen, normalize_axes(axes.value_or(all), ctx.rank(0)));
  HONE_TRY(ctx.require_equal(ctx.shape(1)[0], Dim(static_cast<int64_t>(chosen.size())),
                             "the number of sizes in 'shape' and the number of axes"));
  IntList list{.length = chosen.size(), .elements = ctx.elements(1)};
  if (list.elements && list.elements->size() != list.length) list.elements.reset();
  Shape shape = ctx.shape(0);
  for (size_t k = 0; k < chosen.size(); ++k) {
    const std::optional<int64_t> number = list.number(k);
    if (number && *number < 0) return bad_element("shape", k, *number, "0 or more");
    shape[static_cast<size_t>(chosen[k])] = size_from(ctx, list, k, "cropped");
  }
  ctx.set_output(0, ctx.dtype(0), std::move(shape));
  return {};
}

}  // namespace hone
