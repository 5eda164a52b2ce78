// Looks kernels up in a device's list and asks them for candidates.
#pragma once

#include <string_view>
#include <vector>

#include "hone/kernel.h"

namespace hone {

// A kernel with one of its configurations.
struct Candidate {
  const KernelDef* def = nullptr;
  Config config;
};

// A kernel that can't serve, and why.
struct Refusal {
  const KernelDef* def = nullptr;
  std::string reason;
};

struct CandidateList {
  std::vector<Candidate> candidates;  // in the order of preference
  std::vector<Refusal> refusals;
};

// Every candidate of `backend` for the problem, in the order of its list. With `allocation_free`, kernels whose run
// allocates are refused.
CandidateList find_candidates(const Backend& backend, const Problem& problem, const DeviceInfo& device,
                              bool allocation_free = false);

// Null when the backend has no kernel of that name.
const KernelDef* find_kernel(const Backend& backend, std::string_view name);

}  // namespace hone
