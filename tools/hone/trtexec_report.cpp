#include "tools/hone/trtexec_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <numeric>

#include "tools/hone/shell.h"
#include "tools/hone/statistics.h"
#include "tools/hone/text.h"

namespace hone::cli {

namespace {

void write_line(std::FILE* stream, const char* level, std::string_view text) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char stamp[64];
  std::strftime(stamp, sizeof(stamp), "[%m/%d/%Y-%H:%M:%S] [", &local);
  const std::string line = stamp + std::string(level) + "] " + printable(text) + "\n";
  if (stream == stderr) std::fflush(stdout);
  std::fwrite(line.data(), 1, line.size(), stream);
}

using Metric = double (*)(const Query&);

std::vector<double> sorted_samples(const Trace& trace, Metric metric) {
  std::vector<double> samples;
  samples.reserve(trace.queries.size());
  for (const Query& query : trace.queries) samples.push_back(metric(query));
  std::sort(samples.begin(), samples.end());
  return samples;
}

double sum_of(const std::vector<double>& samples) { return std::accumulate(samples.begin(), samples.end(), 0.0); }
double mean_of(const std::vector<double>& samples) { return sum_of(samples) / static_cast<double>(samples.size()); }

std::string summary_line(const std::vector<double>& sorted, const std::vector<double>& percentiles) {
  std::string line = "min = " + plain(sorted.front()) + " ms, max = " + plain(sorted.back()) +
                     " ms, mean = " + plain(mean_of(sorted)) + " ms, median = " + plain(median(sorted)) + " ms";
  for (const double p : percentiles) {
    line += ", percentile(" + plain(p) + "%) = " + plain(percentile(sorted, p)) + " ms";
  }
  return line;
}

void report_averages(const TrtexecLog& log, const Trace& trace, int64_t runs_per_average) {
  log.info("");
  log.info("=== Trace details ===");
  log.info("Trace averages of " + std::to_string(runs_per_average) + " runs:");
  const auto n = static_cast<size_t>(runs_per_average);
  for (size_t first = 0; first + n <= trace.queries.size(); first += n) {
    double compute = 0, latency = 0;
    for (size_t i = first; i < first + n; ++i) {
      compute += trace.queries[i].compute() / static_cast<double>(n);
      latency += trace.queries[i].latency() / static_cast<double>(n);
    }
    log.info("Average on " + std::to_string(n) + " runs - GPU latency: " + plain(compute) +
             " ms - Host latency: " + plain(latency) + " ms (enqueue " + plain(compute) + " ms)");
  }
}

void warn_of_causes(const TrtexecLog& log, const Trace& trace) {
  const std::vector<double> compute = sorted_samples(trace, [](const Query& q) { return q.compute(); });
  const struct {
    Metric metric;
    const char* what;
  } copies[] = {{[](const Query& q) { return q.h2d(); }, "inputs"},
                {[](const Query& q) { return q.d2h(); }, "outputs"}};
  for (const auto& copy : copies) {
    if (median(sorted_samples(trace, copy.metric)) < median(compute)) continue;
    log.warn(std::string("* Copying the ") + copy.what +
             " takes as long as computing; --noDataTransfers leaves the copies out.");
  }
  const double mean = mean_of(compute);
  double variance = 0;
  for (const double ms : compute) variance += (ms - mean) * (ms - mean) / static_cast<double>(compute.size());
  constexpr double kUnsteadyPercent = 10;
  const double variation = mean > 0 ? std::sqrt(variance) / mean * 100 : 0;
  if (variation <= kUnsteadyPercent || compute.size() < 10) return;
  log.warn("* GPU compute time is unstable, with coefficient of variance = " + plain(variation) + "%.");
  log.warn("  Other programs on these cores, or too few runs: look at the median, and lengthen --duration.");
}

void explain(const TrtexecLog& log) {
  for (const char* line :
       {"", "=== Explanations of the performance metrics ===",
        "Total Host Walltime: from the start of the first run after the warm-up to the end of the last.",
        "GPU Compute Time: one run of the engine; here the CPU computes it. The name is trtexec's.",
        "Total GPU Compute Time: the sum over all runs.",
        "Throughput: the number of runs divided by Total Host Walltime.",
        "Enqueue Time: how long the call takes that starts a run. On the CPU it returns when the run is done, so it "
        "equals GPU Compute Time.",
        "H2D Latency: copying one run's inputs from the caller's buffers to those that the engine reads.",
        "D2H Latency: copying one run's outputs from the engine's buffers to the caller's.",
        "Latency: the sum of H2D Latency, GPU Compute Time and D2H Latency."}) {
    log.verbose(line);
  }
}

std::string dump(const Json& value) {
  return value.dump(2, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace) + "\n";
}

double total_ms(const std::vector<LayerSamples>& layers) {
  double total = 0;
  for (const LayerSamples& layer : layers) total += sum_of(layer.ms);
  return total;
}

double median_of(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return samples.empty() ? 0 : median(samples);
}

std::string padded(const std::string& text, size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string profile_row(double ms, double average, double median_ms, double percent, const std::string& name) {
  return padded(fixed(ms, 2), 11) + padded(fixed(average, 4), 14) + padded(fixed(median_ms, 4), 13) +
         padded(fixed(percent, 1), 10) + "   " + name;
}

}  // namespace

void TrtexecLog::info(std::string_view text) const { write_line(stdout, "I", text); }
void TrtexecLog::warn(std::string_view text) const { write_line(stderr, "W", text); }
void TrtexecLog::error(std::string_view text) const { write_line(stderr, "E", text); }
void TrtexecLog::verbose(std::string_view text) const {
  if (verbose_) write_line(stdout, "V", text);
}

void report_trace(const TrtexecLog& log, const Trace& trace, const TrtexecOptions& options) {
  const double wall_s = trace.wall_ms() / 1e3, count = static_cast<double>(trace.queries.size());
  log.info("Warmup completed " + std::to_string(trace.warm_up_queries) + " queries over " + plain(trace.warm_up_ms) +
           " ms");
  log.info("Timing trace has " + std::to_string(trace.queries.size()) + " queries over " + plain(wall_s) + " s");
  report_averages(log, trace, options.runs_per_average);
  const auto line = [&](const char* name, Metric metric) {
    log.info(name + (": " + summary_line(sorted_samples(trace, metric), options.percentiles)));
  };
  log.info("");
  log.info("=== Performance summary ===");
  log.info("Throughput: " + plain(count / std::max(wall_s, 1e-9)) + " qps");
  line("Latency", [](const Query& q) { return q.latency(); });
  line("Enqueue Time", [](const Query& q) { return q.compute(); });
  line("H2D Latency", [](const Query& q) { return q.h2d(); });
  line("GPU Compute Time", [](const Query& q) { return q.compute(); });
  line("D2H Latency", [](const Query& q) { return q.d2h(); });
  log.info("Total Host Walltime: " + plain(wall_s) + " s");
  const std::vector<double> compute = sorted_samples(trace, [](const Query& q) { return q.compute(); });
  log.info("Total GPU Compute Time: " + plain(sum_of(compute) / 1e3) + " s");
  warn_of_causes(log, trace);
  log.info("Explanations of the performance metrics are printed in the verbose logs.");
  explain(log);
  log.info("");
}

std::string times_json(const Trace& trace) {
  Json list = Json::array();
  for (const Query& q : trace.queries) {
    list.push_back({{"startEnqMs", q.start_compute},
                    {"endEnqMs", q.end_compute},
                    {"startH2dMs", q.start_h2d},
                    {"endH2dMs", q.end_h2d},
                    {"startComputeMs", q.start_compute},
                    {"endComputeMs", q.end_compute},
                    {"startD2hMs", q.start_d2h},
                    {"endD2hMs", q.end_d2h},
                    {"h2dMs", q.h2d()},
                    {"computeMs", q.compute()},
                    {"d2hMs", q.d2h()},
                    {"latencyMs", q.latency()}});
  }
  return dump(list);
}

void report_profile(const TrtexecLog& log, const std::vector<LayerSamples>& layers) {
  const double total = total_ms(layers);
  const size_t runs = layers.empty() ? 0 : layers.front().ms.size();
  log.info("");
  log.info("=== Profile (" + std::to_string(runs) + " iterations ) ===");
  log.info("   Time(ms)     Avg.(ms)   Median(ms)   Time(%)   Layer");
  double average_total = 0, median_total = 0;
  for (const LayerSamples& layer : layers) {
    const double ms = sum_of(layer.ms), average = mean_of(layer.ms), median_ms = median_of(layer.ms);
    average_total += average;
    median_total += median_ms;
    log.info(profile_row(ms, average, median_ms, total > 0 ? ms / total * 100 : 0, layer.name));
  }
  log.info(profile_row(total, average_total, median_total, 100, "Total"));
  log.info("");
}

std::string profile_json(const std::vector<LayerSamples>& layers) {
  const double total = total_ms(layers);
  Json list = Json::array({{{"count", layers.empty() ? 0 : layers.front().ms.size()}}});
  for (const LayerSamples& layer : layers) {
    const double ms = sum_of(layer.ms);
    list.push_back({{"name", layer.name},
                    {"timeMs", ms},
                    {"averageMs", mean_of(layer.ms)},
                    {"medianMs", median_of(layer.ms)},
                    {"percentage", total > 0 ? ms / total * 100 : 0}});
  }
  return dump(list);
}

void report_layers(const TrtexecLog& log, const Engine& engine, const TrtexecOptions& options) {
  log.info("Layer Information:");
  if (options.layer_detail == LayerDetail::kNone) return log.info("(none: --profilingVerbosity=none)");
  log.info("Layers:");
  for (const LayerInfo& layer : engine.layers(options.profile)) {
    std::string line = layer.name;
    if (options.layer_detail == LayerDetail::kAll) {
      line += ", LayerType: " + layer.op + ", TacticName: " + layer.kernel + ", Outputs: [";
      for (const std::string& output : layer.outputs) line += (&output == &layer.outputs[0] ? "" : "; ") + output;
      line += "], WeightBytes: " + std::to_string(layer.weight_bytes);
    }
    log.info(line);
  }
  log.info("");
  log.info("Bindings:");
  for (const Binding& binding : engine.bindings()) log.info(binding.name);
}

std::string layers_json(const Engine& engine, const TrtexecOptions& options) {
  Json layers = Json::array(), bindings = Json::array();
  for (const LayerInfo& layer : engine.layers(options.profile)) {
    if (options.layer_detail == LayerDetail::kNames) layers.push_back(layer.name);
    if (options.layer_detail != LayerDetail::kAll) continue;
    layers.push_back({{"Name", layer.name},
                      {"LayerType", layer.op},
                      {"Outputs", layer.outputs},
                      {"TacticName", layer.kernel},
                      {"WeightBytes", layer.weight_bytes},
                      {"ShapeStage", layer.shape_stage}});
  }
  for (const Binding& binding : engine.bindings()) bindings.push_back(binding.name);
  return dump({{"Layers", std::move(layers)}, {"Bindings", std::move(bindings)}});
}

void report_shape_profiles(const TrtexecLog& log, const Engine& engine) {
  if (engine.num_profiles() == 0) log.info("Optimization Profile 0: every open dimension takes any size");
  for (int profile = 0; profile < engine.num_profiles(); ++profile) {
    log.info("Optimization Profile " + std::to_string(profile) + ":");
    for (const Binding& binding : engine.bindings()) {
      const std::optional<ShapeRange> range = engine.profile_range(profile, binding.name);
      if (!binding.is_input || !range) continue;
      log.info("  " + binding.name + ": MIN=" + x_text(range->min) + " OPT=" + x_text(range->opt) +
               " MAX=" + x_text(range->max));
    }
  }
}

void report_outputs(const TrtexecLog& log, const std::vector<NamedTensor>& outputs) {
  log.info("Output Tensors:");
  for (const NamedTensor& output : outputs) {
    log.info(output.name + ": (" + x_text(output.tensor.dims()) + ")");
    std::string line;
    for (const double value : as_doubles(output.tensor)) line += (line.empty() ? "" : " ") + significant(value);
    log.info(line);
  }
}

std::string outputs_json(const std::vector<NamedTensor>& outputs) {
  Json list = Json::array();
  for (const NamedTensor& output : outputs) {
    Json values = Json::array();
    for (const double value : as_doubles(output.tensor)) values.push_back(json_number(value));
    list.push_back(
        {{"name", output.name}, {"dimensions", x_text(output.tensor.dims())}, {"values", std::move(values)}});
  }
  return dump(list);
}

}  // namespace hone::cli
