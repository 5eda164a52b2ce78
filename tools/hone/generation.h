// The generation of TensorRT's API that an engine serves: it decides how index inputs are bound and some defaults.
#pragma once

#include <optional>
#include <string>

#include "hone/engine.h"
#include "hone/status.h"

namespace hone::cli {

inline constexpr int kFirstGeneration = 7, kLastGeneration = 11, kDefaultGeneration = 10;
// Where the engine's metadata has it, and the environment variable that stands in for it.
inline constexpr const char* kGenerationKey = "hone.tensorrt_generation";
inline constexpr const char* kGenerationVariable = "HONE_TENSORRT_GENERATION";

// "7" to "11".
Result<int> parse_generation(const std::string& text);
// The environment variable's; nothing when it is unset or empty.
Result<std::optional<int>> generation_of_environment();
// What was stored when the engine was built; nothing when there is none.
std::optional<int> generation_of(const Engine& engine);

// A version of that generation for scripts that read one: "10.0.1", and as one number: "100001".
std::string version_of_generation(int generation);
std::string version_number_of_generation(int generation);

}  // namespace hone::cli
