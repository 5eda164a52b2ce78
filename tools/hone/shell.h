// What every subcommand gets: where to print, how to report failure, whether the user wants to stop.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "hone/builder.h"
#include "hone/status.h"

namespace hone::cli {

using Json = nlohmann::ordered_json;

// Data goes to stdout, everything else to stderr. One per process, in main().
class Shell {
 public:
  // Adds --json and --quiet to a subcommand. With `json_file`, --json may name a file, which the command writes;
  // without a name JSON goes to stdout.
  void add_output_flags(CLI::App& command, std::string* json_file = nullptr);
  // Makes `body` run when the user asks for the command. Call it last.
  void set_action(CLI::App& command, std::function<Status(Shell&)> body);

  bool json() const { return json_; }

  // Text for people; nothing under --json.
  void print(std::string_view text) const;
  // The whole result of a command under --json; nothing otherwise. Non-ASCII and control characters are escaped.
  void print_json(const Json& value) const;
  // One line on stderr, made printable; nothing under --quiet.
  void note(std::string_view line);
  void warn(std::string_view line);

  // Shows a build's stages on one line that is redrawn, or one line a stage where stderr isn't a terminal.
  std::function<void(const BuildProgress&)> progress();
  std::function<void(std::string_view)> log();
  // Finishes the line that progress() draws.
  void end_progress();

  // The exit code that the command ends with beside its status: 4 for a failed comparison that was reported already.
  void set_exit_code(int code) { exit_code_ = code; }
  // Prints the failure, if it is one; returns the exit code.
  int finish(const Status& status);
  int exit_code() const { return exit_code_; }

 private:
  void draw_progress(const BuildProgress& progress);

  bool json_ = false, quiet_ = false;
  bool line_open_ = false;
  std::string stage_;
  int exit_code_ = 0;
};

// SIGINT and SIGTERM remove unfinished files and end the process with 130 or 143.
void install_signal_handlers();

// While one lives, the first signal only sets interrupted(), so that a loop can stop and hand over what it has. A
// second signal ends the process.
class GracefulInterrupt {
 public:
  GracefulInterrupt();
  ~GracefulInterrupt();
  GracefulInterrupt(const GracefulInterrupt&) = delete;
  GracefulInterrupt& operator=(const GracefulInterrupt&) = delete;
};

// 0, or the exit code of the signal that asked to stop: 130, 143.
int interrupted();

// Each in its own file.
void add_build(CLI::App& app, Shell& shell);
void add_run(CLI::App& app, Shell& shell);
void add_test(CLI::App& app, Shell& shell);
void add_inspect(CLI::App& app, Shell& shell);
void add_bench(CLI::App& app, Shell& shell);
void add_detect(CLI::App& app, Shell& shell);
void add_doctor(CLI::App& app, Shell& shell);

// The command line; returns the exit code.
int run_command_line(int argc, const char* const* argv);

}  // namespace hone::cli
