// Options that several subcommands share, with one wording.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "pipelines/common/engine_cache.h"
#include "tools/hone/inputs.h"
#include "tools/hone/shell.h"

namespace hone::cli {

// How an engine comes to be: --device, --threads, --no-tune, --no-cache.
struct EngineArguments {
  std::string device = "cpu";
  int threads = 0;
  bool no_tune = false;
  bool no_cache = false;
};
void add_engine_options(CLI::App& command, EngineArguments& arguments, bool with_cache = true);

// Loads an engine, or builds an ONNX file (once: the cache folder keeps it), telling the user what happens.
Result<Engine> open_model(const std::string& path, const EngineArguments& arguments, Shell& shell);

// --input, --shape, --seed, --profile.
struct FeedArguments {
  InputArguments inputs;
  std::vector<std::string> shapes;
  int profile = 0;
};
void add_feed_options(CLI::App& command, FeedArguments& arguments);

// The inputs' tensors. Fails on a profile that isn't there.
Result<std::map<std::string, Tensor>> feed(const Engine& engine, FeedArguments& arguments);

// A context with these inputs bound; the tensors must outlive its runs.
Result<ExecutionContext> prepared_context(const Engine& engine, int profile,
                                          const std::map<std::string, Tensor>& inputs);

}  // namespace hone::cli
