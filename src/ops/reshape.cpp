#include "ops/reshape.h"

#include <algorithm>
#include <numeric>

#include "ops/shape_operand.h"
#include "ops/type_set.h"

namespace hone {

namespace {

// Removes from both lists the dimensions that are in both. `numbers`: numbers too.
void cancel_common(std::vector<Dim>& a, std::vector<Dim>& b, bool numbers) {
  for (size_t i = a.size(); i-- > 0;) {
    if (a[i].is_const() && !numbers) continue;
    const auto twin = std::find(b.begin(), b.end(), a[i]);
    if (twin == b.end()) continue;
    b.erase(twin);
    a.erase(a.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

// A product of dimensions, taken apart: a number, and factors that aren't numbers.
struct Factors {
  Dim number = 1;
  std::vector<Dim> symbolic;

  explicit Factors(const std::vector<Dim>& dims) {
    for (const Dim& dim : dims) {
      if (dim.is_const()) {
        number = number * dim;
      } else if (dim.expr()->kind == DimExpr::Kind::kProduct) {
        number = number * Dim(dim.expr()->value);
        symbolic.insert(symbolic.end(), dim.expr()->args.begin(), dim.expr()->args.end());
      } else {
        symbolic.push_back(dim);
      }
    }
  }
  Dim product() const { return number * element_count(symbolic); }
};

// The two products without what divides both.
std::pair<Dim, Dim> reduced(Factors a, Factors b) {
  cancel_common(a.symbolic, b.symbolic, false);
  if (a.number.is_const() && b.number.is_const() && a.number.value() > 0 && b.number.value() > 0) {
    const int64_t divisor = std::gcd(a.number.value(), b.number.value());
    a.number = a.number.value() / divisor;
    b.number = b.number.value() / divisor;
  }
  return {a.product(), b.product()};
}

Status uneven(const Dim& from, const Dim& to) {
  return invalid_model(std::to_string(from.value()) + " elements can't be shaped into parts of " +
                       std::to_string(to.value()));
}

}  // namespace

Result<Dim> remaining_size(InferContext& ctx, const Shape& from, const Shape& to) {
  std::vector<Dim> dividend = from, divisor = to;
  cancel_common(dividend, divisor, true);
  const auto [a, b] = reduced(Factors(dividend), Factors(divisor));
  if (b == Dim(0)) return invalid_model("-1 can't be computed beside a dimension of 0: write the size instead");
  const Dim quotient = floor_div(a, b);
  if (a.is_const() && b.is_const() && a.value() % b.value() != 0) return uneven(a, b);
  HONE_TRY(ctx.require_equal(quotient * b, a, "the numbers of elements before and after"));
  return quotient;
}

Status require_equal_counts(InferContext& ctx, const Shape& from, const Shape& to) {
  std::vector<Dim> a = from, b = to;
  cancel_common(a, b, false);
  const Dim difference = element_count(a) - element_count(b);
  if (difference == Dim(0)) return {};
  constexpr const char* kWhat = "the numbers of elements before and after";
  if (difference.is_const()) return ctx.require_equal(element_count(a), element_count(b), kWhat);
  // What is in both may be 0.
  return ctx.require_equal(element_count(from), element_count(to), kWhat);
}

namespace {

// The sizes that Reshape is asked for, as far as they are known.
struct Wanted {
  Shape shape;
  std::optional<size_t> remaining;  // the axis of size -1
  bool all_known = true;
};

Status take_number(InferContext& ctx, const Reshape& op, int64_t number, size_t k, Wanted& wanted) {
  if (number < -1) return bad_element("shape", k, number, "-1, 0 or a size");
  if (number == -1) {
    if (wanted.remaining) return bad_element("shape", k, number, "a size: there is a -1 before it");
    wanted.remaining = k;
  }
  if (number == 0 && !op.allowzero) {
    if (k >= ctx.rank(0)) {
      return invalid_model("element " + std::to_string(k) + " of 'shape' is 0, which stands for a size of the " +
                           "operand, but that has rank " + std::to_string(ctx.rank(0)));
    }
    wanted.shape.push_back(ctx.shape(0)[k]);
  } else {
    wanted.shape.push_back(number);
  }
  return {};
}

Result<Wanted> read_wanted(InferContext& ctx, const Reshape& op, const IntList& list) {
  Wanted wanted;
  bool zero = false;
  for (size_t k = 0; k < list.length; ++k) {
    if (const std::optional<int64_t> number = list.number(k)) {
      zero = zero || *number == 0;
      HONE_TRY(take_number(ctx, op, *number, k, wanted));
      continue;
    }
    wanted.shape.push_back(size_from(ctx, list, k, "reshaped"));
    if (!list.elements || !(*list.elements)[k].nonnegative()) wanted.all_known = false;
  }
  if (op.allowzero && zero && wanted.remaining) return invalid_model("'shape' has both 0 and -1, with allowzero");
  return wanted;
}

}  // namespace

Status Reshape::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(expect_int_list(ctx, 1, "shape"));
  HONE_ASSIGN(const IntList list, read_int_list(ctx, 1, "shape", kMaxRank));
  HONE_ASSIGN(Wanted wanted, read_wanted(ctx, *this, list));
  if (!wanted.all_known) {
    if (wanted.remaining) wanted.shape[*wanted.remaining] = ctx.resolved_later("reshaped");
  } else if (wanted.remaining) {
    Shape others = wanted.shape;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(*wanted.remaining));
    HONE_ASSIGN(wanted.shape[*wanted.remaining], remaining_size(ctx, ctx.shape(0), others));
  } else {
    HONE_TRY(require_equal_counts(ctx, ctx.shape(0), wanted.shape));
  }
  ctx.set_output(0, ctx.dtype(0), std::move(wanted.shape));
  pass_elements(ctx);
  return {};
}

Status Flatten::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  const int64_t rank = static_cast<int64_t>(ctx.rank(0));
  if (axis < -rank || axis > rank) {
    return invalid_model("attribute 'axis' is " + std::to_string(axis) + ", must be in [-" + std::to_string(rank) +
                         ", " + std::to_string(rank) + "]");
  }
  const auto split = static_cast<size_t>(axis < 0 ? axis + rank : axis);
  const std::span<const Dim> dims = ctx.shape(0);
  ctx.set_output(0, ctx.dtype(0), {element_count(dims.first(split)), element_count(dims.subspan(split))});
  return {};
}

namespace {

Result<Shape> squeeze_ones(const Shape& shape) {
  Shape kept;
  for (const Dim& dim : shape) {
    if (!dim.is_const()) {
      return unsupported(
          "without axes the rank of the output depends on the size of a dimension that isn't known: "
          "list the axes, or fix the sizes of the model's inputs");
    }
    if (dim != Dim(1)) kept.push_back(dim);
  }
  return kept;
}

Result<Shape> squeeze_axes(InferContext& ctx, const Ints& axes) {
  HONE_ASSIGN(const Ints normal, normalize_axes(axes, ctx.rank(0)));
  Shape kept;
  for (size_t i = 0; i < ctx.rank(0); ++i) {
    if (std::find(normal.begin(), normal.end(), static_cast<int64_t>(i)) == normal.end()) {
      kept.push_back(ctx.shape(0)[i]);
    } else {
      HONE_TRY(ctx.require_equal(ctx.shape(0)[i], 1, "the size of squeezed axis " + std::to_string(i) + " and 1"));
    }
  }
  return kept;
}

Shape shape_told_later(InferContext& ctx, size_t rank, std::string_view hint) {
  Shape shape;
  for (size_t i = 0; i < rank; ++i) shape.push_back(ctx.resolved_later(hint));
  return shape;
}

}  // namespace

Status Squeeze::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 2));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  Shape shape;
  if (!ctx.has_input(1)) {
    HONE_ASSIGN(shape, squeeze_ones(ctx.shape(0)));
  } else {
    HONE_TRY(expect_int_list(ctx, 1, "axes"));
    HONE_ASSIGN(const IntList list, read_int_list(ctx, 1, "axes", ctx.rank(0)));
    if (const std::optional<Ints> axes = ctx.constant_ints(1)) {
      HONE_ASSIGN(shape, squeeze_axes(ctx, *axes));
    } else {
      shape = shape_told_later(ctx, ctx.rank(0) - list.length, "squeezed");
    }
  }
  ctx.set_output(0, ctx.dtype(0), std::move(shape));
  pass_elements(ctx);
  return {};
}

Status Unsqueeze::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(2, 2));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  HONE_TRY(expect_int_list(ctx, 1, "axes"));
  HONE_ASSIGN(const IntList list, read_int_list(ctx, 1, "axes", kMaxRank - std::min(kMaxRank, ctx.rank(0))));
  const size_t rank = ctx.rank(0) + list.length;
  Shape shape;
  if (const std::optional<Ints> axes = ctx.constant_ints(1)) {
    HONE_ASSIGN(const Ints normal, normalize_axes(*axes, rank));
    size_t next = 0;
    for (size_t i = 0; i < rank; ++i) {
      const bool is_new = std::find(normal.begin(), normal.end(), static_cast<int64_t>(i)) != normal.end();
      shape.push_back(is_new ? Dim(1) : ctx.shape(0)[next++]);
    }
  } else {
    shape = shape_told_later(ctx, rank, "unsqueezed");
  }
  ctx.set_output(0, ctx.dtype(0), std::move(shape));
  pass_elements(ctx);
  return {};
}

Status BitCast::check() const {
  if (to > 0 && to < kDataTypeCount) return {};
  return invalid_model("attribute 'to' is " + std::to_string(to) + ", which is no element type");
}

Status BitCast::infer(InferContext& ctx) const {
  HONE_TRY(ctx.expect_inputs(1, 1));
  HONE_TRY(expect_types(ctx, 0, kComputableTypes));
  const auto type = static_cast<DataType>(to);
  if (!is_computable(type)) return unsupported("no kernel for elements of type " + std::string(name_of(type)));
  if (bits_of(type) != bits_of(ctx.dtype(0))) {
    return invalid_model("elements of " + std::string(name_of(ctx.dtype(0))) + " and " + std::string(name_of(type)) +
                         " (attribute 'to') differ in width");
  }
  ctx.set_output(0, type, ctx.shape(0));
  if (type == ctx.dtype(0)) pass_elements(ctx);
  return {};
}

}  // namespace hone
