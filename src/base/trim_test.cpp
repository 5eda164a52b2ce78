#include "base/trim.h"

#include <gtest/gtest.h>

#include <numeric>

namespace hone {
namespace {

// Element by element, into new memory.
std::vector<int16_t> corner(const std::vector<int16_t>& values, const Extents& from, const Extents& to) {
  const Extents strides = row_major_strides(from);
  std::vector<int16_t> out;
  for (int64_t flat = 0; flat < count_of(to); ++flat) {
    int64_t rest = flat, position = 0;
    for (size_t i = to.size(); i-- > 0;) {
      position += rest % to[i] * strides[i];
      rest /= to[i];
    }
    out.push_back(values[static_cast<size_t>(position)]);
  }
  return out;
}

TEST(Trim, KeepsTheCorner) {
  const std::pair<Extents, Extents> cases[] = {
      {{5}, {3}},
      {{4, 3}, {2, 3}},
      {{4, 3}, {4, 2}},
      {{4, 3}, {0, 3}},
      {{4, 3}, {4, 0}},
      {{3, 4, 5}, {2, 4, 3}},
      {{3, 4, 5}, {3, 1, 5}},
      {{2, 3, 4, 5}, {2, 2, 3, 1}},
      {{3, 1, 2}, {3, 1, 2}},
  };
  for (const auto& [from, to] : cases) {
    std::vector<int16_t> values(static_cast<size_t>(count_of(from)));
    std::iota(values.begin(), values.end(), int16_t{1});
    const std::vector<int16_t> expected = corner(values, from, to);
    trim({reinterpret_cast<std::byte*>(values.data()), DataType::kInt16, from}, to);
    values.resize(expected.size());
    EXPECT_EQ(values, expected) << to_string(from) << " to " << to_string(to);
  }
}

}  // namespace
}  // namespace hone
