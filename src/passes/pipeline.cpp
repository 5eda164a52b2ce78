#include "passes/pipeline.h"

#include <chrono>
#include <unordered_set>

#include "graph/text.h"
#include "graph/verifier.h"

namespace hone {

namespace {

// Reasons for the order: what is dead costs the others time; cleaning takes the Identities away through which exporters
// share weights, so that these count as constants; folding before merging, because it makes equal constants; padding
// before scales, because a shift in front of a convolution can be folded only where there is no padding; activations
// last, because their nodes are closed to all others.
constexpr Pass kPasses[] = {
    {"remove-dead-code", remove_dead_code},
    {"clean", clean},
    {"fold-constants", fold_constants},
    {"merge-common-subexpressions", merge_common_subexpressions},
    {"fold-padding", fold_padding},
    {"fold-batch-norm", fold_batch_norm},
    {"recognise-activations", recognise_activations},
};

// Real models settle in two to four rounds.
constexpr int kMaxRounds = 16;

int64_t constant_bytes(const Graph& graph) {
  int64_t bytes = 0;
  std::unordered_set<const std::byte*> seen;
  for (const Value* constant : graph.constants()) {
    if (constant->dtype() == DataType::kString || !seen.insert(constant->constant().data()).second) continue;
    bytes += static_cast<int64_t>(constant->constant().bytes());
  }
  return bytes;
}

void dump(const Graph& graph, const PassContext& context, std::string_view after) {
  if (context.dump && (context.dump_after == after || context.dump_after == "all")) {
    context.dump(after, print_graph(graph));
  }
}

// Runs one pass with everything around it.
Result<bool> run_pass(Graph& graph, const Pass& pass, PassContext& context, PassReport& report) {
  const int64_t rewrites = context.rewrites();
  const auto start = std::chrono::steady_clock::now();
  context.begin_pass(constant_bytes(graph));
  HONE_ASSIGN(const bool changed, pass.run(graph, context).with_context("in the pass " + std::string(pass.name)));
  report.seconds[pass.name] += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (context.rewrites() > rewrites) report.rewrites[pass.name] += context.rewrites() - rewrites;
  if (changed && context.verify) {
    HONE_TRY(verify(graph).with_context("after the pass " + std::string(pass.name) + ", rewrite " +
                                        std::to_string(context.rewrites())));
  }
  dump(graph, context, pass.name);
  return changed;
}

Status run_rounds(Graph& graph, std::span<const Pass> passes, int max_rounds, PassContext& context,
                  PassReport& report) {
  report.nodes_before = static_cast<int64_t>(graph.node_count());
  if (context.verify) HONE_TRY(verify(graph));
  dump(graph, context, "import");
  for (bool changed = true; changed && report.rounds < max_rounds; ++report.rounds) {
    changed = false;
    for (const Pass& pass : passes) {
      HONE_ASSIGN(const bool did, run_pass(graph, pass, context, report));
      changed = changed || did;
    }
  }
  report.nodes_after = static_cast<int64_t>(graph.node_count());
  return {};
}

}  // namespace

std::span<const Pass> canonical_passes() { return kPasses; }

Status run_passes(Graph& graph, PassContext& context, PassReport* report) {
  PassReport unused;
  HONE_TRY(run_rounds(graph, kPasses, kMaxRounds, context, report != nullptr ? *report : unused));
  GraphEditor editor(graph);
  editor.update_host_values();
  editor.drop_unused_symbols();
  return context.verify ? verify(graph) : Status();
}

Status run_passes(Graph& graph, std::span<const Pass> passes, PassContext& context, PassReport* report) {
  PassReport unused;
  return run_rounds(graph, passes, 1, context, report != nullptr ? *report : unused);
}

}  // namespace hone
