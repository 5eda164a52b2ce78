// Chooses kernels by measurement: candidates are checked against the reference on random inputs, then timed.
#pragma once

#include <functional>
#include <span>

#include "hone/kernel.h"
#include "plan/plan.h"

namespace hone {

struct TuneOptions {
  std::span<const Backend* const> backends;  // preference order; the last is the reference
  DeviceInfo device;
  // Contents of a weight block.
  std::function<std::span<const std::byte>(uint32_t)> weights;
  // Called before each distinct problem; an error ends the tuning.
  std::function<Status(int64_t done, int64_t total)> progress;
  // Kernels whose run allocates are refused.
  bool allocation_free = false;
};

// Sets each run step's kernel to the fastest candidate that agrees with the reference, at the profile's opt shapes
// (steps whose shapes aren't known there keep their first candidate), and fills in plan.tuning. Equal problems are
// measured once. Candidates within 3 % of the fastest count as equal: the first in list order wins.
Status tune(Plan& plan, const TuneOptions& options);

}  // namespace hone
