#include "backends/reference/infer.h"

namespace hone::reference {

namespace {

// Makes symbols for counts only: everything else is known, or can't be.
class CountSymbols final : public SymbolSource {
 public:
  std::optional<std::vector<Dim>> elements(size_t) override { return std::nullopt; }
  void need_contents(size_t) override {}
  Dim resolved_later(std::string_view) override { return Dim::invalid(); }
  Dim counted(const Dim& bound, std::string_view) override {
    if (!bound.is_const()) return Dim::invalid();
    bounds.push_back(bound.value());
    return Dim::symbol(static_cast<SymbolId>(bounds.size() - 1), /*nonnegative=*/true);
  }

  std::vector<int64_t> bounds;
};

}  // namespace

Result<Extents> OutputTypes::dims(size_t i, std::span<const int64_t> counts) const {
  const Shape& shape = types[i].shape;
  if (shape.size() > kMaxRank) {
    return unsupported("rank " + std::to_string(shape.size()) + " exceeds the limit of " + std::to_string(kMaxRank));
  }
  Extents dims;
  for (const Dim& dim : shape) {
    const std::optional<int64_t> size = dim.eval(counts);
    if (!size) {
      return invalid_model("a dimension of output " + std::to_string(i) +
                           " can't be computed: it overflows 64 bits, "
                           "divides by zero or depends on contents that aren't known");
    }
    dims.push_back(*size);
  }
  HONE_TRY(checked_count(dims).status());
  return dims;
}

Result<OutputTypes> infer_types(const Op& op, std::span<const InferOperand> operands, size_t num_outputs) {
  CountSymbols symbols;
  InferContext ctx(operands, num_outputs, &symbols);
  HONE_TRY(op.infer(ctx));
  OutputTypes known{.types = {}, .bounds = std::move(symbols.bounds)};
  for (InferResult& result : ctx.outputs()) known.types.push_back(std::move(result.type));
  return known;
}

}  // namespace hone::reference
