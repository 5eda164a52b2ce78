#include "graph/symbol_merges.h"

#include <gtest/gtest.h>

namespace hone {
namespace {

Dim symbol(SymbolId id) { return Dim::symbol(id, true); }

TEST(SymbolMerges, ChainsResolveToTheirEnd) {
  SymbolMerges merges;
  for (SymbolId id = 0; id < 100; ++id) {
    merges.add(id, symbol(id + 1) + 1);
    EXPECT_EQ(merges.resolve(symbol(0)), symbol(id + 1) + id + 1);
  }
  merges.add(100, 5);
  EXPECT_EQ(merges.resolve(symbol(40) * 2), Dim((5 + 60) * 2));
  EXPECT_EQ(merges.resolve(symbol(200)), symbol(200));
  const auto taken = merges.take();
  EXPECT_EQ(taken.size(), 101u);
  EXPECT_EQ(taken.at(40), Dim(65));
  EXPECT_TRUE(merges.empty());
  EXPECT_EQ(merges.resolve(symbol(40)), symbol(40));
}

}  // namespace
}  // namespace hone
