#include "graph/symbol_merges.h"

namespace hone {

std::optional<SymbolId> as_symbol(const Dim& dim) {
  if (dim.is_const() || dim.expr()->kind != DimExpr::Kind::kSymbol) return std::nullopt;
  return dim.expr()->symbol;
}

bool mentions(const Dim& dim, const std::function<bool(SymbolId)>& wanted) {
  bool found = false;
  dim.visit_symbols([&](SymbolId id) { found = found || wanted(id); });
  return found;
}

Dim SymbolMerges::resolve(Dim dim) const {
  // One round for each link of a chain; chains have an end, because what is added is resolved.
  while (mentions(dim, [&](SymbolId id) { return index_.contains(id); })) {
    dim = dim.substitute([&](SymbolId id) {
      const auto it = index_.find(id);
      return it == index_.end() ? std::nullopt : std::optional(entries_[it->second].second);
    });
  }
  return dim;
}

void SymbolMerges::add(SymbolId id, Dim dim) {
  index_.emplace(id, entries_.size());
  entries_.emplace_back(id, std::move(dim));
}

std::unordered_map<SymbolId, Dim> SymbolMerges::take() {
  std::unordered_map<SymbolId, Dim> merged;
  // What an entry mentions can only have been merged by a later one.
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    merged.emplace(entry->first, entry->second.substitute([&](SymbolId id) {
      const auto it = merged.find(id);
      return it == merged.end() ? std::nullopt : std::optional(it->second);
    }));
  }
  entries_.clear();
  index_.clear();
  return merged;
}

}  // namespace hone
