#include "tools/hone/trtexec_flags.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "tools/hone/generation.h"
#include "tools/hone/text.h"

namespace hone::cli {

namespace {

using Text = std::string;

Result<double> number(const Text& text, double least, double most) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= least && value <= most)) {
    return invalid_argument("'" + text + "' isn't a number from " + fixed(least, 0) + " to " + fixed(most, 0));
  }
  return value;
}

template <auto kMember, int64_t kLeast, int64_t kMost>
Status set_number(FlagState& state, const Text& text) {
  HONE_ASSIGN(state.options.*kMember, number(text, static_cast<double>(kLeast), static_cast<double>(kMost)));
  return {};
}

Status set_whole(int64_t& target, const Text& text, int64_t least, int64_t most) {
  HONE_ASSIGN(const double value, number(text, static_cast<double>(least), static_cast<double>(most)));
  if (value != std::floor(value)) return invalid_argument("'" + text + "' isn't a whole number");
  target = static_cast<int64_t>(value);
  return {};
}

template <auto kMember, int64_t kLeast, int64_t kMost>
Status set_whole(FlagState& state, const Text& text) {
  int64_t value = 0;
  HONE_TRY(set_whole(value, text, kLeast, kMost));
  state.options.*kMember = static_cast<std::decay_t<decltype(state.options.*kMember)>>(value);
  return {};
}

template <auto kMember, bool kValue = true>
Status set_switch(FlagState& state, const Text& /*text*/) {
  state.options.*kMember = kValue;
  return {};
}

template <auto kMember>
Status set_path(FlagState& state, const Text& text) {
  if (text.empty()) return invalid_argument("a file's name must follow '='");
  state.options.*kMember = text;
  return {};
}

Status add_shapes(NamedShapes& target, const Text& text) {
  HONE_ASSIGN(const NamedShapes shapes, parse_named_shapes(text));
  for (const auto& [name, dims] : shapes) target[name] = dims;
  return {};
}

Status add_run_shapes(FlagState& state, const Text& text) { return add_shapes(state.options.shapes, text); }

template <auto kMember>
Status add_profile_shapes(FlagState& state, const Text& text) {
  return add_shapes(state.profiles[state.profile].*kMember, text);
}

enum class Precision { kFp16, kBf16, kInt8, kFp8, kInt4, kFp4, kBest };

template <Precision kPrecision>
Status add_precision(FlagState& state, const Text& /*text*/) {
  constexpr const char* kNames[] = {"FP16", "BF16", "INT8", "FP8", "INT4", "FP4", "BEST"};
  state.options.precisions.push_back(kNames[static_cast<size_t>(kPrecision)]);
  return {};
}

Status ask_for_help(FlagState& state, const Text& /*text*/) {
  state.help = true;
  return {};
}

// "name:file,name:file"; the name ends at the first colon that isn't in single quotes.
Status set_load_inputs(FlagState& state, const Text& text) {
  Text name, part;
  bool quoted = false, named = false;
  for (size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    if (i == text.size()) quoted = false;
    if (c == '\'') {
      quoted = !quoted;
    } else if (c == ':' && !quoted && !named) {
      name = std::move(part);
      part.clear();
      named = true;
    } else if (c == ',' && !quoted) {
      if (!named || name.empty() || part.empty()) {
        return invalid_argument("'" + text + "' isn't NAME:FILE, or several of them separated by commas");
      }
      state.options.load_inputs[name] = std::move(part);
      part.clear();
      named = false;
    } else {
      part += c;
    }
  }
  return {};
}

Status set_percentiles(FlagState& state, const Text& text) {
  std::vector<double> percentiles;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    HONE_ASSIGN(const double value, number(text.substr(at, end - at), 0, 100));
    percentiles.push_back(value);
    at = end + 1;
  }
  state.options.percentiles = std::move(percentiles);
  return {};
}

Status set_layer_detail(FlagState& state, const Text& text) {
  // The first three are of TensorRT 8.6 and later, the others older names.
  const std::map<Text, LayerDetail> kinds = {{"layer_names_only", LayerDetail::kNames},
                                             {"detailed", LayerDetail::kAll},
                                             {"none", LayerDetail::kNone},
                                             {"default", LayerDetail::kNames},
                                             {"verbose", LayerDetail::kAll}};
  const auto kind = kinds.find(text);
  if (kind == kinds.end()) return invalid_argument("'" + text + "' isn't layer_names_only, detailed or none");
  state.options.layer_detail = kind->second;
  return {};
}

Status set_generation(FlagState& state, const Text& text) {
  HONE_ASSIGN(state.options.generation, parse_generation(text));
  return {};
}

Status set_profile(FlagState& state, const Text& text) {
  int64_t profile = 0;
  HONE_TRY(set_whole(profile, text, 0, 1000));
  state.profile = static_cast<int>(profile);
  if (state.profile > static_cast<int>(state.profiles.size())) {
    return invalid_argument("profiles are counted from 0 without gaps; give the shapes of profile " +
                            std::to_string(state.profiles.size()) + " first");
  }
  return {};
}

Status nothing(FlagState& /*state*/, const Text& /*value*/) { return {}; }

constexpr int64_t kMany = 1000000000;
constexpr const char* kShapes = "NAME:1x3x640x640[,NAME:...]";

constexpr Flag kFlags[] = {
    {"--onnx", "FILE", "Model", "The ONNX model to build an engine from", set_path<&TrtexecOptions::onnx>},
    {"--loadEngine", "FILE", "Model", "An engine file to run instead", set_path<&TrtexecOptions::load_engine>},
    {"--saveEngine", "FILE", "Model", "Where the built engine goes", set_path<&TrtexecOptions::save_engine>},
    {"--getPlanVersionOnly", "", "Model", "Print which generation and version --loadEngine was built for, and stop",
     set_switch<&TrtexecOptions::plan_version_only>},

    {"--minShapes", kShapes, "Build", "The smallest shapes of a profile; inputs that aren't listed stay open",
     add_profile_shapes<&FlagState::Shapes::min>},
    {"--optShapes", kShapes, "Build", "The shapes to tune for; alone: the only shapes",
     add_profile_shapes<&FlagState::Shapes::opt>},
    {"--maxShapes", kShapes, "Build", "The largest shapes", add_profile_shapes<&FlagState::Shapes::max>},
    {"--profile", "N", "Build", "The shapes that follow are those of profile N, from 0", set_profile, true},
    {"--fp16", "", "Build",
     "Also --bf16 --int8 --fp8 --int4 --fp4 --best: fewer bits where that helps. On CPUs nothing does yet: FP32 is "
     "computed",
     add_precision<Precision::kFp16>},
    {"--bf16", "", "", "", add_precision<Precision::kBf16>},
    {"--int8", "", "", "", add_precision<Precision::kInt8>},
    {"--fp8", "", "", "", add_precision<Precision::kFp8>},
    {"--int4", "", "", "", add_precision<Precision::kInt4>},
    {"--fp4", "", "", "", add_precision<Precision::kFp4>},
    {"--best", "", "", "", add_precision<Precision::kBest>},
    {"--builderOptimizationLevel", "N", "Build", "0: take each step's first kernel; more: measure them",
     set_whole<&TrtexecOptions::optimization_level, 0, 5>},
    {"--skipInference", "", "Build", "Build and save only; also --buildOnly",
     set_switch<&TrtexecOptions::skip_inference>},
    {"--buildOnly", "", "", "", set_switch<&TrtexecOptions::skip_inference>},
    {"--tensorrt-generation", "N", "Build",
     "7 to 11: the generation of TensorRT that the engine serves. Below 10 64-bit inputs and outputs are bound as "
     "32-bit ones; before 11 copies are timed. Default: $HONE_TENSORRT_GENERATION, else 10",
     set_generation},
    {"--explicitBatch", "", "", "", nothing},
    {"--stronglyTyped", "", "", "", nothing},

    {"--shapes", kShapes, "Inference",
     "The shapes to run with (for an input that decides shapes: its contents); without other shapes also those to "
     "build for",
     add_run_shapes},
    {"--loadInputs", "NAME:FILE[,NAME:...]", "Inference",
     "Inputs from raw bytes, .npy, .npz or .pb files; the others are random (whole numbers: 0)", set_load_inputs},
    {"--iterations", "N", "Inference", "Run at least so often (default 10)",
     set_whole<&TrtexecOptions::iterations, 0, kMany>},
    {"--warmUp", "MS", "Inference", "Run so long before the clock starts (default 200)",
     set_number<&TrtexecOptions::warm_up_ms, 0, kMany>},
    {"--duration", "S", "Inference", "Measure at least so long (default 3); -1: until Ctrl-C",
     set_number<&TrtexecOptions::duration_s, -1, 1000000>},
    {"--idleTime", "MS", "Inference", "Sleep between runs", set_number<&TrtexecOptions::idle_ms, 0, 1000000>},
    {"--useProfile", "N", "Inference", "The shape profile to run with (default 0)",
     set_whole<&TrtexecOptions::profile, 0, 1000>},
    {"--noDataTransfers", "", "Inference",
     "Copies between the caller's buffers and the engine's aren't timed (so from generation 11 on)",
     set_switch<&TrtexecOptions::transfers, false>},
    {"--includeDataTransfers", "", "Inference", "They are", set_switch<&TrtexecOptions::transfers, true>},
    {"--infStreams", "N", "Inference", "Also --streams; one stream runs whatever N is",
     set_whole<&TrtexecOptions::streams, 1, 1000>},
    {"--streams", "N", "", "", set_whole<&TrtexecOptions::streams, 1, 1000>},
    {"--separateProfileRun", "", "", "", nothing},

    {"--verbose", "", "Reporting", "Say more: the build's steps, layers, what the numbers mean",
     set_switch<&TrtexecOptions::verbose>},
    {"--avgRuns", "N", "Reporting", "Runs in each line of the trace (default 10)",
     set_whole<&TrtexecOptions::runs_per_average, 1, kMany>},
    {"--percentile", "P[,P...]", "Reporting", "Percentiles of the summary (default 90,95,99)", set_percentiles},
    {"--dumpOutput", "", "Reporting", "Print the last run's outputs", set_switch<&TrtexecOptions::dump_output>},
    {"--dumpProfile", "", "Reporting", "Print each layer's time, from runs after the timed ones",
     set_switch<&TrtexecOptions::dump_profile>},
    {"--dumpLayerInfo", "", "Reporting", "Print the engine's layers", set_switch<&TrtexecOptions::dump_layers>},
    {"--dumpOptimizationProfile", "", "Reporting", "Print the engine's shape profiles",
     set_switch<&TrtexecOptions::dump_profiles>},
    {"--profilingVerbosity", "KIND", "Reporting",
     "What is told of layers: layer_names_only (default), detailed or none", set_layer_detail},
    {"--exportTimes", "FILE", "Reporting", "Write each run's times as JSON", set_path<&TrtexecOptions::export_times>},
    {"--exportOutput", "FILE", "Reporting", "Write the last run's outputs as JSON",
     set_path<&TrtexecOptions::export_output>},
    {"--exportProfile", "FILE", "Reporting", "Write each layer's time as JSON",
     set_path<&TrtexecOptions::export_profile>},
    {"--exportLayerInfo", "FILE", "Reporting", "Write the engine's layers as JSON",
     set_path<&TrtexecOptions::export_layers>},

    {"--help", "", "System", "Print this and exit; also -h", ask_for_help, true},
    {"-h", "", "", "", ask_for_help, true},
};

const IgnoredFlags kIgnored[] = {
    {"the engine runs on the CPU",
     {"--device",
      "--useDLACore",
      "--allowGPUFallback",
      "--buildDLAStandalone",
      "--uint8AsymmetricQuantizationDLA",
      "--reportCapabilityDLA",
      "--adjustForDLA",
      "--layerDeviceTypes",
      "--useCudaGraph",
      "--noCudaGraph",
      "--useSpinWait",
      "--noSpinWait",
      "--exposeDMA",
      "--useManagedMemory",
      "--persistentCacheRatio",
      "--weightStreamingBudget",
      "--allowWeightStreaming",
      "--maxAuxStreams",
      "--hardwareCompatibilityLevel",
      "--sleepTime",
      "--l2LimitForTiling",
      "--tilingOptimizationLevel",
      "--nvtxMode",
      "--cpuOnly",
      "--threads"}},
    {"memory is taken as the model needs it",
     {"--workspace", "--memPoolSize", "--allocationStrategy", "--monitorMemory"}},
    {"an engine file has a portable part that serves every machine",
     {"--versionCompatible", "--vc", "--excludeLeanRuntime", "--leanDLLPath", "--useRuntime", "--runtimePlatform",
      "--tempdir", "--tempfileControls", "--asyncFileReader"}},
    {"an engine keeps its weights and can't be given others",
     {"--refit", "--stripWeights", "--stripAllWeights", "--refitFromOnnx", "--timeRefit", "--dumpRefit",
      "--weightless"}},
    {"Hone's own tuner chooses the kernels",
     {"--avgTiming",
      "--minTiming",
      "--maxTactics",
      "--tacticSources",
      "--timingCacheFile",
      "--errorOnTimingCacheMiss",
      "--noBuilderCache",
      "--noCompilationCache",
      "--remoteAutoTuningConfig",
      "--preview",
      "--heuristic",
      "--distributiveIndependence",
      "--decomposableAttentions",
      "--sparsity",
      "--tuneBuildRoutes",
      "--tuneBuildRouteFile",
      "--tuningSearch",
      "--tuningCacheFile",
      "--tuningTimeOut",
      "--saveAllEngines",
      "--dryRun",
      "--continue",
      "--helpBuildRoute",
      "--setBuildRoute"}},
    {"inputs and outputs keep the model's types, in row-major order",
     {"--inputIOFormats", "--outputIOFormats", "--directIO"}},
    {"layers keep the model's types",
     {"--noTF32", "--precisionConstraints", "--layerPrecisions", "--layerOutputTypes", "--explicitPrecision"}},
    {"nothing is calibrated",
     {"--calib", "--calibProfile", "--minShapesCalib", "--optShapesCalib", "--maxShapesCalib"}},
    {"libraries of TensorRT plugins aren't loaded; Hone's own operators serve",
     {"--plugins", "--staticPlugins", "--dynamicPlugins", "--setPluginsToSerialize", "--ignoreParsedPluginLibs",
      "--safetyPlugins", "--enablePluginOverride", "--pluginInstanceNorm", "--pi", "--nativeInstanceNorm", "--ni"}},
    {"there is one runtime, without a safe mode", {"--safe", "--consistency", "--restricted"}},
    {"intermediate values can't be kept",
     {"--markDebug", "--markUnfusedTensorsAsDebugTensors", "--saveDebugTensors", "--saveAllDebugTensors",
      "--dumpKernelText"}},
    {"--exportOutput and 'hone run --output' write the outputs", {"--dumpRawBindingsToFile"}},
    {"an ONNX model has its batch in its inputs' shapes", {"--batch", "--maxBatch"}},
    {"the time is in the line 'Engine loaded in'", {"--timeDeserialize"}},
};

const IgnoredFlags kRefused[] = {
    {"models of Caffe and UFF aren't read; export the model to ONNX and give --onnx=FILE",
     {"--model", "--deploy", "--output", "--uff", "--uffInput", "--uffNHWC"}},
    {"outputs aren't compared; write them with --exportOutput or 'hone run', or use 'hone test'",
     {"--loadRefOutputs", "--refPair", "--accuracyAlgorithm", "--accuracyThreshold", "--atol", "--rtol"}},
};

}  // namespace

std::span<const Flag> used_flags() { return kFlags; }
std::span<const IgnoredFlags> ignored_flags() { return kIgnored; }
std::span<const IgnoredFlags> refused_flags() { return kRefused; }

}  // namespace hone::cli
