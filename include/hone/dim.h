// Dimensions: 64-bit numbers, or expressions over symbols that become numbers when shapes are set or counted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hone/types.h"

namespace hone {

using SymbolId = uint32_t;
struct DimExpr;

// An immutable integer expression: constants, symbols, +, -, x, floor and ceiling division, mod, min, max and
// broadcast(a, b) = (a == 1 ? b : a). Sums and products are kept in polynomial normal form, so that two
// expressions that differ only in writing compare equal. Arithmetic that overflows 64 bits on constants, and
// expressions of more than some thousand parts, give an invalid dimension, which infects what is computed from it.
// Cheap to copy; threads may share it.
class Dim {
 public:
  Dim(int64_t value = 0) : value_(value) {}
  static Dim invalid();
  // `nonnegative`: whether the symbol's value is known to be >= 0 (sizes and counts are, run-time values aren't).
  static Dim symbol(SymbolId id, bool nonnegative);

  bool is_const() const { return expr_ == nullptr; }
  bool is_invalid() const;
  // The number; only when is_const().
  int64_t value() const { return value_; }
  std::optional<int64_t> as_const() const { return is_const() ? std::optional(value_) : std::nullopt; }
  // Null for constants. For printing and saving.
  const DimExpr* expr() const { return expr_.get(); }

  // True when the value is provably >= 0.
  bool nonnegative() const;

  // The value with symbols[id] for each symbol; nothing on overflow, division by zero, an unknown symbol
  // (outside the span, or kUnbound). Doesn't allocate.
  std::optional<int64_t> eval(std::span<const int64_t> symbols) const;
  static constexpr int64_t kUnbound = INT64_MIN;

  // The expression with each symbol replaced by what `replacement` returns for it (nothing: left alone).
  Dim substitute(const std::function<std::optional<Dim>(SymbolId)>& replacement) const;
  // Calls `visit` for each symbol, repeats included.
  void visit_symbols(const std::function<void(SymbolId)>& visit) const;

  // Infix text with symbols named by `name`: "2*N + 1", "floordiv(N + 1, 2)", "max(N, M)".
  std::string to_string(const std::function<std::string(SymbolId)>& name) const;

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  friend bool operator==(const Dim& a, const Dim& b) { return compare(a, b) == 0; }
  // A total order without meaning of its own, for sorting and maps.
  static int compare(const Dim& a, const Dim& b);

 private:
  friend Dim make_dim_expr(DimExpr expr);
  int64_t value_ = 0;
  std::shared_ptr<const DimExpr> expr_;
};

// Rounds towards minus infinity, and towards plus infinity. Division by the constant 0 is invalid.
Dim floor_div(const Dim& a, const Dim& b);
Dim ceil_div(const Dim& a, const Dim& b);
// a - b * floor(a / b).
Dim mod(const Dim& a, const Dim& b);
Dim min(const Dim& a, const Dim& b);
Dim max(const Dim& a, const Dim& b);
// What ONNX's broadcasting makes of two dimensions that are equal, or of which one is 1.
Dim broadcast(const Dim& a, const Dim& b);

// A node of an expression. kSum: args are kProduct or atoms, plus `value`; kProduct: `value` times the args (atoms).
struct DimExpr {
  enum class Kind : uint8_t { kInvalid, kSymbol, kSum, kProduct, kFloorDiv, kCeilDiv, kMod, kMin, kMax, kBroadcast };
  Kind kind = Kind::kInvalid;
  bool nonnegative = false;  // kSymbol
  SymbolId symbol = 0;       // kSymbol
  int64_t value = 0;         // kSum: the constant term; kProduct: the coefficient
  std::vector<Dim> args;
  // Set by make_dim_expr: how many expressions there are in it, itself and repeats counted, and how deep they nest.
  uint32_t size = 1, depth = 1;
};
// For readers of saved expressions: rebuilds through the arithmetic above, so that the normal form holds whatever
// the file says. Fails (invalid) on a wrong number of args.
Dim rebuild_dim(const DimExpr& expr);

using Shape = std::vector<Dim>;

// The product of all dimensions (1 for a scalar).
Dim element_count(std::span<const Dim> shape);
bool is_const(std::span<const Dim> shape);

// What inference knows of a tensor.
struct TensorType {
  DataType dtype = DataType::kUndefined;
  Shape shape;
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

// A value is a tensor, a sequence or an optional of tensors; no operator makes the latter two yet.
struct ValueType {
  enum class Kind : uint8_t { kTensor, kSequence, kOptional };
  Kind kind = Kind::kTensor;
  TensorType tensor;  // of the elements, for sequences and optionals
};

}  // namespace hone
