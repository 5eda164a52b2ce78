#include "ops/shape_operand.h"

#include <algorithm>

namespace hone {

Status expect_int_list(const InferContext& ctx, size_t i, std::string_view what, bool allow_int32) {
  const DataType dtype = ctx.dtype(i);
  if (dtype != DataType::kInt64 && !(allow_int32 && dtype == DataType::kInt32)) {
    return invalid_model("operand " + std::to_string(i) + " (" + std::string(what) + ") has the type " +
                         std::string(name_of(dtype)) + ", must be " + (allow_int32 ? "int32 or int64" : "int64"));
  }
  if (ctx.rank(i) == 1) return {};
  return invalid_model("operand " + std::to_string(i) + " (" + std::string(what) + ") has rank " +
                       std::to_string(ctx.rank(i)) + ", must be a list (rank 1)");
}

std::optional<size_t> list_length(const InferContext& ctx, size_t i) {
  const std::optional<int64_t> length = ctx.shape(i)[0].as_const();
  return length && *length >= 0 ? std::optional(static_cast<size_t>(*length)) : std::nullopt;
}

Result<IntList> read_int_list(InferContext& ctx, size_t i, std::string_view what, size_t most) {
  const std::optional<size_t> length = list_length(ctx, i);
  if (!length) {
    static_cast<void>(ctx.contents(i));  // it is wanted, should it be known later
    return unsupported("the number of elements of operand " + std::to_string(i) + " (" + std::string(what) +
                       ") isn't known, so the rank of the output isn't: give the operand a fixed size");
  }
  if (*length > most) {
    return invalid_model("operand " + std::to_string(i) + " (" + std::string(what) + ") has " +
                         std::to_string(*length) + " elements, at most " + std::to_string(most) + " are allowed");
  }
  IntList list{.length = *length, .elements = ctx.elements(i)};
  if (list.elements && list.elements->size() != list.length) list.elements.reset();
  return list;
}

Dim size_from(InferContext& ctx, const IntList& list, size_t k, std::string_view hint) {
  if (list.elements && (*list.elements)[k].nonnegative()) return (*list.elements)[k];
  return ctx.resolved_later(hint);
}

Status bad_element(std::string_view what, size_t k, int64_t value, std::string_view allowed) {
  return invalid_model("element " + std::to_string(k) + " of '" + std::string(what) + "' is " + std::to_string(value) +
                       ", must be " + std::string(allowed));
}

Result<Dim> unify(InferContext& ctx, const Dim& a, const Dim& b, std::string_view what) {
  HONE_TRY(ctx.require_equal(a, b, what));
  return b.is_const() ? b : a;
}

Result<Ints> normalize_axes(const Ints& axes, size_t rank) {
  Ints normal;
  for (const int64_t axis : axes) {
    HONE_ASSIGN(const int64_t positive, InferContext::normalize_axis(axis, rank));
    if (std::find(normal.begin(), normal.end(), positive) != normal.end()) {
      return invalid_model("axis " + std::to_string(axis) + " is named twice");
    }
    normal.push_back(positive);
  }
  return normal;
}

void pass_elements(InferContext& ctx) {
  if (ctx.known_elements(0) && ctx.outputs()[0].type.shape.size() <= 1) ctx.set_elements(0, *ctx.known_elements(0));
}

}  // namespace hone
