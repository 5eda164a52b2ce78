// Operators that compute each output element from the operands' elements in its place: the bases that give them
// type inference, and arithmetic. The functions of one operand are in activation.h, what compares, selects and
// works on bits in logic.h, conversions in cast.h.
#pragma once

#include <functional>

#include "hone/op.h"
#include "ops/type_set.h"

namespace hone {

// One operand of an allowed type, one output of its shape; the output's type is the operand's, or `result`.
Status infer_unary(InferContext& ctx, TypeSet allowed, DataType result = DataType::kUndefined);
// Operands of one allowed type, at least `min` and at most `max`; their shapes broadcast to the output's.
Status infer_broadcast(InferContext& ctx, TypeSet allowed, size_t min, size_t max,
                       DataType result = DataType::kUndefined);

// Follows shape arithmetic through an operator of two operands (and of one): sets output 0's elements where the
// operands' are known and `f` can tell all results (bools as 0 and 1) and they fit the output's type.
using FollowBinary = std::optional<Dim> (*)(const Dim& a, const Dim& b);
using FollowUnary = std::optional<Dim> (*)(const Dim& a);
void follow_binary(InferContext& ctx, FollowBinary f);
void follow_unary(InferContext& ctx, FollowUnary f);
// Sets output 0's elements, if each can be held by output 0's type.
void set_fitting_elements(InferContext& ctx, std::vector<Dim> elements);

// Bases: `T::kName` and attributes make an operator of them. A T may define
//   static std::optional<Dim> follow(const Dim&...)
// to pass shape arithmetic on.
template <class T, TypeSet Types = kFloatTypes>
struct UnaryOp : OpBase<T> {
  Status infer(InferContext& ctx) const override {
    HONE_TRY(infer_unary(ctx, Types));
    if constexpr (requires { &T::follow; }) follow_unary(ctx, T::follow);
    return {};
  }
};

template <class T, TypeSet Types = kNumberTypes, DataType Result = DataType::kUndefined>
struct BinaryOp : OpBase<T> {
  Status infer(InferContext& ctx) const override {
    HONE_TRY(infer_broadcast(ctx, Types, 2, 2, Result));
    if constexpr (requires { &T::follow; }) follow_binary(ctx, T::follow);
    return {};
  }
};

// One operand or more.
template <class T, TypeSet Types>
struct VariadicOp : OpBase<T> {
  Status infer(InferContext& ctx) const override {
    HONE_TRY(infer_broadcast(ctx, Types, 1, SIZE_MAX));
    if constexpr (requires { &T::follow; }) follow_binary(ctx, T::follow);
    return {};
  }
};

// Arithmetic. Integers wrap; a division by zero of integers gives 0.
struct Add final : BinaryOp<Add> {
  static constexpr const char* kName = "Add";
  static std::optional<Dim> follow(const Dim& a, const Dim& b) { return a + b; }
};
struct Sub final : BinaryOp<Sub> {
  static constexpr const char* kName = "Sub";
  static std::optional<Dim> follow(const Dim& a, const Dim& b) { return a - b; }
};
struct Mul final : BinaryOp<Mul> {
  static constexpr const char* kName = "Mul";
  static std::optional<Dim> follow(const Dim& a, const Dim& b) { return a * b; }
};
// Integers truncate towards zero.
struct Div final : BinaryOp<Div> {
  static constexpr const char* kName = "Div";
  static std::optional<Dim> follow(const Dim& a, const Dim& b);
};

// The remainder with the divisor's sign; for fmod, with the dividend's.
struct Mod final : OpBase<Mod> {
  static constexpr const char* kName = "Mod";
  bool fmod = false;  // floating types ask for true
  static void attributes(auto& self, auto& v) { v("fmod", self.fmod); }
  Status infer(InferContext& ctx) const override;
};

// The exponent may be of another type than the base, whose type the output has. A negative exponent of an integer
// base truncates: 0 unless the base is 1 or -1.
struct Pow final : OpBase<Pow> {
  static constexpr const char* kName = "Pow";
  Status infer(InferContext& ctx) const override;
};

struct Min final : VariadicOp<Min, kNumberTypes> {
  static constexpr const char* kName = "Min";
  static std::optional<Dim> follow(const Dim& a, const Dim& b) { return min(a, b); }
};
struct Max final : VariadicOp<Max, kNumberTypes> {
  static constexpr const char* kName = "Max";
  static std::optional<Dim> follow(const Dim& a, const Dim& b) { return max(a, b); }
};
struct Sum final : VariadicOp<Sum, kFloatTypes> {
  static constexpr const char* kName = "Sum";
};
struct Mean final : VariadicOp<Mean, kFloatTypes> {
  static constexpr const char* kName = "Mean";
};

struct Neg final : UnaryOp<Neg, kSignedTypes> {
  static constexpr const char* kName = "Neg";
  static std::optional<Dim> follow(const Dim& a) { return Dim(0) - a; }
};
struct Abs final : UnaryOp<Abs, kNumberTypes> {
  static constexpr const char* kName = "Abs";
  static std::optional<Dim> follow(const Dim& a) { return a.nonnegative() ? a : max(a, Dim(0) - a); }
};
struct Sign final : UnaryOp<Sign, kNumberTypes> {
  static constexpr const char* kName = "Sign";
};

// min(max, max(input, min)); operands 1 (min) and 2 (max) are optional scalars of the input's type.
struct Clip final : OpBase<Clip> {
  static constexpr const char* kName = "Clip";
  Status infer(InferContext& ctx) const override;
};

// x where x >= 0, slope * x elsewhere; the slope's shape broadcasts to x's.
struct PRelu final : OpBase<PRelu> {
  static constexpr const char* kName = "PRelu";
  Status infer(InferContext& ctx) const override;
};

struct Identity final : UnaryOp<Identity, kComputableTypes> {
  static constexpr const char* kName = "Identity";
  static std::optional<Dim> follow(const Dim& a) { return a; }
};

// Inference only: passes operand 0 on and gives a mask that is all true. Operands 1 (ratio) and 2 (training_mode) are
// optional; training with a ratio other than 0 is refused, by infer() where that is known and else by kernels.
struct Dropout final : OpBase<Dropout> {
  static constexpr const char* kName = "Dropout";
  std::optional<int64_t> seed;
  static void attributes(auto& self, auto& v) { v("seed", self.seed); }
  Status infer(InferContext& ctx) const override;
};
// What both say.
Status refuse_training();

}  // namespace hone
