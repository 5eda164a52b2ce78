// What trtexec prints and writes of its measurements.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hone/engine.h"
#include "hone/tensor.h"
#include "tools/hone/measure.h"
#include "tools/hone/npy.h"
#include "tools/hone/trtexec_options.h"

namespace hone::cli {

// Lines "[11/25/2026-03:10:00] [I] text", made printable. Errors and warnings go to stderr, the rest to stdout.
class TrtexecLog {
 public:
  explicit TrtexecLog(bool verbose = false) : verbose_(verbose) {}
  void info(std::string_view text) const;
  void warn(std::string_view text) const;
  void error(std::string_view text) const;
  void verbose(std::string_view text) const;  // dropped unless --verbose

 private:
  bool verbose_;
};

// One run, in milliseconds since the warm-up began: copies of the inputs, the run, copies of the outputs.
struct Query {
  double start_h2d = 0, end_h2d = 0, start_compute = 0, end_compute = 0, start_d2h = 0, end_d2h = 0;
  double h2d() const { return end_h2d - start_h2d; }
  double compute() const { return end_compute - start_compute; }
  double d2h() const { return end_d2h - start_d2h; }
  double latency() const { return h2d() + compute() + d2h(); }
};

struct Trace {
  int64_t warm_up_queries = 0;
  double warm_up_ms = 0;
  std::vector<Query> queries;
  double wall_ms() const { return queries.empty() ? 0 : queries.back().end_d2h - queries.front().start_h2d; }
};

// From "Warmup completed" to the summary and its remarks. The trace isn't empty.
void report_trace(const TrtexecLog& log, const Trace& trace, const TrtexecOptions& options);
// The file of --exportTimes.
std::string times_json(const Trace& trace);

void report_profile(const TrtexecLog& log, const std::vector<LayerSamples>& layers);
std::string profile_json(const std::vector<LayerSamples>& layers);

void report_layers(const TrtexecLog& log, const Engine& engine, const TrtexecOptions& options);
std::string layers_json(const Engine& engine, const TrtexecOptions& options);

void report_shape_profiles(const TrtexecLog& log, const Engine& engine);

void report_outputs(const TrtexecLog& log, const std::vector<NamedTensor>& outputs);
std::string outputs_json(const std::vector<NamedTensor>& outputs);

}  // namespace hone::cli
