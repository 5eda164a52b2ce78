// hone bench: how fast a model runs here.
#include <algorithm>
#include <memory>
#include <numeric>

#include "tools/hone/measure.h"
#include "tools/hone/options.h"
#include "tools/hone/shell.h"
#include "tools/hone/statistics.h"
#include "tools/hone/text.h"

namespace hone::cli {

namespace {

struct BenchArguments {
  std::string model;
  EngineArguments engine;
  FeedArguments feed;
  int warm_up = 5, iterations = 0, layers = 15;
  double duration_s = 3;
  bool no_layers = false;
};

struct Measurement {
  std::vector<double> run_ms;
  double total_s = 0;
  std::vector<LayerTime> layers;  // times are means over the profiled runs
  int64_t context_bytes = 0, peak_bytes = 0;
  double prepare_ms = 0;
};

// Runs until both the iterations (when given) or the duration are reached; stops early on a signal.
Status time_runs(ExecutionContext& context, const BenchArguments& arguments, Measurement& result) {
  const GracefulInterrupt graceful;
  for (int i = 0; i < arguments.warm_up && interrupted() == 0; ++i) HONE_TRY(context.run());
  const Clock::time_point start = Clock::now();
  const auto done = [&] {
    if (interrupted() != 0) return true;
    const auto runs = static_cast<int64_t>(result.run_ms.size());
    return arguments.iterations > 0 ? runs >= arguments.iterations
                                    : runs > 0 && seconds_since(start) >= arguments.duration_s;
  };
  while (!done()) {
    const Clock::time_point before = Clock::now();
    HONE_TRY(context.run());
    result.run_ms.push_back(seconds_since(before) * 1e3);
  }
  result.total_s = seconds_since(start);
  return {};
}

// Profiled runs are apart from the timed ones, whose times they would lengthen.
Status time_layers(ExecutionContext& context, const BenchArguments& arguments, Measurement& result) {
  if (arguments.no_layers || interrupted() != 0) return {};
  const GracefulInterrupt graceful;
  constexpr int64_t kMostRuns = 20;
  const int64_t runs = std::min(static_cast<int64_t>(result.run_ms.size()), kMostRuns);
  using Layers = std::vector<LayerSamples>;
  HONE_ASSIGN(const Layers layers, profile_layers(context, [&](int64_t finished) { return finished >= runs; }));
  for (const LayerSamples& layer : layers) {
    const double total_ms = std::accumulate(layer.ms.begin(), layer.ms.end(), 0.0);
    const double mean_us = total_ms * 1e3 / static_cast<double>(layer.ms.size());
    result.layers.push_back({layer.name, layer.op, layer.kernel, mean_us});
  }
  return {};
}

std::string layer_table(std::vector<LayerTime> layers, int most) {
  double total = 0;
  for (const LayerTime& layer : layers) total += layer.time_us;
  if (layers.empty() || total <= 0) return "";
  std::stable_sort(layers.begin(), layers.end(), [](const auto& a, const auto& b) { return a.time_us > b.time_us; });
  const size_t shown = most == 0 ? layers.size() : std::min<size_t>(layers.size(), static_cast<size_t>(most));
  Table table(
      {"ms", "share", "op", "kernel", "layer"},
      {Table::Align::kRight, Table::Align::kRight, Table::Align::kLeft, Table::Align::kLeft, Table::Align::kLeft});
  double rest = total;
  for (size_t i = 0; i < shown; ++i) {
    const LayerTime& layer = layers[i];
    rest -= layer.time_us;
    table.add({fixed(layer.time_us / 1e3, 3), fixed(layer.time_us / total * 100, 1) + "%", printable(layer.op),
               printable(layer.kernel), printable(layer.name)});
  }
  if (shown < layers.size()) {
    table.add({fixed(rest / 1e3, 3), fixed(rest / total * 100, 1) + "%", "", "",
               grouped(static_cast<int64_t>(layers.size() - shown)) + " more (--layers 0 shows all)"});
  }
  return "\nlayers, slowest first (mean of separate, profiled runs)\n" + table.text("  ");
}

std::string input_list(const std::map<std::string, Tensor>& inputs) {
  std::string text;
  for (const auto& [name, tensor] : inputs) {
    text += (text.empty() ? "" : ", ") + printable(name) + " " + std::string(name_of(tensor.dtype())) +
            shape_text(tensor.dims());
  }
  return text;
}

void print_text(const Shell& shell, const BenchArguments& arguments, const Engine& engine,
                const std::map<std::string, Tensor>& inputs, Measurement& m) {
  const TimingSummary t = summarize_timings(m.run_ms);
  Table facts({}, {Table::Align::kLeft, Table::Align::kLeft});
  facts.add({"engine", printable(engine.target())});
  facts.add({"inputs", input_list(inputs)});
  facts.add({"runs", grouped(t.count) + " in " + fixed(m.total_s, 2) + " s, after " +
                         std::to_string(arguments.warm_up) + " to warm up"});
  facts.add({"memory", "weights " + human_bytes(engine.weight_bytes()) + ", context " + human_bytes(m.context_bytes) +
                           ", process at most " + human_bytes(m.peak_bytes)});
  facts.add({"throughput", fixed(static_cast<double>(t.count) / std::max(m.total_s, 1e-9), 2) + " runs/s"});
  shell.print(facts.text("", 400) + "\n");
  Table latency({"latency (ms)", "min", "mean", "median", "p90", "p95", "p99", "max"},
                {Table::Align::kLeft, Table::Align::kRight, Table::Align::kRight, Table::Align::kRight,
                 Table::Align::kRight, Table::Align::kRight, Table::Align::kRight, Table::Align::kRight});
  latency.add({"", fixed(t.min, 3), fixed(t.mean, 3), fixed(t.median, 3), fixed(t.p90, 3), fixed(t.p95, 3),
               fixed(t.p99, 3), fixed(t.max, 3)});
  shell.print(latency.text());
  shell.print(layer_table(m.layers, arguments.layers));
}

void print_json(const Shell& shell, const BenchArguments& arguments, const Engine& engine,
                const std::map<std::string, Tensor>& inputs, Measurement& m) {
  const TimingSummary t = summarize_timings(m.run_ms);
  Json shapes = Json::object(), layers = Json::array();
  for (const auto& [name, tensor] : inputs) {
    shapes[name] = {{"type", name_of(tensor.dtype())},
                    {"shape", std::vector<int64_t>(tensor.dims().begin(), tensor.dims().end())}};
  }
  for (const LayerTime& layer : m.layers) {
    layers.push_back({{"name", layer.name}, {"op", layer.op}, {"kernel", layer.kernel}, {"mean_us", layer.time_us}});
  }
  shell.print_json(
      {{"model", arguments.model},
       {"target", engine.target()},
       {"inputs", std::move(shapes)},
       {"warm_up", arguments.warm_up},
       {"runs", t.count},
       {"total_s", m.total_s},
       {"throughput_per_s", static_cast<double>(t.count) / std::max(m.total_s, 1e-9)},
       {"latency_ms",
        {{"min", t.min},
         {"mean", t.mean},
         {"median", t.median},
         {"p90", t.p90},
         {"p95", t.p95},
         {"p99", t.p99},
         {"max", t.max}}},
       {"prepare_ms", m.prepare_ms},
       {"memory_bytes",
        {{"weights", engine.weight_bytes()}, {"context", m.context_bytes}, {"process_peak", m.peak_bytes}}},
       {"interrupted", interrupted() != 0},
       {"layers", std::move(layers)}});
}

Status bench(BenchArguments& arguments, Shell& shell) {
  HONE_ASSIGN(const Engine engine, open_model(arguments.model, arguments.engine, shell));
  arguments.feed.inputs.random_rest = true;
  using Inputs = std::map<std::string, Tensor>;
  HONE_ASSIGN(const Inputs inputs, feed(engine, arguments.feed));
  Measurement m;
  const Clock::time_point start = Clock::now();
  HONE_ASSIGN(ExecutionContext context, prepared_context(engine, arguments.feed.profile, inputs));
  m.prepare_ms = seconds_since(start) * 1e3;
  HONE_TRY(time_runs(context, arguments, m));
  HONE_TRY(time_layers(context, arguments, m));
  m.context_bytes = context.memory_bytes();
  m.peak_bytes = peak_memory_bytes();
  if (shell.json()) {
    print_json(shell, arguments, engine, inputs, m);
  } else {
    print_text(shell, arguments, engine, inputs, m);
  }
  shell.set_exit_code(interrupted());
  return {};
}

}  // namespace

void add_bench(CLI::App& app, Shell& shell) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App* command = app.add_subcommand("bench", "Measure how fast a model runs")->group("Engines");
  command->footer(
      "Examples:\n"
      "  hone bench yolov7.hone\n"
      "  hone bench model.onnx --shape images=8x3x640x640 --duration 10\n"
      "  hone bench model.hone --iterations 1000 --threads 1 --json > result.json\n"
      "Inputs that aren't given are random; open shapes take the profile's optimum.");
  command->add_option("model", arguments->model, "An ONNX model or an engine file")->required()->option_text("MODEL");
  command->add_option("--warm-up", arguments->warm_up, "Runs before the clock starts")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str()
      ->option_text("N")
      ->group("Measuring");
  command->add_option("--duration", arguments->duration_s, "Measure for so many seconds")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str()
      ->option_text("S")
      ->group("Measuring");
  command->add_option("--iterations", arguments->iterations, "Measure so many runs, however long they take")
      ->check(CLI::Range(1, 1000000000))
      ->option_text("N")
      ->group("Measuring");
  command->add_option("--layers", arguments->layers, "Rows of the layer table; 0: all")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str()
      ->option_text("N")
      ->group("Measuring");
  command->add_flag("--no-layers", arguments->no_layers, "No layer table, no profiled runs")->group("Measuring");
  add_feed_options(*command, arguments->feed);
  add_engine_options(*command, arguments->engine);
  shell.add_output_flags(*command);
  shell.set_action(*command, [arguments](Shell& used) { return bench(*arguments, used); });
}

}  // namespace hone::cli
