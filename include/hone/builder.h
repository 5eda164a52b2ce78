// Builder: an ONNX model in, an engine out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hone/engine.h"
#include "hone/status.h"

namespace hone {

// One profile: the ranges of the inputs whose dimensions aren't fixed; for inputs whose contents decide shapes, the
// ranges of their elements. Inputs that aren't listed are open.
using ShapeProfile = std::map<std::string, ShapeRange>;

struct BuildProgress {
  std::string stage;  // "import", "passes", "tune", "write"
  int64_t done = 0, total = 0;
};

struct BuildOptions {
  std::string device = "cpu";  // "cpu" or "reference" (plain loops only: the oracle)
  std::vector<ShapeProfile> profiles;
  // False: every step takes its first candidate; nothing is measured.
  bool tune = true;
  // True: only kernels whose run allocates no memory; those that call libraries which do (oneDNN) are refused. Slower
  // convolutions, but after a first run at some shapes later ones at the same shapes never touch the heap.
  bool allocation_free_run = false;
  int threads = 0;  // 0: as many as the process may use
  // Refuses models that would need more host memory than this while they load and fold; 0: the smaller of 8 GiB and
  // half of what the process may use.
  int64_t max_load_memory_bytes = 0;
  // Canonical rewrites stop after this many: for finding a wrong one by bisection. Negative: no limit.
  int64_t max_rewrites = -1;
  // Added to the engine's metadata, over the model's own entries of the same name.
  std::map<std::string, std::string> metadata;
  // Called with the graph's text after the named pass ("import" before the first), or after each if the name is "all".
  std::string dump_after;
  std::function<void(std::string_view pass, const std::string& text)> dump;
  std::function<void(const BuildProgress&)> progress;
  // Asked, where progress is told, whether to stop; true ends the build with kCancelled. Null: never.
  std::function<bool()> cancelled;
  // Warnings and remarks, one line each. Null: dropped.
  std::function<void(std::string_view line)> log;
};

// What a build did, for `--report` (to_json) and for programs.
struct BuildReport {
  double import_s = 0, passes_s = 0, tune_s = 0, total_s = 0;
  int64_t nodes_before = 0, nodes_after = 0;
  int64_t weight_bytes = 0;
  std::map<std::string, int64_t> rewrites;  // per pass
  std::string json;                         // the whole report, each step's candidates with times, errors and refusals
};

// The engine as bytes of an engine file, with the report.
struct BuiltEngine {
  std::vector<std::byte> bytes;
  BuildReport report;
  // Atomically: the old file or the whole new one.
  Status save(const std::string& path) const;
};

// Builds from a file (external data is looked for beside it) or from bytes (external data is refused unless
// `base_dir` is given). Errors: kNotFound, kInvalidModel and kUnsupported with node names (all unsupported operators
// at once), kInvalidArgument for profiles that don't fit, kResource, kCancelled.
Result<BuiltEngine> build_engine(const std::string& onnx_path, const BuildOptions& options = {});
Result<BuiltEngine> build_engine(std::span<const std::byte> onnx, const std::string& base_dir,
                                 const BuildOptions& options = {});

// Engine::load(), and where the file has no part for this machine, an engine compiled anew from its portable part:
// without tuning, each step's first kernel. `log` (may be null) is told so in one line.
Result<Engine> load_engine(const std::string& path, const EngineOptions& options = {},
                           const std::function<void(std::string_view line)>& log = nullptr);
// The same from memory; the bytes are copied.
Result<Engine> load_engine(std::span<const std::byte> bytes, const EngineOptions& options = {},
                           const std::function<void(std::string_view line)>& log = nullptr);

// The canonical graph's text without building an engine, for `hone inspect`.
Result<std::string> canonical_graph_text(const std::string& onnx_path, const BuildOptions& options = {});

}  // namespace hone
