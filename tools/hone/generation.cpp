#include "tools/hone/generation.h"

#include <charconv>
#include <cstdlib>

namespace hone::cli {

namespace {

struct Version {
  int minor, patch;
};

// The last release before the next generation's habits, or the one that most code was written for.
Version release_of(int generation) {
  switch (generation) {
    case 7: return {2, 2};
    case 8: return {6, 1};
    case 9: return {3, 0};
    case 10: return {0, 1};
    default: return {1, 0};
  }
}

}  // namespace

Result<int> parse_generation(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < kFirstGeneration || value > kLastGeneration) {
    return invalid_argument("'" + text + "' isn't a generation of TensorRT: give " + std::to_string(kFirstGeneration) +
                            " to " + std::to_string(kLastGeneration));
  }
  return value;
}

Result<std::optional<int>> generation_of_environment() {
  const char* text = std::getenv(kGenerationVariable);
  if (text == nullptr || *text == '\0') return std::optional<int>();
  HONE_ASSIGN(const int generation, parse_generation(text).with_context(kGenerationVariable));
  return std::optional<int>(generation);
}

std::optional<int> generation_of(const Engine& engine) {
  const auto entry = engine.metadata().find(kGenerationKey);
  if (entry == engine.metadata().end()) return std::nullopt;
  const Result<int> generation = parse_generation(entry->second);
  return generation.ok() ? std::optional<int>(*generation) : std::nullopt;
}

std::string version_of_generation(int generation) {
  const Version release = release_of(generation);
  return std::to_string(generation) + "." + std::to_string(release.minor) + "." + std::to_string(release.patch);
}

std::string version_number_of_generation(int generation) {
  const Version release = release_of(generation);
  const int factor = generation < 10 ? 1000 : 10000;
  return std::to_string(generation * factor + release.minor * 100 + release.patch);
}

}  // namespace hone::cli
