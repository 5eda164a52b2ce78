// Operands that hold sizes, positions and axes: checks on them, and what inference makes of their contents.
#pragma once

#include <optional>
#include <string_view>

#include "hone/op.h"

namespace hone {

// Operand i is a list: rank 1, of int64 (or int32, where `allow_int32`). `what` is its name in messages.
Status expect_int_list(const InferContext& ctx, size_t i, std::string_view what, bool allow_int32 = false);

// How many elements the list in operand i has, where that is known.
std::optional<size_t> list_length(const InferContext& ctx, size_t i);

// Like ctx.elements(), of a list whose length is known: nothing if the contents aren't, so that the caller has the
// length to make so many dimensions that are told later.
struct IntList {
  size_t length = 0;
  std::optional<std::vector<Dim>> elements;

  // Element k, if it is a number.
  std::optional<int64_t> number(size_t k) const { return elements ? (*elements)[k].as_const() : std::nullopt; }
};
// kUnsupported if the length isn't known. More than `most` elements are refused.
Result<IntList> read_int_list(InferContext& ctx, size_t i, std::string_view what, size_t most);

// Element k of a list as the size of axis k: itself where it can't be negative, told later otherwise (also for a
// number below 0 that the caller didn't refuse).
Dim size_from(InferContext& ctx, const IntList& list, size_t k, std::string_view hint);

// An error that names operand, element and value.
Status bad_element(std::string_view what, size_t k, int64_t value, std::string_view allowed);

// Both are equal: required of the model. Returns the one that says more.
Result<Dim> unify(InferContext& ctx, const Dim& a, const Dim& b, std::string_view what);

// Axes made nonnegative; refuses those outside of the rank and repeated ones.
Result<Ints> normalize_axes(const Ints& axes, size_t rank);

// Passes the contents of operand 0 on as output 0's, which has the same elements in the same order.
void pass_elements(InferContext& ctx);

}  // namespace hone
