// For the tests of passes: text graphs in, text graphs out.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "graph/text.h"
#include "graph/verifier.h"
#include "ops/op_list.h"
#include "passes/pipeline.h"

namespace hone {

// The graph of a text, whose header line and node types may be left out. Statements are as in graph/text.h.
inline Graph graph_of(const std::string& text) {
  Result<Graph> graph = parse_graph("graph \"\"\n" + text, {}, nullptr, make_op);
  EXPECT_TRUE(graph.ok()) << graph.status().message() << "\n" << text;
  return graph.ok() ? *std::move(graph) : Graph();
}

// The text after one run of a pass. The graph is verified before and after.
inline std::string after_pass(PassFunction pass, const std::string& text, PassContext context = {}) {
  Graph graph = graph_of(text);
  const Pass passes[] = {{"pass", pass}};
  const Status status = run_passes(graph, passes, context);
  EXPECT_TRUE(status.ok()) << status.message() << "\n" << print_graph(graph);
  GraphEditor(graph).drop_unused_symbols();
  return print_graph(graph);
}

// The pass makes `after` of `before`, names included.
inline void expect_pass(PassFunction pass, const std::string& before, const std::string& after,
                        PassContext context = {}) {
  EXPECT_EQ(after_pass(pass, before, std::move(context)), print_graph(graph_of(after))) << "from\n" << before;
}

inline void expect_unchanged(PassFunction pass, const std::string& text, PassContext context = {}) {
  expect_pass(pass, text, text, std::move(context));
}

}  // namespace hone
