// Einstein summation.
#pragma once

#include <string_view>

#include "hone/op.h"

namespace hone {

// "bij,bjk->bik": letters name axes; equal letters are one index (1 broadcasts), a letter twice in a term is the
// diagonal, what the output doesn't name is summed over. "..." stands for the axes that letters leave over, aligned at
// the right. Without "->" the output is the ellipsis, then the letters that occur once, in ASCII order.
struct Einsum final : OpBase<Einsum> {
  static constexpr const char* kName = "Einsum";
  std::string equation;
  static void attributes(auto& self, auto& v) { v("equation", self.equation); }
  Status check() const;
  Status infer(InferContext& ctx) const override;
};

// Reads an equation, allocating nothing unless it fails. An axis is known by its label: 0..51 for the letters a..z and
// A..Z, and for axes under an ellipsis the last labels, so that kEinsumLabels - 1 is the last of them.
class EinsumEquation {
 public:
  static constexpr int64_t kLetters = 52;
  static constexpr int64_t kLabels = kLetters + static_cast<int64_t>(kMaxRank);

  static constexpr size_t kMaxOperands = 256;

  // The equation's text must outlive this.
  explicit EinsumEquation(std::string_view text);

  // Whether terms are well-formed and the output names only what operands have.
  Status check() const;
  size_t num_operands() const;
  // Labels of operand i's axes. Errors: the term doesn't fit the rank.
  Result<Extents> operand(size_t i, size_t rank) const;
  // How many axes operand i's ellipsis stands for; 0 without one.
  size_t ellipsis_rank(size_t i, size_t rank) const;
  // Labels of the output's axes when the largest ellipsis stands for so many axes. Errors: more than kMaxRank axes.
  Result<Extents> output(size_t ellipsis_rank) const;

 private:
  std::string_view inputs_, output_;
  bool explicit_output_ = false;
};

}  // namespace hone
