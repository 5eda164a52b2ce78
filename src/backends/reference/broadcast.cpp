#include "backends/reference/broadcast.h"

#include <algorithm>

#include "base/parallel.h"

namespace hone::reference {

namespace {

constexpr int64_t kBlock = 4096;   // elements of a row that one call covers
constexpr int64_t kGrain = 16384;  // elements that are worth a thread

// Operand strides along the output's dimensions; 0 where it repeats.
Extents broadcast_strides(const Extents& output, const Extents& operand) {
  const Extents own = row_major_strides(operand);
  Extents strides = Extents::filled(output.size(), 0);
  const size_t missing = output.size() - operand.size();
  for (size_t i = 0; i < operand.size(); ++i) {
    if (operand[i] != 1) strides[missing + i] = own[i];
  }
  return strides;
}

}  // namespace

BroadcastPlan::BroadcastPlan(const Extents& output, std::initializer_list<Extents> operands)
    : num_operands_(operands.size()) {
  Extents all[kMaxOperands];
  size_t k = 0;
  for (const Extents& operand : operands) all[k++] = broadcast_strides(output, operand);
  for (size_t axis = 0; axis < output.size(); ++axis) {
    if (output[axis] == 1) continue;
    bool merges = !dims_.empty();
    for (size_t i = 0; merges && i < num_operands_; ++i) {
      merges = strides_[i].back() == all[i][axis] * output[axis];
    }
    if (!merges) {
      dims_.push_back(1);
      for (size_t i = 0; i < num_operands_; ++i) strides_[i].push_back(0);
    }
    dims_.back() *= output[axis];
    for (size_t i = 0; i < num_operands_; ++i) strides_[i].back() = all[i][axis];
  }
  if (!dims_.empty()) return;
  dims_.push_back(1);
  for (size_t i = 0; i < num_operands_; ++i) strides_[i].push_back(0);
}

void BroadcastPlan::run(int threads, RowFunction row, const void* state) const {
  const int64_t inner = dims_.back(), total = count_of(dims_);
  if (total == 0) return;
  const int64_t blocks_per_row = (inner + kBlock - 1) / kBlock, rows = total / inner;
  const int64_t grain = std::max<int64_t>(1, kGrain / std::min(inner, kBlock));
  const auto blocks = [&](int64_t begin, int64_t end) {
    Extents at = Extents::filled(dims_.size(), 0);  // the current row
    int64_t rest = begin / blocks_per_row;
    for (size_t axis = dims_.size() - 1; axis-- > 0;) {
      at[axis] = rest % dims_[axis];
      rest /= dims_[axis];
    }
    for (int64_t block = begin; block < end; ++block) {
      const int64_t offset = block % blocks_per_row * kBlock;
      int64_t from[kMaxOperands] = {};
      for (size_t i = 0; i < num_operands_; ++i) {
        from[i] = offset * step(i);
        for (size_t axis = 0; axis + 1 < dims_.size(); ++axis) from[i] += at[axis] * strides_[i][axis];
      }
      row(state, block / blocks_per_row * inner + offset, from, std::min(kBlock, inner - offset));
      if (offset + kBlock < inner) continue;
      for (size_t axis = dims_.size() - 1; axis-- > 0;) {
        if (++at[axis] < dims_[axis]) break;
        at[axis] = 0;
      }
    }
  };
  parallel_for(threads, rows * blocks_per_row, grain, blocks);
}

}  // namespace hone::reference
