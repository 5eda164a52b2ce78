#include "api/engine/targets.h"

#include "backends/cpu/backend.h"
#include "backends/reference/backend.h"
#include "base/parallel.h"

namespace hone {

namespace {

// OpenMP crashes, or ends the process, where it can't start its threads.
constexpr int kMaxThreads = 1024;

Status unknown_device(std::string_view device) {
  return invalid_argument("there is no device '" + std::string(device) + "'; there are 'cpu' and 'reference'");
}

}  // namespace

Result<std::span<const Backend* const>> backends_for(std::string_view device) {
  static const Backend* const kCpu[] = {&cpu::backend(), &reference::backend()};
  static const Backend* const kReference[] = {&reference::backend()};
  if (device == "cpu") return std::span<const Backend* const>(kCpu);
  if (device == "reference") return std::span<const Backend* const>(kReference);
  return unknown_device(device);
}

Result<DeviceInfo> device_info_for(std::string_view device, int threads) {
  if (threads < 0 || threads > kMaxThreads) {
    return invalid_argument("the number of threads is " + std::to_string(threads) + "; give 0 to " +
                            std::to_string(kMaxThreads));
  }
  const int team = threads == 0 ? available_threads() : threads;
  if (device == "cpu") return cpu::device_info(team);
  if (device == "reference") {
    return DeviceInfo{.backend = "reference", .name = "plain loops", .isa = "", .threads = team, .memory_bytes = 0};
  }
  return unknown_device(device);
}

}  // namespace hone
