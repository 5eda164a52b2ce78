// Test cases in the layout of ONNX's backend tests: a folder with model.onnx and test_data_set_N/{input,output}_M.pb.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hone/status.h"
#include "tools/hone/compare.h"

namespace hone::cli {

struct TestCase {
  std::string name;    // of the folder
  std::string folder;  // its path
};

// Every case in or below `roots`, by path. Errors: a root that isn't a folder.
Result<std::vector<TestCase>> find_cases(const std::vector<std::string>& roots);

enum class Outcome { kPassed, kFailed, kUnsupported };

struct CaseResult {
  Outcome outcome = Outcome::kFailed;
  std::string detail;  // why it failed or isn't supported
  double seconds = 0;
};

struct CaseOptions {
  std::string device = "cpu";
  bool tune = false;
  int threads = 1;
  Tolerance tolerance;  // a case's data.json overrides it
};

// Builds the engine from model.onnx alone, then reads each data set, runs and compares. Inputs and outputs are matched
// by number. Throws nothing.
CaseResult run_case(const TestCase& test, const CaseOptions& options);

// Cases that aren't expected to pass, with the reason: lines "PATTERN: reason", '*' for any characters, '#' begins a
// comment.
class SkipList {
 public:
  static Result<SkipList> load(const std::string& path);
  // Null when no line matches. Marks the line as used.
  const std::string* reason(std::string_view name);
  std::vector<std::string> unused() const;

 private:
  struct Line {
    std::string pattern, reason;
    bool used = false;
  };
  std::vector<Line> lines_;
};

// Whether '*' in the pattern (any characters, none too) can make it the name.
bool matches(std::string_view pattern, std::string_view name);

}  // namespace hone::cli
