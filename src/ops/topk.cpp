#include "ops/topk.h"

namespace hone {

Status TopK::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  if (!is_computable(ctx.dtype(0)) || ctx.dtype(0) == DataType::kBool) {
    return unsupported("elements of type " + std::string(name_of(ctx.dtype(0))) + " can't be ordered");
  }
  HONE_TRY(ctx.expect_dtype(1, {DataType::kInt64}));
  HONE_TRY(ctx.require_equal(element_count(ctx.shape(1)), Dim(1), "the number of elements of K and 1"));
  HONE_ASSIGN(const int64_t normal, InferContext::normalize_axis(axis, ctx.rank(0)));
  Shape shape = ctx.shape(0);
  Dim& dim = shape[static_cast<size_t>(normal)];
  const std::optional<std::vector<Dim>> k = ctx.elements(1);
  const bool told = k && k->size() == 1 && (k->front().is_const() || k->front().nonnegative());
  if (told && k->front().is_const() && dim.is_const() && (k->front().value() < 0 || k->front().value() > dim.value())) {
    return invalid_model("K is " + std::to_string(k->front().value()) + ", must be in [0, " +
                         std::to_string(dim.value()) + "], the length of axis " + std::to_string(normal));
  }
  dim = told ? k->front() : ctx.resolved_later("k");
  ctx.set_output(0, ctx.dtype(0), shape);
  ctx.set_output(1, DataType::kInt64, std::move(shape));
  return {};
}

}  // namespace hone
