// The index arithmetic of elementwise operators whose operands repeat along some dimensions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include "hone/tensor.h"

namespace hone::reference {

// How up to three operands are read to fill an output: as rows along which each operand either advances by one
// element or stays where it is. Dimensions that all operands treat alike are merged, so that equal shapes make a
// single row.
class BroadcastPlan {
 public:
  static constexpr size_t kMaxOperands = 3;
  // Operand shapes broadcast to `output`.
  BroadcastPlan(const Extents& output, std::initializer_list<Extents> operands);

  // 0 or 1: how operand i moves along a row.
  int64_t step(size_t operand) const { return strides_[operand].back(); }

  // Calls row(to, from, count) for stretches of rows that cover the output: `to` is the output's first element,
  // from[i] operand i's. On up to `threads` threads.
  template <class F>
  void for_each_row(int threads, F&& row) const {
    using Row = std::remove_reference_t<F>;
    run(
        threads,
        [](const void* state, int64_t to, const int64_t* from, int64_t count) {
          (*static_cast<const Row*>(state))(to, from, count);
        },
        &row);
  }

 private:
  using RowFunction = void (*)(const void* state, int64_t to, const int64_t* from, int64_t count);
  void run(int threads, RowFunction row, const void* state) const;

  size_t num_operands_;
  Extents dims_;  // at least one
  Extents strides_[kMaxOperands];
};

}  // namespace hone::reference
