// Taking times: of layers, of the process.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hone/engine.h"
#include "hone/status.h"

namespace hone::cli {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start);

// The largest resident memory that the process had so far.
int64_t peak_memory_bytes();

// One layer's times over the profiled runs.
struct LayerSamples {
  std::string name, op, kernel;
  std::vector<double> ms;
};

// Runs with profiling until `done(runs so far)` or a signal, and once at least unless a signal came before; layers in
// the order of their run. Profiling lengthens runs: time whole runs apart. Needs a GracefulInterrupt around it to stop
// gracefully.
Result<std::vector<LayerSamples>> profile_layers(ExecutionContext& context, const std::function<bool(int64_t)>& done);

}  // namespace hone::cli
