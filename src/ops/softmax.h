// Operators that normalise along one axis to something like probabilities.
#pragma once

#include "hone/op.h"

namespace hone {

// One floating operand, whose type and shape the output has; `axis` must be one of its axes.
Status infer_along_axis(InferContext& ctx, int64_t axis);

template <class T>
struct SoftmaxOp : OpBase<T> {
  int64_t axis = -1;
  static void attributes(auto& self, auto& v) { v("axis", self.axis); }
  Status infer(InferContext& ctx) const override { return infer_along_axis(ctx, axis); }
};

struct Softmax final : SoftmaxOp<Softmax> {
  static constexpr const char* kName = "Softmax";
};

struct LogSoftmax final : SoftmaxOp<LogSoftmax> {
  static constexpr const char* kName = "LogSoftmax";
};

// 1 at the first largest element, 0 elsewhere.
struct Hardmax final : SoftmaxOp<Hardmax> {
  static constexpr const char* kName = "Hardmax";
};

}  // namespace hone
