#include "ops/gather.h"

#include <algorithm>

#include "ops/shape_operand.h"
#include "ops/type_set.h"

namespace hone {

namespace {

constexpr TypeSet kIndexTypes = {DataType::kInt32, DataType::kInt64};

// Contents of a list at places that are numbers.
void gather_elements(InferContext& ctx) {
  const auto &from = ctx.known_elements(0), &places = ctx.known_elements(1);
  if (ctx.rank(0) != 1 || !from || !places) return;
  const auto size = static_cast<int64_t>(from->size());
  std::vector<Dim> elements;
  for (const Dim& place : *places) {
    if (!place.is_const() || place.value() < -size || place.value() >= size) return;
    elements.push_back((*from)[static_cast<size_t>(place.value() < 0 ? place.value() + size : place.value())]);
  }
  ctx.set_elements(0, std::move(elements));
}

}  // namespace

Status Gather::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(expect_types(ctx, 1, kIndexTypes));
  HONE_ASSIGN(const int64_t picked, InferContext::normalize_axis(axis, ctx.rank(0)));
  const Shape &data = ctx.shape(0), &indices = ctx.shape(1);
  const auto at = data.begin() + static_cast<std::ptrdiff_t>(picked);
  Shape shape(data.begin(), at);
  shape.insert(shape.end(), indices.begin(), indices.end());
  shape.insert(shape.end(), at + 1, data.end());
  ctx.set_output(0, ctx.dtype(0), std::move(shape));
  gather_elements(ctx);
  return {};
}

Status GatherElements::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(expect_types(ctx, 1, kIndexTypes));
  HONE_TRY(InferContext::normalize_axis(axis, ctx.rank(0)).status());
  HONE_TRY(ctx.expect_rank(1, ctx.rank(0)));
  ctx.set_output(0, ctx.dtype(0), ctx.shape(1));
  return {};
}

Status GatherND::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(expect_types(ctx, 1, kIndexTypes));
  const Shape &data = ctx.shape(0), &indices = ctx.shape(1);
  if (data.empty() || indices.empty()) return invalid_model("operands must have rank 1 or more");
  const auto limit = static_cast<int64_t>(std::min(data.size(), indices.size()));
  if (batch_dims < 0 || batch_dims >= limit) {
    return invalid_model("attribute 'batch_dims' is " + std::to_string(batch_dims) + ", must be in [0, " +
                         std::to_string(limit) + "), below the ranks of both operands");
  }
  const std::optional<int64_t> tuple = indices.back().as_const();
  if (!tuple) {
    return unsupported(
        "the last dimension of operand 1, which decides the rank of the output, isn't known: give the "
        "operand a fixed size");
  }
  if (*tuple < 1 || *tuple > static_cast<int64_t>(data.size()) - batch_dims) {
    return invalid_model("the last dimension of operand 1 is " + std::to_string(*tuple) + ", must be in [1, " +
                         std::to_string(static_cast<int64_t>(data.size()) - batch_dims) + "]");
  }
  Shape shape;
  for (size_t i = 0; i + 1 < indices.size(); ++i) {
    Dim dim = indices[i];
    if (static_cast<int64_t>(i) < batch_dims) {
      HONE_ASSIGN(dim, unify(ctx, data[i], dim, "the sizes of batch axis " + std::to_string(i)));
    }
    shape.push_back(dim);
  }
  shape.insert(shape.end(), data.begin() + static_cast<std::ptrdiff_t>(batch_dims + *tuple), data.end());
  ctx.set_output(0, ctx.dtype(0), std::move(shape));
  return {};
}

}  // namespace hone
