// Symbols that turned out to be other dimensions.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hone/dim.h"

namespace hone {

// A list of "symbol = dimension", which may build on each other, until someone rewrites what mentions the symbols.
class SymbolMerges {
 public:
  // The dimension in terms of symbols that aren't merged.
  Dim resolve(Dim dim) const;
  // From now on the symbol is `dim`. Both must be resolved: the symbol isn't merged, and `dim` mentions neither it nor
  // merged ones.
  void add(SymbolId id, Dim dim);

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  // Every merged symbol in terms of others; nothing is merged any more.
  std::unordered_map<SymbolId, Dim> take();

 private:
  std::vector<std::pair<SymbolId, Dim>> entries_;
  std::unordered_map<SymbolId, size_t> index_;
};

// The symbol, if that is all there is.
std::optional<SymbolId> as_symbol(const Dim& dim);
bool mentions(const Dim& dim, const std::function<bool(SymbolId)>& wanted);

}  // namespace hone
