#include "ops/cast.h"

namespace hone {

namespace {

Status infer_cast(InferContext& ctx, DataType to) {
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  if (!is_computable(to)) {
    return unsupported("can't cast to " + std::string(name_of(to)) +
                       ": casts go to float, integer (8 bits and more) and bool types");
  }
  ctx.set_output(0, to, ctx.shape(0));
  if (!ctx.known_elements(0)) return {};
  std::vector<Dim> elements = *ctx.known_elements(0);
  for (Dim& element : elements) {
    if (to != DataType::kBool || ctx.dtype(0) == DataType::kBool) continue;
    // Nonzero is true, where it can be told.
    if (!element.is_const() && !(element - 1).nonnegative() && !(Dim(-1) - element).nonnegative()) return {};
    element = element == Dim(0) ? 0 : 1;
  }
  set_fitting_elements(ctx, std::move(elements));
  return {};
}

}  // namespace

Status Cast::check() const {
  if (to > 0 && to < kDataTypeCount) return {};
  return invalid_model("attribute 'to' is " + std::to_string(to) + ", which is no element type");
}

Status Cast::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 1));
  return infer_cast(ctx, static_cast<DataType>(to));
}

Status CastLike::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  return infer_cast(ctx, ctx.dtype(1));
}

}  // namespace hone
