// hone inspect: what is in a model or engine.
#include <algorithm>
#include <memory>

#include "hone/builder.h"
#include "tools/hone/options.h"
#include "tools/hone/shell.h"
#include "tools/hone/text.h"

namespace hone::cli {

namespace {

struct InspectArguments {
  std::string model, graph;
  EngineArguments engine;
  bool layers = false;
  int profile = 0;
};

// Expressions longer than this are shown as "?"; --json has them in full.
constexpr size_t kLongestDim = 24;

std::string named_shape(const Binding& binding) {
  std::string text = std::string(name_of(binding.dtype)) + "[";
  for (size_t i = 0; i < binding.dim_names.size(); ++i) {
    const std::string& dim = binding.dim_names[i];
    text += (i == 0 ? "" : ",") + (dim.size() > kLongestDim ? "?" : dim);
  }
  return printable(text + "]");
}

std::string range_text(const Engine& engine, const std::string& input) {
  std::string text;
  for (int profile = 0; profile < engine.num_profiles(); ++profile) {
    const std::optional<ShapeRange> range = engine.profile_range(profile, input);
    if (!range) continue;
    text += (text.empty() ? "" : "; ") + ("profile " + std::to_string(profile) + ": ");
    text += range->min == range->max
                ? shape_text(range->opt)
                : shape_text(range->min) + " to " + shape_text(range->max) + ", best " + shape_text(range->opt);
  }
  return text;
}

std::string bindings_text(const Engine& engine) {
  Table table({}, {Table::Align::kLeft, Table::Align::kLeft, Table::Align::kLeft, Table::Align::kLeft});
  for (const Binding& binding : engine.bindings()) {
    const std::string note = binding.is_shape_value ? "its contents decide shapes" : range_text(engine, binding.name);
    table.add({binding.is_input ? "input" : "output", printable(binding.name), named_shape(binding), note});
  }
  return table.text("  ", 100);
}

std::string outputs_text(const LayerInfo& layer) {
  std::string text;
  for (const std::string& output : layer.outputs) text += (text.empty() ? "" : ", ") + printable(output);
  return text;
}

std::string layers_text(const std::vector<LayerInfo>& layers) {
  Table table(
      {"op", "kernel", "weights", "layer", "makes"},
      {Table::Align::kLeft, Table::Align::kLeft, Table::Align::kRight, Table::Align::kLeft, Table::Align::kLeft});
  for (const LayerInfo& layer : layers) {
    const std::string weights = layer.weight_bytes == 0 ? "" : human_bytes(layer.weight_bytes);
    const std::string kernel = layer.kernel.empty() ? "(a view)" : layer.kernel;
    table.add({printable(layer.op), printable(kernel) + (layer.shape_stage ? " (shapes)" : ""), weights,
               printable(layer.name), outputs_text(layer)});
  }
  return table.text("  ");
}

// How many steps each kernel serves, most first.
std::string kernels_text(const std::vector<LayerInfo>& layers) {
  std::map<std::pair<std::string, std::string>, int64_t> counts;
  for (const LayerInfo& layer : layers) ++counts[{layer.op, layer.kernel}];
  std::vector<std::pair<int64_t, std::pair<std::string, std::string>>> order;
  for (const auto& [key, count] : counts) order.emplace_back(count, key);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  Table table({}, {Table::Align::kRight, Table::Align::kLeft, Table::Align::kLeft});
  for (const auto& [count, key] : order) {
    table.add({grouped(count), printable(key.first), key.second.empty() ? "(a view)" : printable(key.second)});
  }
  return table.text("  ");
}

std::string metadata_text(const Engine& engine) {
  Table table({}, {Table::Align::kLeft, Table::Align::kLeft});
  for (const auto& [key, value] : engine.metadata()) table.add({printable(key), printable(value)});
  return table.empty() ? "" : "\nmetadata\n" + table.text("  ", 90);
}

Json bindings_json(const Engine& engine) {
  Json list = Json::array();
  for (const Binding& binding : engine.bindings()) {
    Json entry = {{"name", binding.name},   {"input", binding.is_input}, {"type", name_of(binding.dtype)},
                  {"shape", binding.shape}, {"dims", binding.dim_names}, {"decides_shapes", binding.is_shape_value}};
    Json profiles = Json::array();
    for (int profile = 0; binding.is_input && profile < engine.num_profiles(); ++profile) {
      const std::optional<ShapeRange> range = engine.profile_range(profile, binding.name);
      profiles.push_back(range ? Json{{"min", range->min}, {"opt", range->opt}, {"max", range->max}} : Json(nullptr));
    }
    if (!profiles.empty()) entry["profiles"] = std::move(profiles);
    list.push_back(std::move(entry));
  }
  return list;
}

Json layers_json(const std::vector<LayerInfo>& layers) {
  Json list = Json::array();
  for (const LayerInfo& layer : layers) {
    list.push_back({{"name", layer.name},
                    {"op", layer.op},
                    {"kernel", layer.kernel},
                    {"backend", layer.backend},
                    {"outputs", layer.outputs},
                    {"weight_bytes", layer.weight_bytes},
                    {"shape_stage", layer.shape_stage}});
  }
  return list;
}

// Arena bytes where every shape is known; nothing while some are open.
std::optional<int64_t> memory_bytes(const Engine& engine, int profile) {
  Result<ExecutionContext> context = engine.create_context();
  if (!context.ok() || !context->set_profile(profile).ok()) return std::nullopt;
  for (const Binding& binding : engine.bindings()) {
    const std::optional<ShapeRange> range = engine.profile_range(profile, binding.name);
    if (!binding.is_input || !range || binding.is_shape_value) continue;
    if (!context->set_input_shape(binding.name, range->max).ok()) return std::nullopt;
  }
  if (!context->prepare().ok()) return std::nullopt;
  return context->memory_bytes();
}

Status print_graph(const InspectArguments& arguments, Shell& shell) {
  BuildOptions options;
  options.log = shell.log();
  std::string text;
  if (arguments.graph != "after") {
    options.dump_after = arguments.graph == "before" ? "import" : arguments.graph;
    options.dump = [&](std::string_view pass, const std::string& graph) {
      if (options.dump_after == "all") text += "# after " + std::string(pass) + "\n";
      text += graph + "\n";
    };
  }
  HONE_ASSIGN(const std::string last, canonical_graph_text(arguments.model, options));
  if (arguments.graph == "after") text = last;
  if (text.empty()) return invalid_argument("--graph: there is no pass named '" + arguments.graph + "'");
  if (!text.ends_with('\n')) text += '\n';
  shell.print(printable(text, /*keep_lines=*/true));
  shell.print_json({{"graph", text}});
  return {};
}

bool is_engine_file(const std::string& path) { return path.ends_with(".hone"); }

Status inspect(InspectArguments& arguments, Shell& shell) {
  if (!arguments.graph.empty() && !is_engine_file(arguments.model)) return print_graph(arguments, shell);
  HONE_ASSIGN(const Engine engine, open_model(arguments.model, arguments.engine, shell));
  if (!arguments.graph.empty()) {
    if (arguments.graph != "after") {
      return invalid_argument("an engine holds its graph after all passes only; ask the ONNX model for '--graph " +
                              arguments.graph + "'");
    }
    shell.print(printable(engine.graph_text(), /*keep_lines=*/true));
    shell.print_json({{"graph", engine.graph_text()}});
    return {};
  }
  if (arguments.profile >= std::max(engine.num_profiles(), 1)) {
    return invalid_argument("--profile " + std::to_string(arguments.profile) + ": the engine has " +
                            std::to_string(engine.num_profiles()) + " profiles, counted from 0");
  }
  const std::vector<LayerInfo> layers = engine.layers(arguments.profile);
  const std::optional<int64_t> memory = memory_bytes(engine, arguments.profile);
  shell.print(printable(arguments.model) + ": " + printable(engine.target()) + "\n\nbindings\n" +
              bindings_text(engine));
  shell.print("\nmemory\n  weights " + human_bytes(engine.weight_bytes()) + ", a context " +
              (memory ? human_bytes(*memory) + (engine.num_profiles() > 0 ? " at the largest shapes" : "")
                      : std::string("as its shapes ask for")) +
              "\n");
  shell.print("\n" + grouped(static_cast<int64_t>(layers.size())) + (layers.size() == 1 ? " step" : " steps") +
              (arguments.layers ? "" : " (--layers lists them)") + "\n");
  shell.print(arguments.layers ? layers_text(layers) : kernels_text(layers));
  shell.print(metadata_text(engine));
  shell.print_json({{"model", arguments.model},
                    {"target", engine.target()},
                    {"profiles", engine.num_profiles()},
                    {"bindings", bindings_json(engine)},
                    {"weight_bytes", engine.weight_bytes()},
                    {"context_bytes", memory ? Json(*memory) : Json(nullptr)},
                    {"layers", layers_json(layers)},
                    {"metadata", engine.metadata()}});
  return {};
}

}  // namespace

void add_inspect(CLI::App& app, Shell& shell) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* command = app.add_subcommand("inspect", "Show what a model or an engine holds")->group("Engines");
  command->footer(
      "Examples:\n"
      "  hone inspect yolov7.hone\n"
      "  hone inspect yolov7.hone --layers\n"
      "  hone inspect yolov7.onnx --graph before\n"
      "  hone inspect yolov7.onnx --graph after");
  command->add_option("model", arguments->model, "An ONNX model or an engine file")->required()->option_text("MODEL");
  command->add_flag("--layers", arguments->layers, "One line for each step");
  command
      ->add_option("--graph", arguments->graph,
                   "Print the graph instead: as imported (before), after all passes (after), or after the named pass")
      ->option_text("before|after|PASS");
  command->add_option("--profile", arguments->profile, "Whose steps and memory are shown")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->option_text("N");
  add_engine_options(*command, arguments->engine);
  shell.add_output_flags(*command);
  shell.set_action(*command, [arguments](Shell& used) { return inspect(*arguments, used); });
}

}  // namespace hone::cli
