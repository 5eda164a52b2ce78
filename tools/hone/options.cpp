#include "tools/hone/options.h"

namespace hone::cli {

void add_engine_options(CLI::App& command, EngineArguments& arguments, bool with_cache) {
  command.add_option("--device", arguments.device, "What to build for: cpu, or reference (plain loops, the oracle)")
      ->check(CLI::IsMember({"cpu", "reference"}))
      ->capture_default_str()
      ->option_text("NAME")
      ->group("Engine");
  command.add_option("--threads", arguments.threads, "CPU threads; 0: as many as the process may use")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str()
      ->option_text("N")
      ->group("Engine");
  command.add_flag("--no-tune", arguments.no_tune, "Take each step's first kernel instead of measuring")
      ->group("Engine");
  if (!with_cache) return;
  command.add_flag("--no-cache", arguments.no_cache, "Build an ONNX file anew, and keep nothing")->group("Engine");
}

Result<Engine> open_model(const std::string& path, const EngineArguments& arguments, Shell& shell) {
  OpenOptions options;
  options.device = arguments.device;
  options.threads = arguments.threads;
  options.tune = !arguments.no_tune;
  options.use_cache = !arguments.no_cache;
  options.log = shell.log();
  options.progress = shell.progress();
  Result<Engine> engine = open_engine(path, options);
  shell.end_progress();
  return engine;
}

void add_feed_options(CLI::App& command, FeedArguments& arguments) {
  command
      .add_option("-i,--input", arguments.inputs.inputs,
                  "An input: NAME=FILE.npy, NAME=FILE.npz[:ARRAY], NAME=FILE.pb, NAME=random[:LOW:HIGH] or NAME=zeros; "
                  "FILE.npz alone gives every array by its name. Repeatable")
      ->option_text("NAME=SOURCE")
      ->allow_extra_args(false)
      ->group("Inputs");
  command.add_option("-s,--shape", arguments.shapes, "The shape of an input that isn't read from a file. Repeatable")
      ->option_text("NAME=1x3x640x640")
      ->allow_extra_args(false)
      ->group("Inputs");
  command.add_option("--seed", arguments.inputs.seed, "Of the random inputs")
      ->capture_default_str()
      ->option_text("N")
      ->group("Inputs");
  command.add_option("--profile", arguments.profile, "Which of the engine's shape profiles")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->option_text("N")
      ->group("Inputs");
}

Result<std::map<std::string, Tensor>> feed(const Engine& engine, FeedArguments& arguments) {
  if (arguments.profile > 0 && arguments.profile >= engine.num_profiles()) {
    return invalid_argument("--profile " + std::to_string(arguments.profile) + ": the engine has " +
                            std::to_string(engine.num_profiles()) + " profiles, counted from 0");
  }
  HONE_ASSIGN(arguments.inputs.shapes, parse_fixed_shapes(arguments.shapes));
  return make_inputs(engine, arguments.profile, arguments.inputs);
}

Result<ExecutionContext> prepared_context(const Engine& engine, int profile,
                                          const std::map<std::string, Tensor>& inputs) {
  HONE_ASSIGN(ExecutionContext context, engine.create_context());
  HONE_TRY(context.set_profile(profile));
  for (const auto& [name, tensor] : inputs) {
    const bool decides_shapes = engine.find_binding(name)->is_shape_value;
    HONE_TRY(decides_shapes ? context.set_input_value(name, tensor.view()) : context.set_tensor(name, tensor.view()));
  }
  HONE_TRY(context.prepare());
  return context;
}

}  // namespace hone::cli
