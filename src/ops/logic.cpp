#include "ops/logic.h"

namespace hone {

namespace {

// Whether a < b, where that is the same for all values of the symbols.
std::optional<bool> is_less(const Dim& a, const Dim& b) {
  if ((b - a - 1).nonnegative()) return true;
  if ((a - b).nonnegative()) return false;
  return std::nullopt;
}

std::optional<Dim> to_dim(std::optional<bool> truth) { return truth ? std::optional(Dim(*truth)) : std::nullopt; }

}  // namespace

std::optional<Dim> Equal::follow(const Dim& a, const Dim& b) {
  if (a == b) return Dim(1);
  const bool differ = is_less(a, b).value_or(false) || is_less(b, a).value_or(false);
  return differ ? std::optional(Dim(0)) : std::nullopt;
}

std::optional<Dim> Less::follow(const Dim& a, const Dim& b) { return to_dim(is_less(a, b)); }

std::optional<Dim> LessOrEqual::follow(const Dim& a, const Dim& b) {
  const std::optional<bool> above = is_less(b, a);
  return to_dim(above ? std::optional(!*above) : std::nullopt);
}

namespace {

// Contents, where the condition's elements are numbers and the chosen ones are known.
void follow_where(InferContext& ctx) {
  const auto& condition = ctx.known_elements(0);
  const auto& x = ctx.known_elements(1);
  const auto& y = ctx.known_elements(2);
  if (!condition || !x || !y) return;
  size_t size = 1;
  for (const auto* operand : {&*condition, &*x, &*y}) {
    if (operand->size() != 1) size = operand->size();
  }
  for (const auto* operand : {&*condition, &*x, &*y}) {
    if (operand->size() != 1 && operand->size() != size) return;
  }
  std::vector<Dim> elements;
  for (size_t i = 0; i < size; ++i) {
    const Dim& chooses = condition->size() == 1 ? condition->front() : (*condition)[i];
    if (!chooses.is_const()) return;
    const std::vector<Dim>& from = chooses.value() != 0 ? *x : *y;
    elements.push_back(from.size() == 1 ? from.front() : from[i]);
  }
  set_fitting_elements(ctx, std::move(elements));
}

}  // namespace

Status Where::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(3, 3));
  HONE_TRY(expect_types(ctx, 0, kBoolType));
  HONE_TRY(expect_types(ctx, 1, kComputableTypes));
  HONE_TRY(ctx.expect_same_dtype(1, 2));
  HONE_ASSIGN(Shape shape, ctx.broadcast_shapes(ctx.shape(1), ctx.shape(2)));
  HONE_ASSIGN(shape, ctx.broadcast_shapes(ctx.shape(0), shape));
  ctx.set_output(0, ctx.dtype(1), std::move(shape));
  follow_where(ctx);
  return {};
}

Status BitShift::check() const {
  if (direction) return {};
  return invalid_model("attribute 'direction' is missing: give LEFT or RIGHT");
}

}  // namespace hone
