#include "ops/slice.h"

#include <algorithm>
#include <limits>

#include "ops/shape_operand.h"
#include "ops/type_set.h"

namespace hone {

AxisSlice slice_axis(int64_t size, int64_t start, int64_t end, int64_t step) {
  const auto from_end = [size](int64_t at) { return at < 0 ? at + size : at; };
  AxisSlice slice{.first = 0, .step = std::max(step, -std::numeric_limits<int64_t>::max()), .count = 0};
  if (step > 0) {
    slice.first = std::clamp<int64_t>(from_end(start), 0, size);
    const int64_t last = std::clamp<int64_t>(from_end(end), 0, size);
    if (last > slice.first) slice.count = (last - slice.first - 1) / step + 1;
  } else if (size > 0) {
    slice.first = std::clamp<int64_t>(from_end(start), 0, size - 1);
    const int64_t last = std::clamp<int64_t>(from_end(end), -1, size - 1);
    if (slice.first > last) slice.count = (slice.first - last - 1) / -slice.step + 1;
  }
  return slice;
}

namespace {

// Stands for the size of an axis of unknown size.
constexpr int64_t kFar = std::numeric_limits<int32_t>::max();

// A start or end: a distance from the axis's beginning, or (`from_end`) one from its end, which is not positive.
struct Bound {
  Dim distance;
  bool from_end = false;
  int far = 0;  // 1: at or past the end, -1: before the beginning

  static std::optional<Bound> of(const Dim& value, const Dim& size) {
    if (value.is_const()) {
      const int64_t number = value.value(), end = size.is_const() ? size.value() : kFar;
      return Bound{value, number < 0, number >= end ? 1 : (number < -end ? -1 : 0)};
    }
    if (value.nonnegative()) return Bound{value};
    if ((Dim(-1) - value).nonnegative()) return Bound{value, true};
    return std::nullopt;
  }
  Dim position(const Dim& size) const { return from_end ? size + distance : distance; }
};

// end - start for a step above 0, so written that sizes that start or end at the axis's own ends come out simple.
Dim forward_length(const Dim& size, const Bound& start, const Bound& end) {
  if (start.far == 1 || end.far == -1) return 0;
  // Ends below 0 and starts past the end need no clamping: the difference is below 0 then.
  const Dim last = end.far == 1 ? size : min(end.position(size), size);
  if (start.far == -1) return max(last, 0);
  if (start.from_end) return max(min(last - start.position(size), last), 0);
  return max(last - start.distance, 0);
}

Dim backward_length(const Dim& size, const Bound& start, const Bound& end) {
  if (end.far == 1) return 0;
  const Dim top = size - Dim(1);
  const bool from_last = start.far == 1 || start.distance == Dim(-1);
  Dim first = from_last ? top : min(max(start.position(size), 0), top);
  if (start.far == -1) first = min(0, top);
  const Dim last = end.far == -1 ? Dim(-1) : min(max(end.position(size), -1), top);
  return max(first - last, 0);
}

}  // namespace

std::optional<Dim> slice_count(const Dim& size, const Dim& start, const Dim& end, const Dim& step) {
  if (!step.is_const() || step == Dim(0)) return std::nullopt;
  if (size.is_const() && start.is_const() && end.is_const()) {
    return slice_axis(size.value(), start.value(), end.value(), step.value()).count;
  }
  const std::optional<Bound> first = Bound::of(start, size), last = Bound::of(end, size);
  if (!first || !last) return std::nullopt;
  const int64_t stride =
      step.value() > 0 ? step.value() : -std::max(step.value(), -std::numeric_limits<int64_t>::max());
  return ceil_div(step.value() > 0 ? forward_length(size, *first, *last) : backward_length(size, *first, *last),
                  stride);
}

namespace {

// The lists, as far as they are known. Starts, ends and steps are there even if unknown: without elements.
struct Bounds {
  IntList starts, ends, steps;
  std::optional<Ints> axes;
};

Status expect_lengths(InferContext& ctx) {
  for (const size_t i : {Slice::kEnds, Slice::kAxes, Slice::kSteps}) {
    if (!ctx.has_input(i)) continue;
    HONE_TRY(ctx.require_equal(ctx.shape(Slice::kStarts)[0], ctx.shape(i)[0],
                               "the lengths of 'starts' and operand " + std::to_string(i)));
  }
  return {};
}

IntList read_list(InferContext& ctx, size_t i, size_t length) {
  IntList list{.length = length, .elements = ctx.elements(i)};
  if (list.elements && list.elements->size() != length) list.elements.reset();
  return list;
}

Result<Bounds> read_bounds(InferContext& ctx, size_t length) {
  Bounds bounds{.starts = read_list(ctx, Slice::kStarts, length),
                .ends = read_list(ctx, Slice::kEnds, length),
                .steps = {.length = length, .elements = std::vector<Dim>(length, 1)},
                .axes = {}};
  if (ctx.has_input(Slice::kSteps)) bounds.steps = read_list(ctx, Slice::kSteps, length);
  std::optional<Ints> axes = Ints();
  if (ctx.has_input(Slice::kAxes)) {
    axes = ctx.constant_ints(Slice::kAxes);
  } else {
    for (size_t k = 0; k < length; ++k) axes->push_back(static_cast<int64_t>(k));
  }
  if (axes) {
    HONE_ASSIGN(bounds.axes, normalize_axes(*axes, ctx.rank(Slice::kData)));
  }
  for (size_t k = 0; k < length; ++k) {
    if (bounds.steps.number(k) == 0) return bad_element("steps", k, 0, "other than 0");
  }
  return bounds;
}

Dim sliced_size(InferContext& ctx, const Dim& size, const Bounds& bounds, size_t k) {
  if (bounds.starts.elements && bounds.ends.elements && bounds.steps.elements) {
    const std::optional<Dim> count =
        slice_count(size, (*bounds.starts.elements)[k], (*bounds.ends.elements)[k], (*bounds.steps.elements)[k]);
    if (count) return *count;
  }
  return ctx.resolved_later("sliced");
}

// Contents of a list, sliced.
void slice_elements(InferContext& ctx, const Bounds& bounds) {
  const std::vector<Dim>& all = *ctx.known_elements(0);
  if (bounds.starts.length != 1) return;
  const auto start = bounds.starts.number(0), end = bounds.ends.number(0), step = bounds.steps.number(0);
  if (!start || !end || !step) return;
  const AxisSlice slice = slice_axis(static_cast<int64_t>(all.size()), *start, *end, *step);
  std::vector<Dim> elements;
  for (int64_t i = 0; i < slice.count; ++i) elements.push_back(all[static_cast<size_t>(slice.first + i * slice.step)]);
  ctx.set_elements(0, std::move(elements));
}

}  // namespace

Status Slice::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(3, 5));
  HONE_TRY(expect_types(ctx, kData, kComputableTypes));
  for (const auto& [i, what] :
       {std::pair<size_t, const char*>{kStarts, "starts"}, {kEnds, "ends"}, {kAxes, "axes"}, {kSteps, "steps"}}) {
    if (ctx.has_input(i)) HONE_TRY(expect_int_list(ctx, i, what, /*allow_int32=*/true));
  }
  HONE_TRY(expect_lengths(ctx));
  Shape shape = ctx.shape(kData);
  // Any of the lists may be the one whose length is known.
  std::optional<size_t> length;
  for (const size_t i : {kStarts, kEnds, kAxes, kSteps}) {
    if (ctx.has_input(i) && !length) length = list_length(ctx, i);
  }
  if (length && *length > shape.size()) {
    return invalid_model("'starts' has " + std::to_string(*length) + " elements, more than the operand has axes (" +
                         std::to_string(shape.size()) + ")");
  }
  HONE_ASSIGN(const Bounds bounds, read_bounds(ctx, length.value_or(0)));
  if (!length || !bounds.axes) {
    // Any axis may be sliced.
    for (Dim& dim : shape) dim = ctx.resolved_later("sliced");
    ctx.set_output(0, ctx.dtype(kData), std::move(shape));
    return {};
  }
  for (size_t k = 0; k < *length; ++k) {
    Dim& dim = shape[static_cast<size_t>((*bounds.axes)[k])];
    dim = sliced_size(ctx, dim, bounds, k);
  }
  ctx.set_output(0, ctx.dtype(kData), std::move(shape));
  if (ctx.rank(kData) == 1 && ctx.known_elements(kData)) slice_elements(ctx, bounds);
  return {};
}

}  // namespace hone
