#include "ops/expand.h"

#include <algorithm>

#include "ops/operand.h"
#include "ops/shape_operand.h"
#include "ops/type_set.h"

namespace hone {

namespace {

// One element, repeated to a list, or a list as it is.
void expand_elements(InferContext& ctx) {
  const std::optional<std::vector<Dim>>& elements = ctx.known_elements(0);
  const Shape& shape = ctx.outputs()[0].type.shape;
  if (!elements || shape.size() > 1) return;
  const std::optional<int64_t> count = element_count(shape).as_const();
  if (!count || *count < 0 || *count > kMaxFollowedElements) return;
  if (elements->size() == 1) {
    ctx.set_elements(0, std::vector<Dim>(static_cast<size_t>(*count), elements->front()));
  } else if (static_cast<int64_t>(elements->size()) == *count) {
    ctx.set_elements(0, *elements);
  }
}

}  // namespace

Status Expand::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(expect_int_list(ctx, 1, "shape"));
  HONE_ASSIGN(const IntList list, read_int_list(ctx, 1, "shape", kMaxRank));
  const Shape& in = ctx.shape(0);
  Shape shape(std::max(in.size(), list.length));
  for (size_t i = 0; i < shape.size(); ++i) {
    const size_t missing = shape.size() - in.size(), unlisted = shape.size() - list.length;
    const Dim own = i < missing ? Dim(1) : in[i - missing];
    if (i < unlisted) {
      shape[i] = own;
      continue;
    }
    const size_t k = i - unlisted;
    const std::optional<int64_t> number = list.number(k);
    if (number && *number < 0) return bad_element("shape", k, *number, "0 or more");
    if (!list.elements || !(*list.elements)[k].nonnegative()) {
      shape[i] = ctx.resolved_later("expanded");
    } else {
      HONE_ASSIGN(shape[i], ctx.broadcast_dim(own, (*list.elements)[k]));
    }
  }
  ctx.set_output(0, ctx.dtype(0), std::move(shape));
  expand_elements(ctx);
  return {};
}

Status Tile::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(expect_int_list(ctx, 1, "repeats"));
  HONE_TRY(ctx.require_equal(ctx.shape(1)[0], Dim(static_cast<int64_t>(ctx.rank(0))),
                             "the number of 'repeats' and the rank of the operand"));
  IntList list{.length = ctx.rank(0), .elements = ctx.elements(1)};
  if (list.elements && list.elements->size() != list.length) list.elements.reset();
  Shape shape = ctx.shape(0);
  for (size_t k = 0; k < shape.size(); ++k) {
    const std::optional<int64_t> number = list.number(k);
    if (number && *number < 0) return bad_element("repeats", k, *number, "0 or more");
    const bool known = list.elements && (*list.elements)[k].nonnegative();
    shape[k] = known ? shape[k] * (*list.elements)[k] : ctx.resolved_later("tiled");
  }
  ctx.set_output(0, ctx.dtype(0), std::move(shape));
  return {};
}

}  // namespace hone
