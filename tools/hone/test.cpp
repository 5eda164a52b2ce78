// hone test: runs test cases in the layout of ONNX's backend tests.
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "tools/hone/conformance.h"
#include "tools/hone/options.h"
#include "tools/hone/shell.h"
#include "tools/hone/text.h"

namespace hone::cli {

namespace {

constexpr int kComparisonFailed = 4;

struct TestArguments {
  std::vector<std::string> folders;
  std::string filter, skip_list;
  CaseOptions options;
  int jobs = 0;
  bool list_unsupported = false, failures_only = false;
};

// Runs cases on several threads and hands results out in order.
class CaseRunner {
 public:
  CaseRunner(const std::vector<TestCase>& cases, const CaseOptions& options, int jobs)
      : cases_(cases), options_(options), results_(cases.size()) {
    for (int i = 0; i < jobs; ++i) workers_.emplace_back([this] { work(); });
  }
  ~CaseRunner() {
    next_ = cases_.size();
    for (std::thread& worker : workers_) worker.join();
  }
  CaseRunner(const CaseRunner&) = delete;
  CaseRunner& operator=(const CaseRunner&) = delete;

  // Waits for case `i`; nothing after an interrupt.
  std::optional<CaseResult> wait(size_t i) {
    std::unique_lock lock(mutex_);
    while (!results_[i]) {
      if (interrupted() != 0) return std::nullopt;
      changed_.wait_for(lock, std::chrono::milliseconds(100));
    }
    return results_[i];
  }

 private:
  void work() {
    for (size_t i = next_++; i < cases_.size() && interrupted() == 0; i = next_++) {
      CaseResult result = run_case(cases_[i], options_);
      const std::lock_guard lock(mutex_);
      results_[i] = std::move(result);
      changed_.notify_all();
    }
  }

  const std::vector<TestCase>& cases_;
  const CaseOptions& options_;
  std::atomic<size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::optional<CaseResult>> results_;
  std::vector<std::thread> workers_;
};

struct Tally {
  int64_t passed = 0, failed = 0, unsupported = 0;
  Json cases = Json::array();
};

// What a result counts as once the skip list has been asked.
CaseResult judge(const TestCase& test, CaseResult result, SkipList* skips) {
  const std::string* reason = skips == nullptr ? nullptr : skips->reason(test.name);
  if (reason == nullptr) return result;
  if (result.outcome == Outcome::kPassed) {
    return {Outcome::kFailed, "passes though the skip list names it (" + *reason + "); take the line out",
            result.seconds};
  }
  return {Outcome::kUnsupported, "skipped: " + *reason, result.seconds};
}

void report(const TestArguments& arguments, const TestCase& test, const CaseResult& result, Tally& tally,
            Shell& shell) {
  struct Words {
    std::string_view line, json;
    int64_t Tally::*count;
  };
  constexpr Words kWords[] = {{"ok", "passed", &Tally::passed},
                              {"FAILED", "failed", &Tally::failed},
                              {"unsupported", "unsupported", &Tally::unsupported}};
  const Words& words = kWords[static_cast<size_t>(result.outcome)];
  ++(tally.*words.count);
  const bool failed = result.outcome == Outcome::kFailed;
  const bool explained = failed || (arguments.list_unsupported && result.outcome == Outcome::kUnsupported);
  std::string line = std::string(words.line) + std::string(12 - words.line.size(), ' ') + printable(test.name);
  if (explained) line += ": " + printable(result.detail);
  if (explained || !arguments.failures_only) shell.print(line + "\n");
  tally.cases.push_back({{"name", test.name},
                         {"folder", test.folder},
                         {"outcome", words.json},
                         {"detail", result.detail},
                         {"seconds", result.seconds}});
}

Status run_tests(TestArguments& arguments, Shell& shell) {
  HONE_ASSIGN(std::vector<TestCase> cases, find_cases(arguments.folders));
  if (!arguments.filter.empty()) {
    std::erase_if(cases, [&](const TestCase& test) { return !matches(arguments.filter, test.name); });
  }
  if (cases.empty())
    return Status(Code::kNotFound, "there are no test cases (folders with model.onnx and test_data_set_*)");
  std::optional<SkipList> skips;
  if (!arguments.skip_list.empty()) {
    HONE_ASSIGN(skips, SkipList::load(arguments.skip_list));
  }
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const int jobs = arguments.jobs > 0 ? arguments.jobs : static_cast<int>(std::min(cores, 16U));
  Tally tally;
  const GracefulInterrupt graceful;
  {
    CaseRunner runner(cases, arguments.options, jobs);
    for (size_t i = 0; i < cases.size(); ++i) {
      std::optional<CaseResult> result = runner.wait(i);
      if (!result) break;
      report(arguments, cases[i], judge(cases[i], *std::move(result), skips ? &*skips : nullptr), tally, shell);
    }
  }
  if (skips && arguments.filter.empty() && interrupted() == 0) {
    for (const std::string& pattern : skips->unused()) shell.warn("the skip list's '" + pattern + "' matches no case");
  }
  shell.print(std::to_string(tally.passed) + " passed, " + std::to_string(tally.failed) + " failed, " +
              std::to_string(tally.unsupported) + " unsupported\n");
  shell.print_json({{"passed", tally.passed},
                    {"failed", tally.failed},
                    {"unsupported", tally.unsupported},
                    {"cases", std::move(tally.cases)}});
  shell.set_exit_code(interrupted() != 0 ? interrupted() : tally.failed > 0 ? kComparisonFailed : 0);
  return {};
}

}  // namespace

void add_test(CLI::App& app, Shell& shell) {
  auto arguments = std::make_shared<TestArguments>();
  CLI::App* command =
      app.add_subcommand("test", "Run test cases in the layout of ONNX's backend tests")->group("Checking");
  command->footer(
      "Examples:\n"
      "  hone test onnx/backend/test/data/node\n"
      "  hone test data --filter 'test_conv*' --rtol 1e-4\n"
      "A case is a folder with model.onnx and test_data_set_N/{input,output}_M.pb. The skip list has lines\n"
      "'PATTERN: reason'; a case that it names counts as unsupported, and as failed when it passes.");
  command->add_option("folders", arguments->folders, "Where to look for cases, at any depth")
      ->required()
      ->option_text("DIR...");
  command->add_option("--filter", arguments->filter, "Only cases with such a name ('*' for any characters)")
      ->option_text("PATTERN");
  command->add_option("--skip-list", arguments->skip_list, "Cases that aren't expected to pass, with reasons")
      ->option_text("FILE");
  command->add_option("--rtol", arguments->options.tolerance.rtol, "Allowed difference relative to the expected value")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->option_text("X");
  command->add_option("--atol", arguments->options.tolerance.atol, "Allowed difference beside that")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->option_text("X");
  command->add_option("--jobs", arguments->jobs, "Cases at a time; 0: one for each core")
      ->check(CLI::Range(0, 256))
      ->capture_default_str()
      ->option_text("N");
  command->add_option("--device", arguments->options.device, "cpu, or reference (plain loops)")
      ->check(CLI::IsMember({"cpu", "reference"}))
      ->capture_default_str()
      ->option_text("NAME");
  command->add_flag("--tune", arguments->options.tune, "Measure kernels instead of taking the first");
  command->add_flag("--list-unsupported", arguments->list_unsupported, "Say why a case isn't supported")
      ->group("Output");
  command->add_flag("--failures-only", arguments->failures_only, "Print failed cases and the last line only")
      ->group("Output");
  shell.add_output_flags(*command);
  shell.set_action(*command, [arguments](Shell& used) { return run_tests(*arguments, used); });
}

}  // namespace hone::cli
