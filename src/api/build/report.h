// The build report as JSON.
#pragma once

#include <string>

#include "hone/builder.h"
#include "plan/plan.h"

namespace hone {

std::string report_json(const BuildReport& report, const EngineImage& image, int64_t engine_bytes);

}  // namespace hone
