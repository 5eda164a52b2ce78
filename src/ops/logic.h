// Elementwise operators that compare, select, combine bools and work on bits.
#pragma once

#include "ops/elementwise.h"

namespace hone {

// Comparisons: bool results; every comparison with NaN is false.
template <class T, TypeSet Types = kNumberTypes>
using ComparisonOp = BinaryOp<T, Types, DataType::kBool>;

struct Equal final : ComparisonOp<Equal, kComputableTypes> {
  static constexpr const char* kName = "Equal";
  static std::optional<Dim> follow(const Dim& a, const Dim& b);
};
struct Less final : ComparisonOp<Less> {
  static constexpr const char* kName = "Less";
  static std::optional<Dim> follow(const Dim& a, const Dim& b);
};
struct LessOrEqual final : ComparisonOp<LessOrEqual> {
  static constexpr const char* kName = "LessOrEqual";
  static std::optional<Dim> follow(const Dim& a, const Dim& b);
};
struct Greater final : ComparisonOp<Greater> {
  static constexpr const char* kName = "Greater";
  static std::optional<Dim> follow(const Dim& a, const Dim& b) { return Less::follow(b, a); }
};
struct GreaterOrEqual final : ComparisonOp<GreaterOrEqual> {
  static constexpr const char* kName = "GreaterOrEqual";
  static std::optional<Dim> follow(const Dim& a, const Dim& b) { return LessOrEqual::follow(b, a); }
};

struct And final : BinaryOp<And, kBoolType> {
  static constexpr const char* kName = "And";
  static std::optional<Dim> follow(const Dim& a, const Dim& b) { return a * b; }
};
struct Or final : BinaryOp<Or, kBoolType> {
  static constexpr const char* kName = "Or";
  static std::optional<Dim> follow(const Dim& a, const Dim& b) { return max(a, b); }
};
struct Xor final : BinaryOp<Xor, kBoolType> {
  static constexpr const char* kName = "Xor";
  static std::optional<Dim> follow(const Dim& a, const Dim& b) { return a + b - Dim(2) * a * b; }
};
struct Not final : UnaryOp<Not, kBoolType> {
  static constexpr const char* kName = "Not";
  static std::optional<Dim> follow(const Dim& a) { return Dim(1) - a; }
};

struct IsNaN final : OpBase<IsNaN> {
  static constexpr const char* kName = "IsNaN";
  Status infer(InferContext& ctx) const override { return infer_unary(ctx, kFloatTypes, DataType::kBool); }
};
struct IsInf final : OpBase<IsInf> {
  static constexpr const char* kName = "IsInf";
  bool detect_negative = true, detect_positive = true;
  static void attributes(auto& self, auto& v) {
    v("detect_negative", self.detect_negative);
    v("detect_positive", self.detect_positive);
  }
  Status infer(InferContext& ctx) const override { return infer_unary(ctx, kFloatTypes, DataType::kBool); }
};

// condition ? x : y; all three broadcast.
struct Where final : OpBase<Where> {
  static constexpr const char* kName = "Where";
  Status infer(InferContext& ctx) const override;
};

struct BitwiseAnd final : BinaryOp<BitwiseAnd, kIntTypes> {
  static constexpr const char* kName = "BitwiseAnd";
};
struct BitwiseOr final : BinaryOp<BitwiseOr, kIntTypes> {
  static constexpr const char* kName = "BitwiseOr";
};
struct BitwiseXor final : BinaryOp<BitwiseXor, kIntTypes> {
  static constexpr const char* kName = "BitwiseXor";
};
struct BitwiseNot final : UnaryOp<BitwiseNot, kIntTypes> {
  static constexpr const char* kName = "BitwiseNot";
};

enum class ShiftDirection : uint8_t { kLeft, kRight };

template <>
struct EnumNames<ShiftDirection> {
  static constexpr std::pair<std::string_view, ShiftDirection> kNames[] = {{"LEFT", ShiftDirection::kLeft},
                                                                           {"RIGHT", ShiftDirection::kRight}};
};

// Zeros move in; a shift by the type's width or more gives 0.
struct BitShift final : BinaryOp<BitShift, kUnsignedIntTypes> {
  static constexpr const char* kName = "BitShift";
  std::optional<ShiftDirection> direction;  // must be given
  static void attributes(auto& self, auto& v) { v("direction", self.direction); }
  Status check() const;
};

}  // namespace hone
