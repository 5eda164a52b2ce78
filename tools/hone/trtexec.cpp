// hone trtexec: TensorRT's trtexec, its flags and its report, on Hone.
#include "tools/hone/trtexec.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <new>

#include "hone/builder.h"
#include "hone/file.h"
#include "tools/hone/generation.h"
#include "tools/hone/machine.h"
#include "tools/hone/shell.h"
#include "tools/hone/text.h"
#include "tools/hone/trtexec_run.h"

namespace hone::cli {

namespace {

std::string seconds_text(double seconds) { return plain(seconds) + " sec."; }
std::string mebibytes(int64_t bytes) { return plain(static_cast<double>(bytes) / (1 << 20)) + " MiB"; }

// Whether a file can be written there, as far as that shows before.
Status check_target(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::exists(path, error) && !fs::is_regular_file(path, error)) {
    return invalid_argument("can't write '" + path + "': it isn't a regular file");
  }
  const fs::path parent = fs::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  if (!fs::is_directory(folder, error))
    return invalid_argument("can't write '" + path + "': there is no folder '" + folder + "'");
  if (::access(folder.c_str(), W_OK) != 0)
    return resource_error("can't write '" + path + "': no permission to write into '" + folder + "'");
  return {};
}

class Trtexec {
 public:
  Trtexec(TrtexecCommand command, std::string line)
      : command_(std::move(command)), options_(command_.options), line_(std::move(line)), log_(options_.verbose) {}

  // The exit code.
  int run() {
    Status status = command_.errors.empty() ? choose_generation() : Status();
    title_ = "TensorRT.trtexec [TensorRT v" + version_number_of_generation(generation_) + "] # " + line_;
    std::fputs(("&&&& RUNNING " + title_ + "\n").c_str(), stdout);
    if (!command_.errors.empty()) {
      for (const std::string& error : command_.errors) log_.error(error);
      std::fflush(stderr);
      std::fputs(trtexec_help().c_str(), stdout);
      return finish(1);
    }
    try {
      if (status.ok()) status = work();
    } catch (const std::bad_alloc&) {
      status = resource_error("out of memory");
    } catch (const std::exception& error) {
      status = runtime_error(error.what());
    }
    if (!status.ok()) log_.error(status.message());
    const bool stopped = interrupted() != 0 && options_.duration_s >= 0;
    return finish(stopped ? interrupted() : status.ok() ? 0 : 1);
  }

 private:
  int finish(int code) {
    std::fputs(((code == 0 ? "&&&& PASSED " : "&&&& FAILED ") + title_ + "\n").c_str(), stdout);
    const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    if (!written) log_.error("can't write to stdout");
    return code == 0 && !written ? 1 : code;
  }

  // The flag's, else the loaded engine's, else the environment's, else the usual one.
  Status choose_generation() {
    HONE_ASSIGN(const std::optional<int> usual, generation_of_environment());
    if (!options_.generation && options_.load_engine.empty()) options_.generation = usual;
    std::optional<int> stored;
    if (!options_.load_engine.empty()) {
      const Clock::time_point start = Clock::now();
      loaded_.emplace(Engine::load(options_.load_engine));
      load_s_ = seconds_since(start);
      if (loaded_->ok()) stored = generation_of(**loaded_);
    }
    generation_ = options_.generation ? *options_.generation : stored ? *stored : usual.value_or(kDefaultGeneration);
    return {};
  }

  Status work() {
    const bool transfers = options_.transfers.value_or(generation_ < 11);
    for (const std::string& warning : command_.warnings) log_.warn(warning);
    tell_precision();
    for (const std::string& line : describe(options_, transfers)) log_.info(line);
    tell_device();
    HONE_TRY(check_targets());
    HONE_ASSIGN(const Engine engine, options_.onnx.empty() ? load() : build());
    if (options_.plan_version_only) return tell_plan_version(engine);
    for (const LayerInfo& layer : engine.layers(0))
      log_.verbose("Layer: " + layer.name + " (" + layer.op + "), kernel " + layer.kernel);
    HONE_TRY(tell_engine(engine));
    if (options_.skip_inference) {
      log_.info("Skipped inference phase since --skipInference is given.");
      return {};
    }
    return infer(engine, transfers);
  }

  Status check_targets() {
    std::error_code unknown;
    if (!options_.save_engine.empty() && std::filesystem::equivalent(options_.onnx, options_.save_engine, unknown)) {
      return invalid_argument("--saveEngine would overwrite the model '" + options_.onnx + "'; name another file");
    }
    for (const std::string* path : {&options_.save_engine, &options_.export_times, &options_.export_output,
                                    &options_.export_profile, &options_.export_layers}) {
      if (!path->empty()) HONE_TRY(check_target(*path));
    }
    return {};
  }

  void tell_precision() {
    if (options_.precisions.empty()) return;
    std::string names;
    for (const std::string& name : options_.precisions) names += (names.empty() ? "" : ", ") + name;
    log_.warn(names +
              " asked for: fewer bits are used where they help. On this CPU they don't (Hone has no such kernels "
              "for CPUs yet), so FP32 is computed.");
  }

  void tell_device() {
    log_.info("=== Device Information ===");
    log_.info("Selected Device: " + processor_name());
    log_.info("Selected Device ID: 0 (CPU)");
    log_.info("Instruction sets: " + instruction_sets());
    log_.info("Cores: " + std::to_string(usable_cores()));
    log_.info("Device Global Memory: " + std::to_string(memory_bytes() >> 20) + " MiB");
    log_.info("");
    log_.info("TensorRT version: " + version_of_generation(generation_));
    log_.info("Hone version: " HONE_VERSION ", which stands in for TensorRT here");
  }

  Result<Engine> load() {
    if (!loaded_->ok() && loaded_->status().code() == Code::kIncompatibleEngine) {
      const Clock::time_point start = Clock::now();
      *loaded_ = load_engine(options_.load_engine, {}, [this](std::string_view line) { log_.warn(line); });
      load_s_ = seconds_since(start);
    }
    if (!loaded_->ok()) return std::move(*loaded_).status();
    log_.info("Engine loaded in " + seconds_text(load_s_));
    return **loaded_;
  }

  Result<Engine> build() {
    BuildOptions build;
    build.profiles = options_.profiles;
    build.tune = options_.optimization_level != 0;
    if (options_.generation) build.metadata[kGenerationKey] = std::to_string(*options_.generation);
    build.log = [this](std::string_view line) { log_.info("[TRT] " + std::string(line)); };
    const Clock::time_point start = Clock::now();
    std::string stage;
    build.progress = [&](const BuildProgress& progress) {
      if (progress.stage == stage) return;
      if (stage == "import") {
        log_.info("Finished parsing network model. Parse time: " + plain(seconds_since(start)));
      }
      stage = progress.stage;
      log_.verbose("[TRT] Stage: " + stage);
    };
    log_.info("Start parsing network model.");
    HONE_ASSIGN(const BuiltEngine built, build_engine(options_.onnx, build));
    log_.info("Engine built in " + seconds_text(seconds_since(start)));
    log_.info("Created engine with size: " + mebibytes(static_cast<int64_t>(built.bytes.size())));
    for (const auto& [pass, count] : built.report.rewrites)
      log_.verbose("[TRT] " + pass + ": " + std::to_string(count));
    if (!options_.save_engine.empty()) HONE_TRY(built.save(options_.save_engine));
    const Clock::time_point loading = Clock::now();
    HONE_ASSIGN(Engine engine, Engine::from_bytes(built.bytes));
    log_.info("Engine deserialized in " + seconds_text(seconds_since(loading)));
    return engine;
  }

  Status tell_plan_version(const Engine& engine) {
    const auto version = engine.metadata().find("hone.version");
    log_.info("Plan was created with TensorRT version: " + version_of_generation(generation_));
    log_.info("Plan was created with Hone version: " +
              (version == engine.metadata().end() ? "unknown" : version->second));
    return {};
  }

  Status tell_engine(const Engine& engine) {
    const int profiles = std::max(engine.num_profiles(), 1);
    if (options_.profile >= profiles) {
      return invalid_argument("--useProfile=" + std::to_string(options_.profile) + ": the engine has " +
                              std::to_string(profiles) + " profiles, counted from 0");
    }
    if (options_.dump_profiles) report_shape_profiles(log_, engine);
    if (options_.dump_layers) report_layers(log_, engine, options_);
    if (options_.export_layers.empty()) return {};
    return write_file_atomically(options_.export_layers, layers_json(engine, options_));
  }

  Status infer(const Engine& engine, bool transfers) {
    HONE_ASSIGN(TimedInputs inputs, make_timed_inputs(engine, options_, generation_, log_));
    Status status = measure(engine, inputs, transfers);
    if (status.ok() || inputs.advice.empty()) return status;
    std::string message =
        status.message() + ". What nothing gave was taken as 1, which may be why; give real sizes: " + inputs.advice;
    if (!options_.save_engine.empty()) message += ". The engine is built and saved: " + options_.save_engine;
    return {status.code(), std::move(message)};
  }

  Status measure(const Engine& engine, const TimedInputs& inputs, bool transfers) {
    HONE_ASSIGN(TimedRun run, TimedRun::make(engine, inputs.tensors, options_.profile));
    log_.info("Created execution context with device memory size: " + mebibytes(run.context().memory_bytes()));
    for (const Binding& binding : engine.bindings()) {
      if (binding.is_input) continue;
      HONE_ASSIGN(const std::vector<int64_t> dims, run.context().shape(binding.name));
      log_.info("Output binding for " + binding.name + " with dimensions " + x_text(dims) + " is created.");
    }
    log_.info("Starting inference");
    std::fflush(stdout);
    HONE_ASSIGN(const Trace trace, run.time(options_, transfers));
    if (interrupted() != 0) log_.warn("stopped by a signal; this is what there is");
    if (trace.queries.empty()) return runtime_error("stopped before anything was measured");
    report_trace(log_, trace, options_);
    if (!options_.export_times.empty()) HONE_TRY(write_file_atomically(options_.export_times, times_json(trace)));
    HONE_TRY(hand_over_outputs(run));
    return hand_over_profile(run);
  }

  Status hand_over_outputs(TimedRun& run) {
    if (!options_.dump_output && options_.export_output.empty()) return {};
    HONE_ASSIGN(const std::vector<NamedTensor> outputs, run.outputs());
    if (options_.dump_output) report_outputs(log_, outputs);
    if (options_.export_output.empty()) return {};
    return write_file_atomically(options_.export_output, outputs_json(outputs));
  }

  Status hand_over_profile(TimedRun& run) {
    if ((!options_.dump_profile && options_.export_profile.empty()) || interrupted() != 0) return {};
    using Layers = std::vector<LayerSamples>;
    HONE_ASSIGN(const Layers layers, run.profile(options_));
    if (options_.dump_profile) report_profile(log_, layers);
    if (options_.export_profile.empty()) return {};
    return write_file_atomically(options_.export_profile, profile_json(layers));
  }

  const TrtexecCommand command_;
  TrtexecOptions options_;
  const std::string line_;
  const TrtexecLog log_;
  std::string title_;
  int generation_ = kDefaultGeneration;
  std::optional<Result<Engine>> loaded_;
  double load_s_ = 0;
};

}  // namespace

int run_trtexec(std::span<const std::string> arguments, const std::string& program) {
  TrtexecCommand command = parse_trtexec(arguments);
  if (command.help || arguments.empty()) {
    std::fputs(trtexec_help().c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : 1;
  }
  std::string line = program;
  for (const std::string& argument : arguments) line += " " + argument;
  return Trtexec(std::move(command), printable(line)).run();
}

}  // namespace hone::cli
