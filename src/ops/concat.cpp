#include "ops/concat.h"

#include "ops/shape_operand.h"
#include "ops/type_set.h"

namespace hone {

Status Concat::check() const { return axis ? Status() : invalid_model("attribute 'axis' is missing"); }

namespace {

void concat_elements(InferContext& ctx) {
  std::vector<Dim> elements;
  for (size_t i = 0; i < ctx.num_inputs(); ++i) {
    if (!ctx.known_elements(i)) return;
    elements.insert(elements.end(), ctx.known_elements(i)->begin(), ctx.known_elements(i)->end());
  }
  ctx.set_elements(0, std::move(elements));
}

}  // namespace

Status Concat::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, SIZE_MAX));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_ASSIGN(const int64_t joined, InferContext::normalize_axis(axis.value_or(0), ctx.rank(0)));
  Shape shape = ctx.shape(0);
  for (size_t i = 1; i < ctx.num_inputs(); ++i) {
    if (!ctx.has_input(i)) return invalid_model("operand " + std::to_string(i) + " is missing");
    HONE_TRY(ctx.expect_same_dtype(0, i));
    HONE_TRY(ctx.expect_rank(i, shape.size()));
    for (size_t k = 0; k < shape.size(); ++k) {
      if (static_cast<int64_t>(k) == joined) {
        shape[k] = shape[k] + ctx.shape(i)[k];
      } else {
        HONE_ASSIGN(shape[k],
                    unify(ctx, shape[k], ctx.shape(i)[k],
                          "the sizes of axis " + std::to_string(k) + " of operands 0 and " + std::to_string(i)));
      }
    }
  }
  ctx.set_output(0, ctx.dtype(0), std::move(shape));
  if (ctx.rank(0) == 1) concat_elements(ctx);
  return {};
}

namespace {

Result<std::vector<Dim>> given_parts(InferContext& ctx, const Dim& whole) {
  HONE_TRY(expect_int_list(ctx, 1, "split"));
  HONE_TRY(ctx.require_equal(ctx.shape(1)[0], Dim(static_cast<int64_t>(ctx.num_outputs())),
                             "the number of sizes in 'split' and the number of outputs"));
  IntList list{.length = ctx.num_outputs(), .elements = ctx.elements(1)};
  if (list.elements && list.elements->size() != list.length) {
    return invalid_model("'split' has " + std::to_string(list.elements->size()) + " sizes for " +
                         std::to_string(list.length) + " outputs");
  }
  std::vector<Dim> parts;
  bool all_known = true;
  Dim sum = 0;
  for (size_t k = 0; k < list.length; ++k) {
    const std::optional<int64_t> number = list.number(k);
    if (number && *number < 0) return bad_element("split", k, *number, "0 or more");
    all_known = all_known && list.elements && (*list.elements)[k].nonnegative();
    parts.push_back(size_from(ctx, list, k, "part"));
    sum = sum + parts.back();
  }
  if (all_known) HONE_TRY(ctx.require_equal(sum, whole, "the sum of 'split' and the size of the axis"));
  return parts;
}

Result<std::vector<Dim>> equal_parts(InferContext& ctx, const Dim& whole, bool must_be_even) {
  const auto count = static_cast<int64_t>(ctx.num_outputs());
  if (count == 0) return invalid_model("has no outputs");
  const Dim part = must_be_even ? floor_div(whole, count) : ceil_div(whole, count);
  const Dim last = whole - part * Dim(count - 1);
  if (must_be_even) {
    HONE_TRY(
        ctx.require_equal(part * Dim(count), whole, "the size of the axis and a multiple of the number of outputs"));
  } else if (last.is_const() && last.value() < 0) {
    return invalid_model("an axis of size " + std::to_string(whole.value()) + " can't be split into " +
                         std::to_string(count) + " parts of " + std::to_string(part.value()) +
                         ": give the sizes as operand 1");
  }
  std::vector<Dim> parts(ctx.num_outputs(), part);
  if (!must_be_even) parts.back() = last;
  return parts;
}

void split_elements(InferContext& ctx, const std::vector<Dim>& parts) {
  const std::vector<Dim>& all = *ctx.known_elements(0);
  size_t next = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::optional<int64_t> size = parts[i].as_const();
    if (!size || *size < 0 || static_cast<size_t>(*size) > all.size() - next) return;
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(next);
    ctx.set_elements(i, std::vector<Dim>(first, first + *size));
    next += static_cast<size_t>(*size);
  }
}

}  // namespace

Status Split::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 2));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_ASSIGN(const int64_t parted, InferContext::normalize_axis(axis, ctx.rank(0)));
  if (ctx.has_input(1) && num_outputs) return invalid_model("has both 'split' and the attribute 'num_outputs'");
  if (num_outputs && *num_outputs != static_cast<int64_t>(ctx.num_outputs())) {
    return invalid_model("attribute 'num_outputs' is " + std::to_string(*num_outputs) + ", but there are " +
                         std::to_string(ctx.num_outputs()) + " outputs");
  }
  const Dim whole = ctx.shape(0)[static_cast<size_t>(parted)];
  Result<std::vector<Dim>> parts =
      ctx.has_input(1) ? given_parts(ctx, whole) : equal_parts(ctx, whole, !num_outputs.has_value());
  if (!parts.ok()) return std::move(parts).status();
  for (size_t i = 0; i < parts->size(); ++i) {
    Shape shape = ctx.shape(0);
    shape[static_cast<size_t>(parted)] = (*parts)[i];
    ctx.set_output(i, ctx.dtype(0), std::move(shape));
  }
  if (ctx.rank(0) == 1 && ctx.known_elements(0)) split_elements(ctx, *parts);
  return {};
}

}  // namespace hone
