#include <algorithm>
#include <chrono>

#include "api/build/profiles.h"
#include "api/build/report.h"
#include "api/engine/targets.h"
#include "backends/reference/backend.h"
#include "base/guarded.h"
#include "base/memory_limit.h"
#include "compiler/lower.h"
#include "compiler/tuner.h"
#include "graph/text.h"
#include "hone/builder.h"
#include "hone/file.h"
#include "onnx/import.h"
#include "ops/op_list.h"
#include "passes/pipeline.h"
#include "plan/engine_file.h"

namespace hone {

namespace {

using Clock = std::chrono::steady_clock;

// The name under which an engine's metadata keeps allocation_free_run, for builds from its portable part.
constexpr const char* kAllocationFree = "hone.allocation_free_run";

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Status tell(const BuildOptions& options, std::string_view stage, int64_t done, int64_t total) {
  if (options.progress) options.progress({std::string(stage), done, total});
  if (options.cancelled && options.cancelled()) return {Code::kCancelled, "the build was cancelled"};
  return {};
}

int64_t load_memory_bytes(const BuildOptions& options) {
  if (options.max_load_memory_bytes > 0) return options.max_load_memory_bytes;
  return std::min(int64_t{8} << 30, usable_memory_bytes() / 2);
}

ImportOptions import_options(const BuildOptions& options) {
  ImportOptions import;
  import.max_load_memory_bytes = load_memory_bytes(options);
  import.log = options.log;
  return import;
}

// Folding may add this much to the weights; the import's limit counts for both.
Status run_canonical_passes(Graph& graph, const BuildOptions& options, BuildReport& report) {
  PassContext context;
  context.evaluate = reference::evaluate;
  context.memory_budget_bytes = load_memory_bytes(options);
  context.max_rewrites = options.max_rewrites;
  context.log = options.log;
  context.dump_after = options.dump_after;
  context.dump = options.dump;
  PassReport passes;
  HONE_TRY(run_passes(graph, context, &passes));
  report.rewrites = passes.rewrites;
  return {};
}

class Build {
 public:
  Build(const BuildOptions& options) : options_(options) {}

  Result<BuiltEngine> run(Graph graph, Clock::time_point start) {
    report_.import_s = seconds_since(start);
    report_.nodes_before = static_cast<int64_t>(graph.node_count());
    HONE_TRY(canonicalize(graph));
    HONE_TRY(make_profiles(graph));
    HONE_TRY(compile(graph));
    HONE_TRY(tell(options_, "write", 0, 1));
    BuiltEngine built;
    HONE_ASSIGN(built.bytes, serialize_engine(image_));
    HONE_TRY(tell(options_, "write", 1, 1));
    report_.total_s = seconds_since(start);
    report_.json = report_json(report_, image_, static_cast<int64_t>(built.bytes.size()));
    built.report = std::move(report_);
    return built;
  }

 private:
  Status canonicalize(Graph& graph) {
    const Clock::time_point start = Clock::now();
    HONE_TRY(tell(options_, "passes", 0, 1));
    HONE_TRY(run_canonical_passes(graph, options_, report_));
    report_.passes_s = seconds_since(start);
    report_.nodes_after = static_cast<int64_t>(graph.node_count());
    HONE_TRY(tell(options_, "passes", 1, 1));
    image_.graph_text = print_graph(graph, &writer_);
    image_.metadata = options_.metadata;
    image_.metadata.insert(graph.metadata().begin(), graph.metadata().end());
    image_.metadata["hone.version"] = HONE_VERSION;
    if (options_.allocation_free_run) image_.metadata[kAllocationFree] = "true";
    return {};
  }

  Status make_profiles(const Graph& graph) {
    for (const ShapeProfile& ranges : options_.profiles) {
      HONE_ASSIGN(Profile profile, check_profile(graph, ranges));
      profiles_.push_back(std::move(profile));
    }
    if (profiles_.empty()) profiles_.emplace_back();
    return {};
  }

  Status compile(Graph& graph) {
    const Clock::time_point start = Clock::now();
    HONE_ASSIGN(const auto backends, backends_for(options_.device));
    HONE_ASSIGN(const DeviceInfo device, device_info_for(options_.device, options_.threads));
    TunedPart& part = image_.tuned.emplace_back();
    part.target = device;
    const LowerOptions lowering{backends, device, [this](const Tensor& tensor) { return writer_.index_of(tensor); },
                                options_.allocation_free_run};
    HONE_ASSIGN(const Plan plan, lower(graph, lowering));
    weights_ = writer_.bytes();
    image_.weights = weights_;
    report_.weight_bytes = static_cast<int64_t>(weights_.size());
    for (const WeightsWriter::Block& block : writer_.blocks())
      image_.weight_blocks.push_back({block.offset, block.bytes});
    for (const Profile& profile : profiles_) {
      part.plans.push_back(plan);
      part.plans.back().profile = profile;
      if (!options_.tune) continue;
      const TuneOptions tuning{backends, device, [this](uint32_t block) { return contents(block); },
                               [this](int64_t done, int64_t total) { return tell(options_, "tune", done, total); },
                               options_.allocation_free_run};
      HONE_TRY(tune(part.plans.back(), tuning));
    }
    report_.tune_s = seconds_since(start);
    return {};
  }

  std::span<const std::byte> contents(uint32_t block) const {
    return image_.weights.subspan(image_.weight_blocks[block].offset, image_.weight_blocks[block].bytes);
  }

  const BuildOptions& options_;
  BuildReport report_;
  WeightsWriter writer_;
  std::vector<std::byte> weights_;
  EngineImage image_;
  std::vector<Profile> profiles_;
};

// An engine for this machine from the portable part of one that isn't, because of `reason`.
Result<Engine> compile_anew(const LoadedImage& loaded, const Status& reason, const EngineOptions& options,
                            const std::function<void(std::string_view line)>& log) {
  HONE_ASSIGN(Graph graph, parse_graph(loaded.image.graph_text, loaded.image.weights, loaded.owner, make_op)
                               .with_context("the portable part"));
  if (log) log(reason.message() + "; meanwhile its portable part is compiled without tuning");
  BuildOptions rebuild;
  rebuild.tune = false;
  rebuild.threads = options.threads;
  rebuild.metadata = loaded.image.metadata;
  rebuild.allocation_free_run = loaded.image.metadata.contains(kAllocationFree);
  HONE_ASSIGN(const BuiltEngine built, Build(rebuild).run(std::move(graph), Clock::now()));
  return Engine::from_bytes(built.bytes, options);
}

}  // namespace

Status BuiltEngine::save(const std::string& path) const { return write_file_atomically(path, std::span(bytes)); }

Result<BuiltEngine> build_engine(const std::string& onnx_path, const BuildOptions& options) {
  return guarded([&]() -> Result<BuiltEngine> {
    const Clock::time_point start = Clock::now();
    HONE_TRY(tell(options, "import", 0, 1));
    HONE_ASSIGN(Graph graph, import_onnx_file(onnx_path, import_options(options)));
    HONE_TRY(tell(options, "import", 1, 1));
    return Build(options).run(std::move(graph), start);
  });
}

Result<BuiltEngine> build_engine(std::span<const std::byte> onnx, const std::string& base_dir,
                                 const BuildOptions& options) {
  return guarded([&]() -> Result<BuiltEngine> {
    const Clock::time_point start = Clock::now();
    HONE_TRY(tell(options, "import", 0, 1));
    const std::optional<std::string> folder = base_dir.empty() ? std::nullopt : std::optional(base_dir);
    HONE_ASSIGN(Graph graph, import_onnx(onnx, nullptr, folder, import_options(options)));
    HONE_TRY(tell(options, "import", 1, 1));
    return Build(options).run(std::move(graph), start);
  });
}

Result<Engine> load_engine(const std::string& path, const EngineOptions& options,
                           const std::function<void(std::string_view line)>& log) {
  return guarded([&]() -> Result<Engine> {
    Result<Engine> engine = Engine::load(path, options);
    if (engine.ok() || engine.status().code() != Code::kIncompatibleEngine) return engine;
    Result<LoadedImage> loaded = load_engine_file(path, make_op);
    if (!loaded.ok() || loaded->image.graph_text.empty()) return engine;
    return compile_anew(*loaded, engine.status(), options, log).with_context("engine '" + path + "'");
  });
}

Result<Engine> load_engine(std::span<const std::byte> bytes, const EngineOptions& options,
                           const std::function<void(std::string_view line)>& log) {
  return guarded([&]() -> Result<Engine> {
    Result<Engine> engine = Engine::from_bytes(bytes, options);
    if (engine.ok() || engine.status().code() != Code::kIncompatibleEngine) return engine;
    Result<LoadedImage> loaded = parse_engine(bytes, nullptr, make_op);
    if (!loaded.ok() || loaded->image.graph_text.empty()) return engine;
    return compile_anew(*loaded, engine.status(), options, log);
  });
}

Result<std::string> canonical_graph_text(const std::string& onnx_path, const BuildOptions& options) {
  return guarded([&]() -> Result<std::string> {
    HONE_ASSIGN(Graph graph, import_onnx_file(onnx_path, import_options(options)));
    BuildReport report;
    HONE_TRY(run_canonical_passes(graph, options, report));
    return print_graph(graph, nullptr);
  });
}

}  // namespace hone
