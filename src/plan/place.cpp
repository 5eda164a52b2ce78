#include <algorithm>
#include <numeric>

#include "plan/plan.h"

namespace hone {

namespace {

constexpr int64_t kAlignment = 64;
// Sums stick here instead of overflowing; no such arena can be allocated.
constexpr int64_t kTooLarge = INT64_MAX / kAlignment * kAlignment;

int64_t rounded_up(int64_t size) {
  if (size >= kTooLarge - kAlignment) return kTooLarge;
  return (std::max<int64_t>(size, 1) + kAlignment - 1) / kAlignment * kAlignment;
}

void extend(Lifetime& life, int32_t step) {
  const bool unused = life.first > life.last;
  life.first = unused ? step : std::min(life.first, step);
  life.last = unused ? step : std::max(life.last, step);
}

struct Placed {
  int64_t offset, end;
  Lifetime life;
};

// The smallest gap between what lives at the same time that holds `size`; past all of it when there is none.
// `placed` is sorted by offset.
int64_t best_gap(const std::vector<Placed>& placed, const Lifetime& life, int64_t size) {
  int64_t best = -1, best_gap = INT64_MAX, end = 0;
  for (const Placed& other : placed) {
    if (other.life.last < life.first || life.last < other.life.first) continue;
    const int64_t gap = other.offset - end;
    if (gap >= size && gap < best_gap) {
      best = end;
      best_gap = gap;
    }
    end = std::max(end, other.end);
  }
  return best >= 0 ? best : end;
}

}  // namespace

std::vector<Lifetime> storage_lifetimes(const Plan& plan) {
  std::vector<Lifetime> lives(plan.storages.size());
  const auto life_of = [&](ValueId id) -> Lifetime& { return lives[plan.values[static_cast<size_t>(id)].storage]; };
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    for (const ValueId id : step.inputs) {
      if (id >= 0) extend(life_of(id), static_cast<int32_t>(i));
    }
    for (const ValueId id : step.outputs) {
      extend(life_of(id), static_cast<int32_t>(i));
      if (step.stage == Step::Stage::kShape) life_of(id).host_value = true;
    }
  }
  const int32_t end = static_cast<int32_t>(plan.steps.size());
  for (const PlanBinding& binding : plan.bindings) {
    // Results stay readable after the run, and inputs are there before it.
    extend(life_of(binding.value), binding.is_input ? 0 : std::max(end - 1, 0));
    if (binding.is_shape_value) life_of(binding.value).host_value = true;
  }
  return lives;
}

Placement place(std::span<const Lifetime> lifetimes, std::span<const int64_t> sizes) {
  Placement placement{.offsets = std::vector<int64_t>(sizes.size(), -1)};
  std::vector<size_t> order;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] >= 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  std::vector<Placed> placed;
  for (const size_t i : order) {
    if (lifetimes[i].first > lifetimes[i].last) {
      placement.offsets[i] = 0;  // nobody looks
      continue;
    }
    const int64_t size = rounded_up(sizes[i]);
    const int64_t offset = best_gap(placed, lifetimes[i], size);
    const Placed item{offset, size > kTooLarge - offset ? kTooLarge : offset + size, lifetimes[i]};
    placed.insert(std::upper_bound(placed.begin(), placed.end(), item,
                                   [](const Placed& a, const Placed& b) { return a.offset < b.offset; }),
                  item);
    placement.offsets[i] = offset;
    placement.arena_bytes = std::max(placement.arena_bytes, item.end);
  }
  return placement;
}

}  // namespace hone
