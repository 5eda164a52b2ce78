#include "tools/hone/conformance.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "hone/builder.h"
#include "hone/onnx_value.h"
#include "pipelines/common/files.h"

namespace hone::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kModel = "model.onnx";
constexpr std::string_view kDataSet = "test_data_set_";
constexpr int64_t kMaxTextBytes = int64_t{1} << 24;

bool is_case(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_regular_file(folder / kModel, error)) return false;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().starts_with(kDataSet)) return true;
  }
  return false;
}

// The number in PREFIX_N or PREFIX_N.pb; -1 for other names.
int number_after(const std::string& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return -1;
  int number = -1;
  for (const char c : name.substr(prefix.size())) {
    if (c < '0' || c > '9' || number > 100000) break;
    number = std::max(number, 0) * 10 + (c - '0');
  }
  return number;
}

// Paths in a folder that begin with `prefix`, by their number.
std::map<int, std::string> numbered(const fs::path& folder, std::string_view prefix) {
  std::map<int, std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const int number = number_after(entry.path().filename().string(), prefix);
    if (number >= 0) found[number] = entry.path().string();
  }
  return found;
}

std::vector<const Binding*> bindings_of(const Engine& engine, bool inputs) {
  std::vector<const Binding*> found;
  for (const Binding& binding : engine.bindings()) {
    if (binding.is_input == inputs) found.push_back(&binding);
  }
  return found;
}

Result<std::map<std::string, Tensor>> read_inputs(const Engine& engine, const fs::path& data_set) {
  const std::vector<const Binding*> inputs = bindings_of(engine, true);
  std::map<std::string, Tensor> tensors;
  for (const auto& [number, path] : numbered(data_set, "input_")) {
    if (static_cast<size_t>(number) >= inputs.size()) {
      return invalid_argument("there are more input files than the model's " + std::to_string(inputs.size()) +
                              " inputs");
    }
    HONE_ASSIGN(tensors[inputs[static_cast<size_t>(number)]->name], read_onnx_tensor_file(path));
  }
  return tensors;
}

Status check_data_set(const Engine& engine, const fs::path& data_set, const Tolerance& tolerance) {
  HONE_ASSIGN(ExecutionContext context, engine.create_context());
  using Tensors = std::map<std::string, Tensor>;
  HONE_ASSIGN(const Tensors inputs, read_inputs(engine, data_set));
  HONE_ASSIGN(const Tensors results, context.run(inputs));
  const std::vector<const Binding*> outputs = bindings_of(engine, false);
  const std::map<int, std::string> expected_files = numbered(data_set, "output_");
  if (expected_files.empty()) return invalid_argument("there are no expected outputs");
  for (const auto& [number, path] : expected_files) {
    if (static_cast<size_t>(number) >= outputs.size()) {
      return Status(Code::kAccuracy, "output " + std::to_string(number) + " is missing");
    }
    const std::string& name = outputs[static_cast<size_t>(number)]->name;
    HONE_ASSIGN(const Tensor expected, read_onnx_tensor_file(path));
    const std::string wrong = difference(results.at(name), expected, tolerance);
    if (!wrong.empty()) return Status(Code::kAccuracy, "output '" + name + "' " + wrong);
  }
  return {};
}

// A case may carry tolerances of its own.
Tolerance tolerance_of(const TestCase& test, Tolerance tolerance) {
  const Result<std::vector<std::byte>> bytes = read_file(test.folder + "/data.json", kMaxTextBytes);
  if (!bytes.ok()) return tolerance;
  const auto* text = reinterpret_cast<const char*>(bytes->data());
  const nlohmann::json data = nlohmann::json::parse(text, text + bytes->size(), nullptr, /*allow_exceptions=*/false);
  if (!data.is_object()) return tolerance;
  const auto take = [&](const char* key, double& value) {
    if (data.contains(key) && data[key].is_number()) value = data[key].get<double>();
  };
  take("rtol", tolerance.rtol);
  take("atol", tolerance.atol);
  return tolerance;
}

Status check_case(const TestCase& test, const CaseOptions& options) {
  BuildOptions build;
  build.device = options.device;
  build.tune = options.tune;
  build.threads = options.threads;
  HONE_ASSIGN(const BuiltEngine built, build_engine(test.folder + "/" + kModel, build));
  HONE_ASSIGN(const Engine engine, Engine::from_bytes(built.bytes, {.threads = options.threads}));
  const Tolerance tolerance = tolerance_of(test, options.tolerance);
  for (const auto& [number, folder] : numbered(test.folder, kDataSet)) {
    HONE_TRY(check_data_set(engine, folder, tolerance).with_context("data set " + std::to_string(number)));
  }
  return {};
}

}  // namespace

Result<std::vector<TestCase>> find_cases(const std::vector<std::string>& roots) {
  std::vector<fs::path> folders;
  for (const std::string& root : roots) {
    std::error_code error;
    if (!fs::is_directory(root, error)) return Status(Code::kNotFound, "'" + root + "' isn't a folder");
    const fs::path base = fs::canonical(root, error);
    if (is_case(base)) folders.push_back(base);
    for (auto at = fs::recursive_directory_iterator(base, error); !error && at != fs::recursive_directory_iterator();
         at.increment(error)) {
      if (at->is_directory(error) && !at->is_symlink(error) && is_case(at->path())) folders.push_back(at->path());
    }
  }
  std::sort(folders.begin(), folders.end());
  folders.erase(std::unique(folders.begin(), folders.end()), folders.end());
  std::vector<TestCase> cases;
  for (const fs::path& folder : folders) cases.push_back({folder.filename().string(), folder.string()});
  return cases;
}

CaseResult run_case(const TestCase& test, const CaseOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  Status status;
  try {
    status = check_case(test, options);
  } catch (const std::exception& error) {
    status = runtime_error(error.what());
  }
  CaseResult result;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.detail = status.message();
  result.outcome = status.ok()                           ? Outcome::kPassed
                   : status.code() == Code::kUnsupported ? Outcome::kUnsupported
                                                         : Outcome::kFailed;
  return result;
}

Result<SkipList> SkipList::load(const std::string& path) {
  HONE_ASSIGN(const std::vector<std::byte> bytes, read_file(path, kMaxTextBytes));
  std::string_view left(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  SkipList list;
  for (int number = 1; !left.empty(); ++number) {
    const size_t end = std::min(left.find('\n'), left.size());
    const std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos || line[0] == '#') continue;
    const size_t colon = line.find(": ");
    const bool complete = colon != std::string_view::npos && line.find_first_not_of(' ', colon + 2) < line.size();
    if (!complete) {
      return invalid_argument(path + ", line " + std::to_string(number) + ": expected 'PATTERN: reason'");
    }
    list.lines_.push_back({std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))});
  }
  return list;
}

const std::string* SkipList::reason(std::string_view name) {
  for (Line& line : lines_) {
    if (!matches(line.pattern, name)) continue;
    line.used = true;
    return &line.reason;
  }
  return nullptr;
}

std::vector<std::string> SkipList::unused() const {
  std::vector<std::string> patterns;
  for (const Line& line : lines_) {
    if (!line.used) patterns.push_back(line.pattern);
  }
  return patterns;
}

bool matches(std::string_view pattern, std::string_view name) {
  // Greedy: each star takes as little as it can, and is extended when what follows doesn't fit.
  size_t p = 0, n = 0, star = std::string_view::npos, star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace hone::cli
