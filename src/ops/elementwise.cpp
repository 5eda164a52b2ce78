#include "ops/elementwise.h"

namespace hone {

Status infer_unary(InferContext& ctx, TypeSet allowed, DataType result) {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, allowed));
  ctx.set_output(0, result == DataType::kUndefined ? ctx.dtype(0) : result, ctx.shape(0));
  return {};
}

Status infer_broadcast(InferContext& ctx, TypeSet allowed, size_t min, size_t max, DataType result) {
  HONE_TRY(ctx.expect_inputs(min, max));
  HONE_TRY(expect_types(ctx, 0, allowed));
  Shape shape = ctx.shape(0);
  for (size_t i = 1; i < ctx.num_inputs(); ++i) {
    if (!ctx.has_input(i)) return invalid_model("operand " + std::to_string(i) + " is missing");
    HONE_TRY(ctx.expect_same_dtype(0, i));
    HONE_ASSIGN(shape, ctx.broadcast_shapes(shape, ctx.shape(i)));
  }
  ctx.set_output(0, result == DataType::kUndefined ? ctx.dtype(0) : result, std::move(shape));
  return {};
}

namespace {

bool fits(const Dim& dim, DataType dtype) {
  if (dim.is_invalid()) return false;
  if (!dim.is_const()) return true;
  switch (dtype) {
    case DataType::kInt64: return true;
    case DataType::kInt32: return dim.value() >= INT32_MIN && dim.value() <= INT32_MAX;
    case DataType::kBool: return dim.value() == 0 || dim.value() == 1;
    default: return false;
  }
}

// True when `dim` is provably above 0.
bool is_positive(const Dim& dim) { return (dim - 1).nonnegative(); }

}  // namespace

void set_fitting_elements(InferContext& ctx, std::vector<Dim> elements) {
  const DataType dtype = ctx.outputs()[0].type.dtype;
  if (dtype != DataType::kInt64 && dtype != DataType::kInt32 && dtype != DataType::kBool) return;
  for (const Dim& element : elements) {
    if (!fits(element, dtype)) return;
  }
  ctx.set_elements(0, std::move(elements));
}

void follow_unary(InferContext& ctx, FollowUnary f) {
  const auto& operand = ctx.known_elements(0);
  if (!operand) return;
  std::vector<Dim> elements;
  for (const Dim& dim : *operand) {
    const std::optional<Dim> result = f(dim);
    if (!result) return;
    elements.push_back(*result);
  }
  set_fitting_elements(ctx, std::move(elements));
}

void follow_binary(InferContext& ctx, FollowBinary f) {
  if (!ctx.known_elements(0)) return;
  std::vector<Dim> left = *ctx.known_elements(0);
  for (size_t i = 1; i < ctx.num_inputs(); ++i) {
    if (!ctx.known_elements(i)) return;
    const std::vector<Dim>& right = *ctx.known_elements(i);
    const bool repeats_left = left.size() == 1, repeats_right = right.size() == 1;
    if (left.size() != right.size() && !repeats_left && !repeats_right) return;
    std::vector<Dim> elements;
    for (size_t k = 0; k < (repeats_left ? right.size() : left.size()); ++k) {
      const std::optional<Dim> result = f(left[repeats_left ? 0 : k], right[repeats_right ? 0 : k]);
      if (!result) return;
      elements.push_back(*result);
    }
    left = std::move(elements);
  }
  set_fitting_elements(ctx, std::move(left));
}

std::optional<Dim> Div::follow(const Dim& a, const Dim& b) {
  if (b.is_const() && b.value() < 0) {
    const std::optional<Dim> opposite = follow(a, Dim(0) - b);
    return opposite ? std::optional(Dim(0) - *opposite) : std::nullopt;
  }
  // A size that turns out to be 0 is an error when shapes are set.
  if (!b.nonnegative() || b == Dim(0)) return std::nullopt;
  if (a.nonnegative()) return floor_div(a, b);
  // Truncation is floor of the positive part minus floor of the negative part.
  return floor_div(max(a, 0), b) - floor_div(max(Dim(0) - a, 0), b);
}

Status Mod::infer(InferContext& ctx) const {
  HONE_TRY(infer_broadcast(ctx, kNumberTypes, 2, 2));
  if (is_floating(ctx.dtype(0)) && !fmod) {
    return invalid_model("operands of type " + std::string(name_of(ctx.dtype(0))) + " need the attribute fmod = 1");
  }
  follow_binary(
      ctx,
      fmod ? [](const Dim& a,
                const Dim&
                    b) { return a.nonnegative() && is_positive(b) ? std::optional(hone::mod(a, b)) : std::nullopt; }
           : [](const Dim& a, const Dim& b) { return is_positive(b) ? std::optional(hone::mod(a, b)) : std::nullopt; });
  return {};
}

Status Pow::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(ctx, 0, kFloatTypes | TypeSet{DataType::kInt32, DataType::kInt64}));
  HONE_TRY(expect_types(ctx, 1, kNumberTypes));
  HONE_ASSIGN(Shape shape, ctx.broadcast_shapes(ctx.shape(0), ctx.shape(1)));
  ctx.set_output(0, ctx.dtype(0), std::move(shape));
  return {};
}

namespace {

// One of Clip's bounds: absent, or a scalar; a vector of one element is let through.
Status check_bound(InferContext& ctx, size_t i) {
  if (!ctx.has_input(i)) return {};
  HONE_TRY(ctx.expect_same_dtype(0, i));
  if (ctx.rank(i) == 0) return {};
  HONE_TRY(ctx.expect_rank(i, 1));
  return ctx.require_equal(ctx.shape(i)[0], 1, "operand " + std::to_string(i) + "'s size and 1");
}

}  // namespace

Status Clip::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 3));
  HONE_TRY(expect_types(ctx, 0, kNumberTypes));
  HONE_TRY(check_bound(ctx, 1));
  HONE_TRY(check_bound(ctx, 2));
  ctx.set_output(0, ctx.input(0));
  if (!ctx.known_elements(0)) return {};
  std::vector<Dim> elements = *ctx.known_elements(0);
  for (size_t i = 1; i <= 2; ++i) {
    if (!ctx.has_input(i)) continue;
    if (!ctx.known_elements(i) || ctx.known_elements(i)->size() != 1) return {};
    const Dim& bound = ctx.known_elements(i)->front();
    for (Dim& element : elements) element = i == 1 ? max(element, bound) : min(element, bound);
  }
  set_fitting_elements(ctx, std::move(elements));
  return {};
}

Status PRelu::infer(InferContext& ctx) const {
  HONE_TRY(infer_broadcast(
      ctx, kFloatTypes | TypeSet{DataType::kInt32, DataType::kInt64, DataType::kUint32, DataType::kUint64}, 2, 2));
  if (ctx.rank(1) > ctx.rank(0)) {
    return invalid_model("the slope has rank " + std::to_string(ctx.rank(1)) + ", more than the input's " +
                         std::to_string(ctx.rank(0)));
  }
  const Shape& broadcast = ctx.outputs()[0].type.shape;
  for (size_t axis = 0; axis < ctx.rank(0); ++axis) {
    HONE_TRY(
        ctx.require_equal(broadcast[axis], ctx.shape(0)[axis],
                          "dimension " + std::to_string(axis) + " of the input and of what the slope makes of it"));
  }
  ctx.set_output(0, ctx.input(0));
  return {};
}

Status refuse_training() {
  return unsupported("training_mode is on with a ratio other than 0: export the model for inference");
}

Status Dropout::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 3));
  HONE_TRY(expect_types(ctx, 0, kFloatTypes));
  if (ctx.has_input(1)) {
    HONE_TRY(expect_types(ctx, 1, kFloatTypes));
    HONE_TRY(ctx.require_equal(element_count(ctx.shape(1)), 1, "ratio's number of elements and 1"));
  }
  if (ctx.has_input(2)) {
    HONE_TRY(expect_types(ctx, 2, kBoolType));
    HONE_TRY(ctx.require_equal(element_count(ctx.shape(2)), 1, "training_mode's number of elements and 1"));
    const auto& training = ctx.known_elements(2);
    const bool trains = training && !training->empty() && training->front() == Dim(1);
    // Without a ratio it is one half.
    if (trains && !ctx.has_input(1)) return refuse_training();
  }
  if (ctx.num_outputs() > 2) return invalid_model("has more than 2 outputs");
  ctx.set_output(0, ctx.input(0));
  ctx.set_output(1, DataType::kBool, ctx.shape(0));
  return {};
}

}  // namespace hone
