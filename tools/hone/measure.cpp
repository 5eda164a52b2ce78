#include "tools/hone/measure.h"

#include <sys/resource.h>

#include "tools/hone/shell.h"

namespace hone::cli {

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

int64_t peak_memory_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

Result<std::vector<LayerSamples>> profile_layers(ExecutionContext& context, const std::function<bool(int64_t)>& done) {
  std::vector<LayerSamples> layers;
  context.enable_profiling(true);
  Status status;
  for (int64_t runs = 0; status.ok() && interrupted() == 0 && (runs == 0 || !done(runs)); ++runs) {
    status = context.run();
    if (!status.ok()) break;
    const std::vector<LayerTime> times = context.last_profile();
    for (size_t i = 0; i < times.size(); ++i) {
      if (i == layers.size()) layers.push_back({times[i].name, times[i].op, times[i].kernel, {}});
      layers[i].ms.push_back(times[i].time_us / 1e3);
    }
  }
  context.enable_profiling(false);
  if (!status.ok()) return status;
  return layers;
}

}  // namespace hone::cli
