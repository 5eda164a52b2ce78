// Slice: every step-th element of a range, on any axes.
#pragma once

#include "hone/op.h"

namespace hone {

// Operands: data, starts, ends, axes (optional: the first ones), steps (optional: 1). Starts and ends count from the
// end if negative and are clamped to the axis; a step below 0 goes backwards from start to above end, and start is
// then clamped to an element that there is.
struct Slice final : OpBase<Slice> {
  static constexpr const char* kName = "Slice";
  enum Operand : size_t { kData, kStarts, kEnds, kAxes, kSteps };
  Status infer(InferContext& ctx) const override;
};

// What a slice takes of one axis.
struct AxisSlice {
  int64_t first = 0, step = 1, count = 0;
};
// `size` >= 0 and step != 0. Can't overflow.
AxisSlice slice_axis(int64_t size, int64_t start, int64_t end, int64_t step);

// The count as an expression: where the sign of start or end or the step isn't known, nothing. Numbers from
// 2^31 - 1 on are the end of an axis of unknown size, those below -(2^31 - 1) its beginning.
std::optional<Dim> slice_count(const Dim& size, const Dim& start, const Dim& end, const Dim& step);

}  // namespace hone
