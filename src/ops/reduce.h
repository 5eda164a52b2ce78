// Reductions over axes, and the position of the largest and smallest element.
#pragma once

#include "hone/op.h"

namespace hone {

// Operands: data, and optionally axes (int64). Without axes, or with an empty list of them, all axes are reduced, or
// with noop_with_empty_axes none (what isn't the reduction itself still happens: ReduceLogSum takes logarithms).
// An empty set gives what the operator's neutral element gives: 0 for sums, 1 for products, -inf or the least value
// for ReduceMax; a mean of nothing is NaN, or 0 for integers. Integer sums wrap; other integer results truncate.
struct ReduceAttributes {
  bool keepdims = true;
  bool noop_with_empty_axes = false;
  static void attributes(auto& self, auto& v) {
    v("keepdims", self.keepdims);
    v("noop_with_empty_axes", self.noop_with_empty_axes);
  }
};

// Which element types a reduction takes: the 32- and 64-bit integers and all floats, or int8, uint8 and bool as well.
enum class ReduceTypes : uint8_t { kWide, kOrdered };

// How a reduction of followed elements (shape arithmetic) is computed; null: it isn't.
using FollowReduction = Dim (*)(std::span<const Dim> elements);
Status infer_reduce(InferContext& ctx, const ReduceAttributes& attributes, ReduceTypes types, FollowReduction follow);

Dim follow_sum(std::span<const Dim> elements);
Dim follow_prod(std::span<const Dim> elements);
Dim follow_max(std::span<const Dim> elements);
Dim follow_min(std::span<const Dim> elements);

template <class T, ReduceTypes kTypes = ReduceTypes::kWide, FollowReduction kFollow = nullptr>
struct ReduceOp : OpBase<T>, ReduceAttributes {
  using ReduceAttributes::attributes;
  Status infer(InferContext& ctx) const override { return infer_reduce(ctx, *this, kTypes, kFollow); }
};

struct ReduceSum final : ReduceOp<ReduceSum, ReduceTypes::kWide, follow_sum> {
  static constexpr const char* kName = "ReduceSum";
};
struct ReduceMean final : ReduceOp<ReduceMean> {
  static constexpr const char* kName = "ReduceMean";
};
struct ReduceProd final : ReduceOp<ReduceProd, ReduceTypes::kWide, follow_prod> {
  static constexpr const char* kName = "ReduceProd";
};
struct ReduceMax final : ReduceOp<ReduceMax, ReduceTypes::kOrdered, follow_max> {
  static constexpr const char* kName = "ReduceMax";
};
struct ReduceMin final : ReduceOp<ReduceMin, ReduceTypes::kOrdered, follow_min> {
  static constexpr const char* kName = "ReduceMin";
};
struct ReduceL1 final : ReduceOp<ReduceL1> {
  static constexpr const char* kName = "ReduceL1";
};
struct ReduceL2 final : ReduceOp<ReduceL2> {
  static constexpr const char* kName = "ReduceL2";
};
struct ReduceLogSum final : ReduceOp<ReduceLogSum> {
  static constexpr const char* kName = "ReduceLogSum";
};
struct ReduceLogSumExp final : ReduceOp<ReduceLogSumExp> {
  static constexpr const char* kName = "ReduceLogSumExp";
};
struct ReduceSumSquare final : ReduceOp<ReduceSumSquare> {
  static constexpr const char* kName = "ReduceSumSquare";
};

// The position along `axis` as int64: of the first such element, or of the last with select_last_index. A NaN counts
// as larger (ArgMin: smaller) than every number, as in NumPy. The axis may not be empty.
struct ArgAttributes {
  int64_t axis = 0;
  bool keepdims = true;
  bool select_last_index = false;
  static void attributes(auto& self, auto& v) {
    v("axis", self.axis);
    v("keepdims", self.keepdims);
    v("select_last_index", self.select_last_index);
  }
};
Status infer_arg(InferContext& ctx, const ArgAttributes& attributes);

struct ArgMax final : OpBase<ArgMax>, ArgAttributes {
  using ArgAttributes::attributes;
  static constexpr const char* kName = "ArgMax";
  Status infer(InferContext& ctx) const override { return infer_arg(ctx, *this); }
};
struct ArgMin final : OpBase<ArgMin>, ArgAttributes {
  using ArgAttributes::attributes;
  static constexpr const char* kName = "ArgMin";
  Status infer(InferContext& ctx) const override { return infer_arg(ctx, *this); }
};

// The set bits are the axes (negative ones count from the end). Errors: outside the rank, twice the same.
Result<uint32_t> axis_mask(std::span<const int64_t> axes, size_t rank);

// The axes that a reduction of a rank-`rank` operand works on.
Result<uint32_t> reduced_axes(const ReduceAttributes& attributes, std::span<const int64_t> axes, size_t rank);

}  // namespace hone
