#include "ops/einsum.h"

#include <algorithm>
#include <array>

#include "ops/type_set.h"

namespace hone {

namespace {

constexpr std::string_view kEllipsis = "...";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

int64_t label_of(char letter) { return letter >= 'a' ? letter - 'a' : 26 + (letter - 'A'); }

// Calls on_letter(label) or on_ellipsis() for each part of a term, spaces skipped. Errors name what is wrong.
template <class OnLetter, class OnEllipsis>
Status walk_term(std::string_view term, OnLetter&& on_letter, OnEllipsis&& on_ellipsis) {
  bool seen_ellipsis = false;
  for (size_t i = 0; i < term.size(); ++i) {
    if (term[i] == ' ') continue;
    if (is_letter(term[i])) {
      on_letter(label_of(term[i]));
    } else if (term.substr(i, kEllipsis.size()) == kEllipsis && !seen_ellipsis) {
      seen_ellipsis = true;
      i += kEllipsis.size() - 1;
      on_ellipsis();
    } else {
      return invalid_model("attribute 'equation' has the term '" + std::string(term.substr(0, 64)) +
                           "'; a term holds letters, spaces and at most one '...'");
    }
  }
  return {};
}

std::string_view term_at(std::string_view inputs, size_t i) {
  for (; i > 0; --i) inputs.remove_prefix(inputs.find(',') + 1);
  return inputs.substr(0, inputs.find(','));
}

// How often each letter occurs in a list of terms.
std::array<int, EinsumEquation::kLetters> count_letters(std::string_view terms) {
  std::array<int, EinsumEquation::kLetters> counts{};
  for (const char c : terms) {
    // Twice is all that matters.
    if (is_letter(c))
      counts[static_cast<size_t>(label_of(c))] = std::min(2, counts[static_cast<size_t>(label_of(c))] + 1);
  }
  return counts;
}

// Labels of the `count` axes under an ellipsis, aligned at the last label.
void append_ellipsis(Extents& labels, size_t count) {
  for (size_t k = 0; k < count; ++k) {
    labels.push_back(EinsumEquation::kLabels - static_cast<int64_t>(count) + static_cast<int64_t>(k));
  }
}

Status too_many_axes() {
  return unsupported("attribute 'equation' has a term of more than " + std::to_string(kMaxRank) + " axes");
}

struct TermSize {
  size_t letters = 0;
  bool ellipsis = false;
};

// A letter that a term has twice names axes of one size.
Status check_diagonals(InferContext& ctx, size_t i, const Extents& labels) {
  for (size_t axis = 0; axis < labels.size(); ++axis) {
    const auto first = static_cast<size_t>(std::find(labels.begin(), labels.end(), labels[axis]) - labels.begin());
    if (first == axis) continue;
    HONE_TRY(ctx.require_equal(ctx.shape(i)[first], ctx.shape(i)[axis],
                               "axes of operand " + std::to_string(i) + " with the same letter"));
  }
  return {};
}

TermSize size_of(std::string_view term) {
  TermSize size;
  size.letters = static_cast<size_t>(std::count_if(term.begin(), term.end(), is_letter));
  size.ellipsis = term.find('.') != std::string_view::npos;
  return size;
}

}  // namespace

EinsumEquation::EinsumEquation(std::string_view text) {
  const size_t arrow = text.find("->");
  explicit_output_ = arrow != std::string_view::npos;
  inputs_ = text.substr(0, arrow);
  if (explicit_output_) output_ = text.substr(arrow + 2);
}

Status EinsumEquation::check() const {
  if (num_operands() > kMaxOperands) {
    return unsupported("attribute 'equation' has more than " + std::to_string(kMaxOperands) + " terms");
  }
  for (size_t i = 0; i < num_operands(); ++i) {
    HONE_TRY(walk_term(
        term_at(inputs_, i), [](int64_t) {}, [] {}));
  }
  if (!explicit_output_) return {};
  HONE_TRY(walk_term(
      output_, [](int64_t) {}, [] {}));
  const auto available = count_letters(inputs_), wanted = count_letters(output_);
  for (size_t label = 0; label < available.size(); ++label) {
    if (wanted[label] == 0 || (wanted[label] == 1 && available[label] > 0)) continue;
    return invalid_model(
        "attribute 'equation' names an axis in its output that no operand has, or that was named before");
  }
  return {};
}

size_t EinsumEquation::num_operands() const {
  return static_cast<size_t>(std::count(inputs_.begin(), inputs_.end(), ',')) + 1;
}

size_t EinsumEquation::ellipsis_rank(size_t i, size_t rank) const {
  const TermSize size = size_of(term_at(inputs_, i));
  return size.ellipsis && rank > size.letters ? rank - size.letters : 0;
}

Result<Extents> EinsumEquation::operand(size_t i, size_t rank) const {
  const std::string_view term = term_at(inputs_, i);
  const TermSize size = size_of(term);
  if (rank > kMaxRank) return too_many_axes();
  if (size.ellipsis ? size.letters > rank : size.letters != rank) {
    return invalid_model("operand " + std::to_string(i) + " has rank " + std::to_string(rank) + ", but its term is '" +
                         std::string(term) + "'");
  }
  Extents labels;
  HONE_TRY(walk_term(
      term, [&](int64_t label) { labels.push_back(label); }, [&] { append_ellipsis(labels, rank - size.letters); }));
  return labels;
}

Result<Extents> EinsumEquation::output(size_t ellipsis_rank) const {
  Extents labels;
  if (explicit_output_) {
    const TermSize size = size_of(output_);
    if (size.letters + (size.ellipsis ? ellipsis_rank : 0) > kMaxRank) return too_many_axes();
    HONE_TRY(walk_term(
        output_, [&](int64_t label) { labels.push_back(label); }, [&] { append_ellipsis(labels, ellipsis_rank); }));
    return labels;
  }
  const auto counts = count_letters(inputs_);
  const auto once = static_cast<size_t>(std::count(counts.begin(), counts.end(), 1));
  if (once + ellipsis_rank > kMaxRank) return too_many_axes();
  append_ellipsis(labels, ellipsis_rank);
  for (char letter = 'A'; letter <= 'z'; ++letter) {
    if (is_letter(letter) && counts[static_cast<size_t>(label_of(letter))] == 1) labels.push_back(label_of(letter));
  }
  return labels;
}

Status Einsum::check() const { return EinsumEquation(equation).check(); }

Status Einsum::infer(InferContext& ctx) const {
  const EinsumEquation terms(equation);
  HONE_TRY(terms.check());
  const size_t count = terms.num_operands();
  if (ctx.num_inputs() != count) {
    return invalid_model("has " + std::to_string(ctx.num_inputs()) + " operands, but the equation '" + equation +
                         "' has " + std::to_string(count) + " terms");
  }
  HONE_TRY(ctx.expect_inputs(count, count));
  HONE_TRY(expect_types(ctx, 0, kNumberTypes));
  std::array<Dim, EinsumEquation::kLabels> sizes;
  sizes.fill(Dim(1));
  size_t ellipsis_rank = 0;
  for (size_t i = 0; i < count; ++i) {
    HONE_TRY(ctx.expect_same_dtype(0, i));
    HONE_ASSIGN(const Extents labels, terms.operand(i, ctx.rank(i)));
    ellipsis_rank = std::max(ellipsis_rank, terms.ellipsis_rank(i, ctx.rank(i)));
    HONE_TRY(check_diagonals(ctx, i, labels));
    for (size_t axis = 0; axis < labels.size(); ++axis) {
      Dim& size = sizes[static_cast<size_t>(labels[axis])];
      HONE_ASSIGN(size, ctx.broadcast_dim(size, ctx.shape(i)[axis]));
    }
  }
  HONE_ASSIGN(const Extents labels, terms.output(ellipsis_rank));
  Shape out;
  for (const int64_t label : labels) out.push_back(sizes[static_cast<size_t>(label)]);
  ctx.set_output(0, ctx.dtype(0), std::move(out));
  return {};
}

}  // namespace hone
