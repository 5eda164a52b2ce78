// What trtexec's command line asks for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hone/builder.h"
#include "hone/status.h"

namespace hone::cli {

// How much --dumpLayerInfo and --exportLayerInfo tell.
enum class LayerDetail { kNone, kNames, kAll };

using NamedShapes = std::map<std::string, std::vector<int64_t>>;

struct TrtexecOptions {
  std::string onnx, save_engine, load_engine;
  bool plan_version_only = false;

  // Empty: every open dimension stays open.
  std::vector<ShapeProfile> profiles;
  std::vector<std::string> precisions;  // asked for beside FP32: "FP16"
  std::string memory_pools = "default";
  int optimization_level = -1;  // -1: not given; 0: nothing is measured
  LayerDetail layer_detail = LayerDetail::kNames;
  std::optional<int> generation;
  bool skip_inference = false;

  std::vector<std::string> plugins;

  NamedShapes shapes;  // of the timed run; the contents of inputs that decide shapes
  std::map<std::string, std::string> load_inputs;
  int64_t iterations = 10;
  double warm_up_ms = 200, duration_s = 3;  // a negative duration: until a signal
  double idle_ms = 0;
  std::optional<bool> transfers;  // not given: the generation decides
  int64_t streams = 1;
  int profile = 0;

  bool verbose = false;
  int64_t runs_per_average = 10;
  std::vector<double> percentiles = {90, 95, 99};
  bool dump_output = false, dump_profile = false, dump_layers = false, dump_profiles = false;
  std::string export_times, export_output, export_profile, export_layers;
};

struct TrtexecCommand {
  TrtexecOptions options;
  bool help = false;
  std::vector<std::string> warnings;  // a line for each flag that has no effect here
  std::vector<std::string> errors;
};

// Reads the arguments after the command's name. Order is free; values follow '='; a flag is given once unless it is a
// list of libraries or --profile, which begins the shapes of another profile.
TrtexecCommand parse_trtexec(std::span<const std::string> arguments);

// "images:1x3x640x640,'b:0':2x4": the name ends at the last colon, single quotes are taken off and keep commas; "s:"
// and "s:scalar" have no dimensions.
Result<NamedShapes> parse_named_shapes(const std::string& text);

// "1x3x640x640"
std::string x_text(std::span<const int64_t> dims);

// The text of --help.
std::string trtexec_help();

// The report's sections "Model Options" to "Reporting Options", one line each.
std::vector<std::string> describe(const TrtexecOptions& options, bool transfers);

}  // namespace hone::cli
