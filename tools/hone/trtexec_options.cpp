#include "tools/hone/trtexec_options.h"

#include <algorithm>
#include <set>

#include "tools/hone/help.h"
#include "tools/hone/inputs.h"
#include "tools/hone/text.h"
#include "tools/hone/trtexec_flags.h"

namespace hone::cli {

namespace {

const Flag* find_used(std::string_view name) {
  for (const Flag& flag : used_flags()) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

const IgnoredFlags* find_in(std::span<const IgnoredFlags> groups, std::string_view name) {
  for (const IgnoredFlags& group : groups) {
    if (std::find(group.names.begin(), group.names.end(), name) != group.names.end()) return &group;
  }
  return nullptr;
}

// How many letters must change to make one of the other.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (std::tolower(a[i - 1]) == std::tolower(b[j - 1]) ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({change, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

std::string nearest_flag(std::string_view name) {
  constexpr size_t kNear = 2;
  std::string best;
  size_t least = kNear + 1;
  const auto consider = [&](std::string_view known) {
    if (const size_t changes = distance(name, known); changes < least) {
      least = changes;
      best = known;
    }
  };
  for (const Flag& flag : used_flags()) consider(flag.name);
  for (const IgnoredFlags& group : ignored_flags()) std::for_each(group.names.begin(), group.names.end(), consider);
  return best;
}

class Parser {
 public:
  TrtexecCommand parse(std::span<const std::string> arguments) {
    for (size_t i = 0; i < arguments.size(); ++i) {
      const std::string& argument = arguments[i];
      const bool separate = argument == "--tensorrt-generation" && i + 1 < arguments.size();
      take(separate ? argument + "=" + arguments[++i] : argument);
    }
    command_.help = state_.help;
    if (!command_.help && command_.errors.empty()) check();
    command_.options = std::move(state_.options);
    return std::move(command_);
  }

 private:
  void fail(std::string line) { command_.errors.push_back(std::move(line)); }
  void warn(std::string line) { command_.warnings.push_back(std::move(line)); }

  void take(const std::string& argument) {
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
    if (const Flag* flag = find_used(name)) return take_used(*flag, equals != std::string::npos, value);
    if (const IgnoredFlags* group = find_in(ignored_flags(), name)) return take_ignored(*group, name, value);
    if (const IgnoredFlags* group = find_in(refused_flags(), name))
      return fail(name + ": " + std::string(group->reason));
    std::string hint;
    if (!name.starts_with('-')) {
      hint = " (values follow '=': --onnx=FILE)";
    } else if (const std::string near = nearest_flag(name); !near.empty()) {
      hint = " (is " + near + " meant?)";
    }
    fail("Unknown option: " + name + " " + value + hint);
  }

  void take_used(const Flag& flag, bool has_value, const std::string& value) {
    const std::string name(flag.name);
    if (!flag.repeatable && !once(name)) return;
    if (flag.value.empty() && has_value) warn(name + " takes no value: '=" + value + "' is left out, the flag is on");
    if (!flag.value.empty() && !has_value)
      return fail(name + " needs a value: " + name + "=" + std::string(flag.value));
    const Status status = flag.apply(state_, value);
    if (!status.ok()) fail(name + ": " + status.message());
  }

  void take_ignored(const IgnoredFlags& group, const std::string& name, const std::string& value) {
    static const std::set<std::string> kLists = {"--plugins", "--staticPlugins", "--dynamicPlugins",
                                                 "--setPluginsToSerialize", "--safetyPlugins"};
    if (!kLists.contains(name) && !once(name)) return;
    if (kLists.contains(name) && !value.empty()) state_.options.plugins.push_back(value);
    if (name == "--workspace") state_.options.memory_pools = "workspace: " + value + " MiB";
    if (name == "--memPoolSize") state_.options.memory_pools = value;
    warn(name + " has no effect here: " + std::string(group.reason));
  }

  // A profile's shapes may come once for each profile.
  bool once(const std::string& name) {
    const bool of_profile = name == "--minShapes" || name == "--optShapes" || name == "--maxShapes";
    const std::string key = of_profile ? name + std::to_string(state_.profile) : name;
    if (seen_.insert(key).second) return true;
    fail("Unknown option: " + name + " (given more than once)");
    return false;
  }

  void check() {
    TrtexecOptions& options = state_.options;
    if (options.onnx.empty() && options.load_engine.empty()) {
      fail("there is no model: give --onnx=FILE to build an engine, or --loadEngine=FILE to run one");
    } else if (!options.onnx.empty() && !options.load_engine.empty()) {
      fail("--onnx and --loadEngine can't both be given: an engine is built or loaded");
    }
    if (!options.save_engine.empty() && !options.load_engine.empty()) {
      fail("--saveEngine and --loadEngine can't both be given: what is loaded is saved already");
    }
    if (options.plan_version_only && options.load_engine.empty()) fail("--getPlanVersionOnly needs --loadEngine=FILE");
    if (options.streams > 1) warn("one stream runs, not " + std::to_string(options.streams) + ": use the CPU's cores");
    make_profiles();
  }

  void make_profiles() {
    for (const auto& [index, shapes] : state_.profiles) {
      const bool min = !shapes.min.empty(), opt = !shapes.opt.empty(), max = !shapes.max.empty();
      if (!opt || min != max) return fail("give --optShapes alone, or --minShapes, --optShapes and --maxShapes");
      ShapeProfile profile;
      for (const auto& [name, dims] : shapes.opt) {
        if (min && (!shapes.min.contains(name) || !shapes.max.contains(name))) {
          return fail("input '" + name + "' needs a shape in each of --minShapes, --optShapes and --maxShapes");
        }
        profile[name] = {min ? shapes.min.at(name) : dims, dims, min ? shapes.max.at(name) : dims};
      }
      if (min && (shapes.min.size() != profile.size() || shapes.max.size() != profile.size())) {
        return fail("--minShapes, --optShapes and --maxShapes must name the same inputs");
      }
      state_.options.profiles.push_back(std::move(profile));
    }
    if (!state_.options.profiles.empty() || state_.options.shapes.empty()) return;
    ShapeProfile& only = state_.options.profiles.emplace_back();
    for (const auto& [name, dims] : state_.options.shapes) only[name] = {dims, dims, dims};
  }

  TrtexecCommand command_;
  FlagState state_;
  std::set<std::string> seen_;
};

std::string enabled(bool on) { return on ? "Enabled" : "Disabled"; }

void describe_build(const TrtexecOptions& options, std::vector<std::string>& lines) {
  std::string precision = "FP32";
  for (const std::string& name : options.precisions) precision += "+" + name;
  lines.push_back("=== Build Options ===");
  lines.push_back("Max batch: explicit batch");
  lines.push_back("Memory Pools: " + options.memory_pools);
  lines.push_back("Precision: " + precision);
  lines.push_back("Refit: Disabled");
  lines.push_back("Sparsity: Disabled");
  lines.push_back("Safe mode: Disabled");
  lines.push_back("Skip inference: " + enabled(options.skip_inference));
  lines.push_back("Save engine: " + options.save_engine);
  lines.push_back("Load engine: " + options.load_engine);
  lines.push_back("Profiling verbosity: " + std::to_string(options.layer_detail == LayerDetail::kAll ? 2 : 0));
  lines.push_back("BuilderOptimizationLevel: " + std::to_string(options.optimization_level));
  lines.push_back("Input(s)s format: as in the model");
  lines.push_back("Output(s)s format: as in the model");
  if (options.profiles.empty()) lines.push_back("Input build shapes: model");
  for (size_t i = 0; i < options.profiles.size(); ++i) {
    for (const auto& [name, range] : options.profiles[i]) {
      lines.push_back("Input build shape (profile " + std::to_string(i) + "): " + name + "=" + x_text(range.min) + "+" +
                      x_text(range.opt) + "+" + x_text(range.max));
    }
  }
}

void describe_inference(const TrtexecOptions& options, bool transfers, std::vector<std::string>& lines) {
  lines.push_back("=== Inference Options ===");
  lines.push_back("Batch: Explicit");
  if (options.shapes.empty()) lines.push_back("Input inference shapes: model");
  for (const auto& [name, dims] : options.shapes) {
    lines.push_back("Input inference shape : " + name + "=" + x_text(dims));
  }
  lines.push_back("Iterations: " + std::to_string(options.iterations));
  lines.push_back("Duration: " + plain(options.duration_s) + "s (+ " + plain(options.warm_up_ms) + "ms warm up)");
  lines.push_back("Sleep time: 0ms");
  lines.push_back("Idle time: " + plain(options.idle_ms) + "ms");
  lines.push_back("Inference Streams: 1");
  lines.push_back("ExposeDMA: Disabled");
  lines.push_back("Data transfers: " + enabled(transfers));
  lines.push_back("Spin-wait: Disabled");
  lines.push_back("Multithreading: Disabled");
  lines.push_back("CUDA Graph: Disabled");
  lines.push_back("Separate profiling: Enabled");
  lines.push_back("Optimization Profile Index: " + std::to_string(options.profile));
  lines.push_back("Inputs:");
  for (const auto& [name, file] : options.load_inputs) lines.push_back(name + "<-" + file);
}

void describe_reporting(const TrtexecOptions& options, std::vector<std::string>& lines) {
  std::string percentiles;
  for (const double p : options.percentiles) {
    percentiles += (percentiles.empty() ? "" : ",") + plain(p);
  }
  lines.push_back("=== Reporting Options ===");
  lines.push_back("Verbose: " + enabled(options.verbose));
  lines.push_back("Averages: " + std::to_string(options.runs_per_average) + " inferences");
  lines.push_back("Percentiles: " + percentiles);
  lines.push_back("Dump refittable layers:Disabled");
  lines.push_back("Dump output: " + enabled(options.dump_output));
  lines.push_back("Profile: " + enabled(options.dump_profile));
  lines.push_back("Export timing to JSON file: " + options.export_times);
  lines.push_back("Export output to JSON file: " + options.export_output);
  lines.push_back("Export profile to JSON file: " + options.export_profile);
  lines.push_back("");
}

}  // namespace

std::string x_text(std::span<const int64_t> dims) {
  std::string text;
  for (size_t i = 0; i < dims.size(); ++i) text += (i == 0 ? "" : "x") + std::to_string(dims[i]);
  return text.empty() ? "scalar" : text;
}

TrtexecCommand parse_trtexec(std::span<const std::string> arguments) { return Parser().parse(arguments); }

Result<NamedShapes> parse_named_shapes(const std::string& text) {
  NamedShapes shapes;
  std::string part;
  size_t colon = std::string::npos;
  bool quoted = false;
  const auto finish = [&]() -> Status {
    if (colon == std::string::npos || colon == 0) {
      return invalid_argument("'" + text + "' isn't NAME:1x3x640x640, or several of them separated by commas");
    }
    const std::string name = part.substr(0, colon), dims = part.substr(colon + 1);
    HONE_ASSIGN(std::vector<int64_t> shape, parse_shape(dims == "scalar" ? "" : dims));
    if (!shapes.emplace(name, std::move(shape)).second) return invalid_argument("'" + name + "' is there twice");
    part.clear();
    colon = std::string::npos;
    return {};
  };
  for (const char c : text) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      HONE_TRY(finish());
    } else {
      if (c == ':' && !quoted) colon = part.size();
      part += c;
    }
  }
  HONE_TRY(finish());
  return shapes;
}

std::string trtexec_help() {
  std::string help =
      "Builds and times engines as TensorRT's trtexec does: its flags, of every generation, and its report.\n"
      "\nUsage: hone trtexec --onnx=FILE [--saveEngine=FILE] [OPTIONS]\n"
      "       hone trtexec --loadEngine=FILE [OPTIONS]\n";
  std::string_view group;
  for (const Flag& flag : used_flags()) {
    if (flag.help.empty()) continue;
    if (flag.group != group) help += "\n" + std::string(flag.group) + ":\n";
    group = flag.group;
    const std::string value = flag.value.empty() ? "" : "=" + std::string(flag.value);
    help += two_columns(std::string(flag.name) + value, std::string(flag.help));
  }
  help += "\nAccepted without effect, since:\n";
  for (const IgnoredFlags& ignored : ignored_flags()) {
    std::string names;
    for (const std::string_view name : ignored.names) names += (names.empty() ? "" : " ") + std::string(name);
    help += "  " + std::string(ignored.reason) + "\n" + two_columns("", names);
  }
  return help +
         "\nExamples:\n"
         "  hone trtexec --onnx=yolov7.onnx --saveEngine=yolov7.hone --fp16\n"
         "  hone trtexec --onnx=model.onnx --minShapes=x:1x3x320x320 --optShapes=x:1x3x640x640 "
         "--maxShapes=x:4x3x1280x1280 --saveEngine=model.hone\n"
         "  hone trtexec --loadEngine=model.hone --shapes=x:2x3x640x640 --iterations=100 --exportTimes=times.json\n"
         "Without shapes open dimensions stay open in the engine; those that nothing gives are 1 in the timed run.\n"
         "A colon in a name is fine; quotes keep commas: --shapes=\"'a,b:0':1x3\". A symbolic link named trtexec to\n"
         "the hone command behaves as 'hone trtexec'. Exit codes: 0 passed, 1 failed, 130 and 143 on signals.\n";
}

std::vector<std::string> describe(const TrtexecOptions& options, bool transfers) {
  std::vector<std::string> lines = {
      "=== Model Options ===", std::string("Format: ") + (options.onnx.empty() ? "*" : "ONNX"),
      "Model: " + options.onnx, "Output:"};
  describe_build(options, lines);
  std::string plugins;
  for (const std::string& plugin : options.plugins) plugins += " " + plugin;
  lines.insert(lines.end(), {"=== System Options ===", "Device: CPU", "DLACore:", "Plugins:" + plugins});
  describe_inference(options, transfers, lines);
  describe_reporting(options, lines);
  return lines;
}

}  // namespace hone::cli
