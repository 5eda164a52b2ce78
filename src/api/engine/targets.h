// The built-in backends, in the order of preference for each target.
#pragma once

#include <span>
#include <string_view>

#include "hone/kernel.h"

namespace hone {

// "cpu": the CPU's kernels, then the reference's; "reference": only those. Unknown names: an error that lists them.
Result<std::span<const Backend* const>> backends_for(std::string_view device);

// This machine as a target. `threads` 0: all that the process may use.
Result<DeviceInfo> device_info_for(std::string_view device, int threads);

}  // namespace hone
