// Runs the canonical passes.
#pragma once

#include <map>
#include <span>
#include <string>

#include "passes/pass.h"

namespace hone {

// What a run did.
struct PassReport {
  int64_t nodes_before = 0, nodes_after = 0;
  int rounds = 0;
  std::map<std::string, int64_t> rewrites;  // by pass; those that made none are missing
  std::map<std::string, double> seconds;    // by pass
};

// Every canonical pass there is, in order.
std::span<const Pass> canonical_passes();

// Runs all passes, again and again until none changes the graph (or a bound is reached), then drops symbols that
// nothing mentions any more, and the marks of host values whose contents decide nothing any more. `report` may be null.
// Errors name the pass.
Status run_passes(Graph& graph, PassContext& context, PassReport* report = nullptr);
// The same for these passes only, in one round, and without that tidying. For tests and tools.
Status run_passes(Graph& graph, std::span<const Pass> passes, PassContext& context, PassReport* report = nullptr);

}  // namespace hone
