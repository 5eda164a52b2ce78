// hone build: an ONNX model in, an engine file out.
#include <memory>

#include "hone/builder.h"
#include "hone/file.h"
#include "tools/hone/generation.h"
#include "tools/hone/inputs.h"
#include "tools/hone/options.h"
#include "tools/hone/shell.h"
#include "tools/hone/text.h"

namespace hone::cli {

namespace {

struct BuildArguments {
  std::string model, output, report;
  std::vector<std::string> shapes;
  EngineArguments engine;
  double max_memory_gib = 0;
  int64_t max_rewrites = -1;
  int generation = 0;
  std::string dump_after;
  bool allocation_free = false;
};

std::string default_output(const std::string& model) {
  const size_t slash = model.rfind('/'), dot = model.rfind('.');
  const bool has_extension = dot != std::string::npos && (slash == std::string::npos || dot > slash + 1);
  return (has_extension ? model.substr(0, dot) : model) + ".hone";
}

std::string summary(const BuildReport& report, const std::string& output, size_t bytes) {
  std::string rewrites;
  for (const auto& [pass, count] : report.rewrites) {
    if (count > 0) rewrites += "  " + printable(pass) + " " + grouped(count);
  }
  Table table({}, {Table::Align::kLeft, Table::Align::kLeft});
  table.add({"engine", printable(output) + ", " + human_bytes(static_cast<int64_t>(bytes))});
  table.add({"weights", human_bytes(report.weight_bytes)});
  table.add(
      {"nodes", grouped(report.nodes_before) + " in the model, " + grouped(report.nodes_after) + " in the engine"});
  table.add({"time", fixed(report.total_s, 1) + " s (import " + fixed(report.import_s, 1) + ", passes " +
                         fixed(report.passes_s, 1) + ", tuning " + fixed(report.tune_s, 1) + ")"});
  if (!rewrites.empty()) table.add({"rewrites", rewrites.substr(2)});
  return table.text("", 200);
}

Status build(BuildArguments& arguments, Shell& shell) {
  BuildOptions options;
  options.device = arguments.engine.device;
  options.threads = arguments.engine.threads;
  options.tune = !arguments.engine.no_tune;
  options.allocation_free_run = arguments.allocation_free;
  options.max_rewrites = arguments.max_rewrites;
  options.max_load_memory_bytes = static_cast<int64_t>(arguments.max_memory_gib * double(int64_t{1} << 30));
  HONE_ASSIGN(options.profiles, parse_profiles(arguments.shapes).with_context("--shape"));
  if (arguments.generation != 0) options.metadata[kGenerationKey] = std::to_string(arguments.generation);
  options.dump_after = arguments.dump_after;
  options.dump = [&](std::string_view pass, const std::string& text) {
    shell.print("# after " + printable(pass) + "\n" + printable(text, /*keep_lines=*/true) + "\n");
  };
  options.progress = shell.progress();
  options.log = shell.log();
  Result<BuiltEngine> built = build_engine(arguments.model, options);
  shell.end_progress();
  if (!built.ok()) return std::move(built).status();
  const std::string output = arguments.output.empty() ? default_output(arguments.model) : arguments.output;
  HONE_TRY(built->save(output));
  const BuildReport& report = built->report;
  if (!arguments.report.empty()) HONE_TRY(write_file_atomically(arguments.report, report.json + "\n"));
  shell.print(summary(report, output, built->bytes.size()));
  Json details = Json::parse(report.json, nullptr, /*allow_exceptions=*/false);
  shell.print_json({{"engine", output}, {"engine_bytes", built->bytes.size()}, {"report", std::move(details)}});
  return {};
}

}  // namespace

void add_build(CLI::App& app, Shell& shell) {
  auto arguments = std::make_shared<BuildArguments>();
  CLI::App* command = app.add_subcommand("build", "Build an engine file from an ONNX model")->group("Engines");
  command->footer(
      "Examples:\n"
      "  hone build yolov7.onnx -o yolov7.hone\n"
      "  hone build yolov7.onnx -o yolov7.hone --shape images=1x3x640x640\n"
      "  hone build yolov7.onnx -o yolov7.hone --shape images=1x3x320x320:1x3x640x640:4x3x1280x1280\n"
      "Without --shape any shape may be given at run time. A name that is given again begins another profile.");
  command->add_option("model", arguments->model, "The ONNX model")->required()->option_text("MODEL.onnx");
  command->add_option("-o,--output", arguments->output, "The engine file; MODEL.hone if left out")
      ->option_text("FILE.hone");
  command
      ->add_option("-s,--shape", arguments->shapes,
                   "An input's shape, or its smallest, best and largest shape. Repeatable")
      ->option_text("NAME=MIN:OPT:MAX")
      ->allow_extra_args(false);
  add_engine_options(*command, arguments->engine, /*with_cache=*/false);
  command
      ->add_option("--max-load-memory", arguments->max_memory_gib,
                   "Refuse models that need more GiB than this while they load; 0: the smaller of 8 and half of all")
      ->check(CLI::Range(0.0, 1e6))
      ->option_text("GIB")
      ->group("Engine");
  command
      ->add_option("--tensorrt-generation", arguments->generation,
                   "The generation of TensorRT's interface that the engine serves, 7 to 11; $HONE_TENSORRT_GENERATION "
                   "if left out, else 10 is assumed where it matters")
      ->check(CLI::Range(kFirstGeneration, kLastGeneration))
      ->envname(kGenerationVariable)
      ->option_text("N")
      ->group("Engine");
  command
      ->add_flag("--allocation-free", arguments->allocation_free,
                 "Only kernels whose runs allocate nothing, not even inside a library; may be slower")
      ->group("Engine");
  command->add_option("--report", arguments->report, "Write what was measured and chosen, as JSON")
      ->option_text("FILE.json")
      ->group("Output");
  shell.add_output_flags(*command);
  command->add_option("--dump-after", arguments->dump_after, "Print the graph after this pass ('import', 'all')")
      ->option_text("PASS")
      ->group("For finding a wrong rewrite");
  command->add_option("--max-rewrites", arguments->max_rewrites, "Stop rewriting after so many")
      ->option_text("N")
      ->group("For finding a wrong rewrite");
  shell.set_action(*command, [arguments](Shell& used) { return build(*arguments, used); });
}

}  // namespace hone::cli
