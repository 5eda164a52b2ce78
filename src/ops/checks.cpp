#include "ops/checks.h"

namespace hone {

Status expect_broadcasts_to(InferContext& ctx, size_t i, const Shape& target) {
  const Shape& small = ctx.shape(i);
  const std::string what = "operand " + std::to_string(i) + ", broadcast, and what it is combined with,";
  if (small.size() > target.size()) {
    return invalid_model("operand " + std::to_string(i) + " has rank " + std::to_string(small.size()) + ", at most " +
                         std::to_string(target.size()) + " is allowed");
  }
  for (size_t k = 0; k < small.size(); ++k) {
    const Dim& wanted = target[target.size() - small.size() + k];
    HONE_ASSIGN(const Dim result, ctx.broadcast_dim(small[k], wanted));
    HONE_TRY(ctx.require_equal(result, wanted, what));
  }
  return {};
}

Status expect_divisible(InferContext& ctx, const Dim& size, int64_t divisor, const std::string& size_name,
                        const std::string& divisor_name) {
  const Dim rest = mod(size, divisor);
  if (size.is_const() && rest != Dim(0)) {
    return invalid_model(size_name + ", " + std::to_string(size.value()) + ", isn't a multiple of " + divisor_name +
                         ", " + std::to_string(divisor));
  }
  return ctx.require_equal(rest, 0, "what is left of " + size_name + " divided by " + divisor_name + ", and 0,");
}

}  // namespace hone
