// Checks that a graph is what the rest of the compiler relies on.
#pragma once

#include "graph/graph.h"
#include "hone/status.h"

namespace hone {

// Everything that a correct graph satisfies, whoever built it (an importer, a pass, a file): operands are defined
// before they are read; lists of users are exact; every value is an input, a constant or a node's output, under its own
// name; outputs live and their names differ; types are sound, and equal to what inference says of the node wherever
// that can be told; values whose contents decide shapes are marked; mentioned symbols exist and belong to what their
// kind asks for; bounds don't go in circles; bodies read only what is made. Linear in the graph's size.
// kInvalidModel names the value or node and the rule it breaks.
Status verify(const Graph& graph);

}  // namespace hone
