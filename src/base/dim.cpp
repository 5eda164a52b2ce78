#include "hone/dim.h"

#include <algorithm>
#include <map>
#include <string>

namespace hone {

namespace {

using Kind = DimExpr::Kind;
using Atoms = std::vector<Dim>;  // sorted factors of one term

struct AtomsLess {
  bool operator()(const Atoms& a, const Atoms& b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [](const Dim& x, const Dim& y) { return Dim::compare(x, y) < 0; });
  }
};

// Sum of coefficient x product of atoms; the empty product holds the constant term.
using Polynomial = std::map<Atoms, int64_t, AtomsLess>;

// Expressions that grow past these are refused rather than slow. The size bounds the text too, which repeats what an
// expression shares; the depth bounds recursion.
constexpr size_t kMaxTerms = 256;
constexpr uint32_t kMaxSize = 4096;
constexpr uint32_t kMaxDepth = 192;

bool checked_add(int64_t a, int64_t b, int64_t& out) { return !__builtin_add_overflow(a, b, &out); }
bool checked_mul(int64_t a, int64_t b, int64_t& out) { return !__builtin_mul_overflow(a, b, &out); }

int64_t floor_div_int(int64_t a, int64_t b) { return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0); }

// Overflow of INT64_MIN / -1 is the one case where division has no result.
bool divisible_pair(int64_t a, int64_t b) { return b != 0 && !(a == INT64_MIN && b == -1); }

bool accumulate(Polynomial& poly, const Atoms& atoms, int64_t coefficient) {
  auto [it, inserted] = poly.try_emplace(atoms, coefficient);
  if (!inserted && !checked_add(it->second, coefficient, it->second)) return false;
  if (it->second == 0) poly.erase(it);
  return poly.size() <= kMaxTerms;
}

Polynomial to_polynomial(const Dim& dim) {
  Polynomial poly;
  if (dim.is_const()) {
    if (dim.value() != 0) poly[{}] = dim.value();
    return poly;
  }
  const DimExpr& expr = *dim.expr();
  if (expr.kind == Kind::kProduct) {
    poly[expr.args] = expr.value;
  } else if (expr.kind == Kind::kSum) {
    if (expr.value != 0) poly[{}] = expr.value;
    for (const Dim& term : expr.args) {
      const bool product = term.expr()->kind == Kind::kProduct;
      poly[product ? term.expr()->args : Atoms{term}] = product ? term.expr()->value : 1;
    }
  } else {
    poly[{dim}] = 1;
  }
  return poly;
}

}  // namespace

Dim make_dim_expr(DimExpr expr) {
  expr.size = expr.depth = 1;
  for (const Dim& arg : expr.args) {
    if (arg.is_invalid()) return Dim::invalid();
    expr.size += arg.is_const() ? 1 : arg.expr()->size;
    expr.depth = std::max(expr.depth, 1 + (arg.is_const() ? 1 : arg.expr()->depth));
    if (expr.size > kMaxSize || expr.depth > kMaxDepth) return Dim::invalid();
  }
  Dim dim;
  dim.expr_ = std::make_shared<const DimExpr>(std::move(expr));
  return dim;
}

namespace {

Dim term_of(const Atoms& atoms, int64_t coefficient) {
  if (atoms.size() == 1 && coefficient == 1) return atoms[0];
  return make_dim_expr({.kind = Kind::kProduct, .value = coefficient, .args = atoms});
}

Dim from_polynomial(const Polynomial& poly) {
  int64_t constant = 0;
  std::vector<Dim> terms;
  for (const auto& [atoms, coefficient] : poly) {
    if (atoms.empty()) {
      constant = coefficient;
    } else {
      terms.push_back(term_of(atoms, coefficient));
    }
  }
  if (terms.empty()) return constant;
  if (terms.size() == 1 && constant == 0) return terms[0];
  return make_dim_expr({.kind = Kind::kSum, .value = constant, .args = std::move(terms)});
}

Dim binary(Kind kind, const Dim& a, const Dim& b) { return make_dim_expr({.kind = kind, .args = {a, b}}); }

// a / b when every term of a is a multiple of b (b a constant or a single term).
std::optional<Dim> exact_quotient(const Dim& a, const Dim& b) {
  const Polynomial divisor = to_polynomial(b);
  if (divisor.size() != 1) return std::nullopt;
  const auto& [factors, scale] = *divisor.begin();
  Polynomial quotient;
  for (const auto& [atoms, coefficient] : to_polynomial(a)) {
    if (!divisible_pair(coefficient, scale) || coefficient % scale != 0) return std::nullopt;
    Atoms rest = atoms;
    for (const Dim& factor : factors) {
      auto it = std::find(rest.begin(), rest.end(), factor);
      if (it == rest.end()) return std::nullopt;
      rest.erase(it);
    }
    quotient[rest] = coefficient / scale;
  }
  return from_polynomial(quotient);
}

bool any_invalid(const Dim& a, const Dim& b) { return a.is_invalid() || b.is_invalid(); }

// Dividing by an expression cancels only when it can't be zero; sizes may be, so only constants cancel.
bool cancels(const Dim& b) { return b.is_const() && b.value() != 0; }

}  // namespace

Dim Dim::invalid() { return make_dim_expr({.kind = Kind::kInvalid}); }

Dim Dim::symbol(SymbolId id, bool nonnegative) {
  return make_dim_expr({.kind = Kind::kSymbol, .nonnegative = nonnegative, .symbol = id});
}

bool Dim::is_invalid() const { return expr_ && expr_->kind == Kind::kInvalid; }

namespace {

// The sign as far as the form of the expression tells it; `is_nonnegative` judges its parts.
template <class F>
bool form_is_nonnegative(const Dim& dim, F&& is_nonnegative) {
  if (dim.is_const()) return dim.value() >= 0;
  const DimExpr& e = *dim.expr();
  switch (e.kind) {
    case Kind::kSymbol: return e.nonnegative;
    case Kind::kSum:
    case Kind::kProduct: return e.value >= 0 && std::all_of(e.args.begin(), e.args.end(), is_nonnegative);
    case Kind::kFloorDiv:
    case Kind::kCeilDiv:
    case Kind::kMin:
    case Kind::kBroadcast: return std::all_of(e.args.begin(), e.args.end(), is_nonnegative);
    case Kind::kMod: return is_nonnegative(e.args[1]);
    case Kind::kMax: return is_nonnegative(e.args[0]) || is_nonnegative(e.args[1]);
    case Kind::kInvalid: return false;
  }
  return false;
}

bool plainly_nonnegative(const Dim& dim) { return form_is_nonnegative(dim, plainly_nonnegative); }

// What `atom` is never above.
std::vector<Dim> upper_bounds(const Dim& atom) {
  const DimExpr& e = *atom.expr();
  if (e.kind == Kind::kMin) return e.args;
  // Divisors aren't 0 where the expression has a value.
  const bool quotient = e.kind == Kind::kFloorDiv || e.kind == Kind::kCeilDiv;
  if (quotient && plainly_nonnegative(e.args[0]) && plainly_nonnegative(e.args[1])) return {e.args[0]};
  if (e.kind == Kind::kMod && plainly_nonnegative(e.args[1])) return {e.args[1] - 1};
  return {};
}

// What `atom` is never below.
std::vector<Dim> lower_bounds(const Dim& atom) {
  return atom.expr()->kind == Kind::kMax ? atom.expr()->args : std::vector<Dim>();
}

// Small expressions only, and few steps: this runs in every min and max.
constexpr uint32_t kMaxProvenSize = 64;
constexpr int kProofSteps = 3;

// Whether a sum is >= 0 because it stays so when minima, maxima, quotients and remainders in it are replaced by bounds:
// n - floordiv(n, 3), 4 - mod(n, 4).
bool proves_nonnegative(const Dim& sum, int steps) {
  if (plainly_nonnegative(sum)) return true;
  if (steps == 0 || sum.is_const() || sum.expr()->kind != Kind::kSum || sum.expr()->size > kMaxProvenSize) return false;
  for (const Dim& term : sum.expr()->args) {
    const bool product = term.expr()->kind == Kind::kProduct;
    const int64_t coefficient = product ? term.expr()->value : 1;
    const Atoms atoms = product ? term.expr()->args : Atoms{term};
    for (size_t i = 0; i < atoms.size(); ++i) {
      const std::vector<Dim> bounds = coefficient > 0 ? lower_bounds(atoms[i]) : upper_bounds(atoms[i]);
      if (bounds.empty()) continue;
      Dim others = coefficient;
      bool signs_known = true;
      for (size_t k = 0; k < atoms.size(); ++k) {
        if (k == i) continue;
        others = others * atoms[k];
        signs_known = signs_known && plainly_nonnegative(atoms[k]);
      }
      // The remaining terms get their turn in the next step.
      return signs_known && std::any_of(bounds.begin(), bounds.end(), [&](const Dim& bound) {
               return proves_nonnegative(sum - term + others * bound, steps - 1);
             });
    }
  }
  return false;
}

}  // namespace

bool Dim::nonnegative() const {
  const auto part_is_nonnegative = [](const Dim& part) { return part.nonnegative(); };
  if (form_is_nonnegative(*this, part_is_nonnegative)) return true;
  return !is_const() && expr_->kind == Kind::kSum && proves_nonnegative(*this, kProofSteps);
}

std::optional<int64_t> Dim::eval(std::span<const int64_t> symbols) const {
  if (is_const()) return value_;
  const DimExpr& e = *expr_;
  if (e.kind == Kind::kInvalid) return std::nullopt;
  if (e.kind == Kind::kSymbol) {
    if (e.symbol >= symbols.size() || symbols[e.symbol] == kUnbound) return std::nullopt;
    return symbols[e.symbol];
  }
  if (e.kind == Kind::kSum || e.kind == Kind::kProduct) {
    int64_t total = e.value;
    for (const Dim& arg : e.args) {
      const std::optional<int64_t> x = arg.eval(symbols);
      if (!x) return std::nullopt;
      if (!(e.kind == Kind::kSum ? checked_add(total, *x, total) : checked_mul(total, *x, total))) return std::nullopt;
    }
    return total;
  }
  const std::optional<int64_t> a = e.args[0].eval(symbols), b = e.args[1].eval(symbols);
  if (!a || !b) return std::nullopt;
  switch (e.kind) {
    case Kind::kFloorDiv: return divisible_pair(*a, *b) ? std::optional(floor_div_int(*a, *b)) : std::nullopt;
    case Kind::kCeilDiv:
      if (!divisible_pair(*a, *b)) return std::nullopt;
      return floor_div_int(*a, *b) + (*a % *b != 0 ? 1 : 0);
    case Kind::kMod:
      if (!divisible_pair(*a, *b)) return std::nullopt;
      return *a - *b * floor_div_int(*a, *b);
    case Kind::kMin: return std::min(*a, *b);
    case Kind::kMax: return std::max(*a, *b);
    case Kind::kBroadcast: return *a == 1 ? *b : *a;
    default: return std::nullopt;
  }
}

Dim Dim::substitute(const std::function<std::optional<Dim>(SymbolId)>& replacement) const {
  if (is_const()) return *this;
  if (expr_->kind == Kind::kSymbol) return replacement(expr_->symbol).value_or(*this);
  DimExpr copy = *expr_;
  for (Dim& arg : copy.args) arg = arg.substitute(replacement);
  return rebuild_dim(copy);
}

void Dim::visit_symbols(const std::function<void(SymbolId)>& visit) const {
  if (is_const()) return;
  if (expr_->kind == Kind::kSymbol) visit(expr_->symbol);
  for (const Dim& arg : expr_->args) arg.visit_symbols(visit);
}

namespace {

// "a - b" rather than "a + -b", except for the number that has no positive counterpart.
void append_term(std::string& sum, const std::string& term) {
  if (sum.empty()) {
    sum = term;
  } else if (term[0] == '-' && !term.starts_with(std::to_string(INT64_MIN))) {
    sum += " - " + term.substr(1);
  } else {
    sum += " + " + term;
  }
}

}  // namespace

std::string Dim::to_string(const std::function<std::string(SymbolId)>& name) const {
  if (is_const()) return std::to_string(value_);
  const DimExpr& e = *expr_;
  const auto call = [&](const char* function) {
    return std::string(function) + "(" + e.args[0].to_string(name) + ", " + e.args[1].to_string(name) + ")";
  };
  switch (e.kind) {
    case Kind::kInvalid: return "invalid";
    case Kind::kSymbol: return name(e.symbol);
    case Kind::kSum: {
      std::string text;
      for (const Dim& term : e.args) append_term(text, term.to_string(name));
      if (e.value != 0) append_term(text, std::to_string(e.value));
      return text;
    }
    case Kind::kProduct: {
      std::string text = e.value == 1 ? "" : e.value == -1 ? "-" : std::to_string(e.value) + "*";
      for (size_t i = 0; i < e.args.size(); ++i) text += (i ? "*" : "") + e.args[i].to_string(name);
      return text;
    }
    case Kind::kFloorDiv: return call("floordiv");
    case Kind::kCeilDiv: return call("ceildiv");
    case Kind::kMod: return call("mod");
    case Kind::kMin: return call("min");
    case Kind::kMax: return call("max");
    case Kind::kBroadcast: return call("broadcast");
  }
  return "invalid";
}

int Dim::compare(const Dim& a, const Dim& b) {
  if (a.expr_ == b.expr_) return a.value_ < b.value_ ? -1 : a.value_ > b.value_;
  if (a.is_const() != b.is_const()) return a.is_const() ? -1 : 1;
  const DimExpr &x = *a.expr_, &y = *b.expr_;
  if (x.kind != y.kind) return x.kind < y.kind ? -1 : 1;
  if (x.symbol != y.symbol) return x.symbol < y.symbol ? -1 : 1;
  if (x.value != y.value) return x.value < y.value ? -1 : 1;
  if (x.args.size() != y.args.size()) return x.args.size() < y.args.size() ? -1 : 1;
  for (size_t i = 0; i < x.args.size(); ++i) {
    if (const int order = compare(x.args[i], y.args[i]); order != 0) return order;
  }
  return 0;
}

Dim operator+(const Dim& a, const Dim& b) {
  if (any_invalid(a, b)) return Dim::invalid();
  if (a.is_const() && b.is_const()) {
    int64_t sum = 0;
    return checked_add(a.value(), b.value(), sum) ? Dim(sum) : Dim::invalid();
  }
  Polynomial poly = to_polynomial(a);
  for (const auto& [atoms, coefficient] : to_polynomial(b)) {
    if (!accumulate(poly, atoms, coefficient)) return Dim::invalid();
  }
  return from_polynomial(poly);
}

Dim operator-(const Dim& a, const Dim& b) { return a + b * Dim(-1); }

Dim operator*(const Dim& a, const Dim& b) {
  if (any_invalid(a, b)) return Dim::invalid();
  if (a.is_const() && b.is_const()) {
    int64_t product = 0;
    return checked_mul(a.value(), b.value(), product) ? Dim(product) : Dim::invalid();
  }
  Polynomial poly;
  const Polynomial right = to_polynomial(b);
  for (const auto& [left_atoms, left] : to_polynomial(a)) {
    for (const auto& [right_atoms, right_coefficient] : right) {
      int64_t coefficient = 0;
      if (!checked_mul(left, right_coefficient, coefficient)) return Dim::invalid();
      Atoms atoms;
      std::merge(left_atoms.begin(), left_atoms.end(), right_atoms.begin(), right_atoms.end(),
                 std::back_inserter(atoms), [](const Dim& x, const Dim& y) { return Dim::compare(x, y) < 0; });
      if (atoms.size() > kMaxTerms || !accumulate(poly, atoms, coefficient)) return Dim::invalid();
    }
  }
  return from_polynomial(poly);
}

Dim floor_div(const Dim& a, const Dim& b) {
  if (any_invalid(a, b) || b == Dim(0)) return Dim::invalid();
  if (a.is_const() && b.is_const()) {
    return divisible_pair(a.value(), b.value()) ? Dim(floor_div_int(a.value(), b.value())) : Dim::invalid();
  }
  if (cancels(b)) {
    if (std::optional<Dim> quotient = exact_quotient(a, b)) return *quotient;
  }
  return binary(Kind::kFloorDiv, a, b);
}

Dim ceil_div(const Dim& a, const Dim& b) {
  if (any_invalid(a, b) || b == Dim(0)) return Dim::invalid();
  if (a.is_const() && b.is_const()) {
    if (!divisible_pair(a.value(), b.value())) return Dim::invalid();
    return floor_div_int(a.value(), b.value()) + (a.value() % b.value() != 0 ? 1 : 0);
  }
  if (cancels(b)) {
    if (std::optional<Dim> quotient = exact_quotient(a, b)) return *quotient;
  }
  return binary(Kind::kCeilDiv, a, b);
}

Dim mod(const Dim& a, const Dim& b) {
  if (any_invalid(a, b) || b == Dim(0)) return Dim::invalid();
  if (a.is_const() && b.is_const()) {
    return divisible_pair(a.value(), b.value()) ? a - b * floor_div(a, b) : Dim(0);
  }
  if (cancels(b) && exact_quotient(a, b)) return 0;
  return binary(Kind::kMod, a, b);
}

Dim min(const Dim& a, const Dim& b) {
  if (any_invalid(a, b)) return Dim::invalid();
  if (a.is_const() && b.is_const()) return std::min(a.value(), b.value());
  const Dim difference = a - b;
  if (difference.nonnegative()) return b;
  if ((b - a).nonnegative()) return a;
  return Dim::compare(a, b) < 0 ? binary(Kind::kMin, a, b) : binary(Kind::kMin, b, a);
}

Dim max(const Dim& a, const Dim& b) {
  if (any_invalid(a, b)) return Dim::invalid();
  if (a.is_const() && b.is_const()) return std::max(a.value(), b.value());
  if ((a - b).nonnegative()) return a;
  if ((b - a).nonnegative()) return b;
  return Dim::compare(a, b) < 0 ? binary(Kind::kMax, a, b) : binary(Kind::kMax, b, a);
}

Dim broadcast(const Dim& a, const Dim& b) {
  if (any_invalid(a, b)) return Dim::invalid();
  if (a == b || b == Dim(1)) return a;
  if (a == Dim(1)) return b;
  if (a.is_const()) return a;
  if (b.is_const()) return b;
  return Dim::compare(a, b) < 0 ? binary(Kind::kBroadcast, a, b) : binary(Kind::kBroadcast, b, a);
}

Dim rebuild_dim(const DimExpr& e) {
  switch (e.kind) {
    case Kind::kInvalid: return Dim::invalid();
    case Kind::kSymbol: return Dim::symbol(e.symbol, e.nonnegative);
    case Kind::kSum:
    case Kind::kProduct: {
      Dim total = e.value;
      for (const Dim& arg : e.args) total = e.kind == Kind::kSum ? total + arg : total * arg;
      return total;
    }
    default: break;
  }
  if (e.args.size() != 2) return Dim::invalid();
  switch (e.kind) {
    case Kind::kFloorDiv: return floor_div(e.args[0], e.args[1]);
    case Kind::kCeilDiv: return ceil_div(e.args[0], e.args[1]);
    case Kind::kMod: return mod(e.args[0], e.args[1]);
    case Kind::kMin: return min(e.args[0], e.args[1]);
    case Kind::kMax: return max(e.args[0], e.args[1]);
    case Kind::kBroadcast: return broadcast(e.args[0], e.args[1]);
    default: return Dim::invalid();
  }
}

Dim element_count(std::span<const Dim> shape) {
  Dim count = 1;
  for (const Dim& dim : shape) count = count * dim;
  return count;
}

bool is_const(std::span<const Dim> shape) {
  return std::all_of(shape.begin(), shape.end(), [](const Dim& dim) { return dim.is_const(); });
}

}  // namespace hone
