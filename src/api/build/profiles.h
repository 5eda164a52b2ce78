// From the user's shape ranges to the plan's profiles, checked against the model.
#pragma once

#include "graph/graph.h"
#include "hone/builder.h"
#include "plan/plan.h"

namespace hone {

// For inputs whose contents decide shapes the ranges are those of their elements. Errors name the input: unknown, wrong
// rank, min > opt or opt > max, a fixed dimension given otherwise.
Result<Profile> check_profile(const Graph& graph, const ShapeProfile& ranges);

}  // namespace hone
