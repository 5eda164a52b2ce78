#include "tools/hone/shell.h"

#include <csignal>
#include <cstdio>
#include <new>

#include <unistd.h>

#include "hone/file.h"
#include "tools/hone/text.h"

namespace hone::cli {

namespace {

// Written by signal handlers.
volatile std::sig_atomic_t stop_signal = 0;
volatile std::sig_atomic_t graceful_depth = 0;

void on_signal(int signal) {
  if (graceful_depth > 0 && stop_signal == 0) {
    stop_signal = signal;
    return;
  }
  remove_unfinished_files();
  ::_exit(128 + signal);
}

std::string_view name_of_code(Code code) {
  switch (code) {
    case Code::kOk: return "ok";
    case Code::kInvalidArgument: return "invalid_argument";
    case Code::kInvalidModel: return "invalid_model";
    case Code::kUnsupported: return "unsupported";
    case Code::kAccuracy: return "accuracy";
    case Code::kResource: return "resource";
    case Code::kNotFound: return "not_found";
    case Code::kCorruptEngine: return "corrupt_engine";
    case Code::kIncompatibleEngine: return "incompatible_engine";
    case Code::kRuntime: return "runtime";
    case Code::kCancelled: return "cancelled";
  }
  return "unknown";
}

void write_line(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fputc('\n', stream);
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

GracefulInterrupt::GracefulInterrupt() { graceful_depth = graceful_depth + 1; }
GracefulInterrupt::~GracefulInterrupt() { graceful_depth = graceful_depth - 1; }

int interrupted() { return stop_signal == 0 ? 0 : 128 + stop_signal; }

void Shell::add_output_flags(CLI::App& command, std::string* json_file) {
  if (json_file == nullptr) {
    command.add_flag("--json", json_, "Print the result as JSON on stdout")->group("Output");
  } else {
    const auto take = [this, json_file](const std::vector<std::string>& values) {
      const bool to_file = !values.empty() && !values[0].empty() && values[0] != "-";
      if (to_file) *json_file = values[0];
      json_ = !to_file;
    };
    command
        .add_option_function<std::vector<std::string>>("--json", take,
                                                       "Write the result as JSON to a file, or to stdout")
        ->expected(0, 1)
        ->option_text("[FILE.json]")
        ->group("Output");
  }
  command.add_flag("-q,--quiet", quiet_, "No progress and no remarks on stderr")->group("Output");
}

void Shell::set_action(CLI::App& command, std::function<Status(Shell&)> body) {
  command.callback([this, body = std::move(body)] {
    Status status;
    try {
      status = body(*this);
    } catch (const std::bad_alloc&) {
      status = resource_error("out of memory");
    } catch (const std::exception& error) {
      status = runtime_error(error.what());
    }
    finish(status);
  });
}

void Shell::print(std::string_view text) const {
  if (!json_) std::fwrite(text.data(), 1, text.size(), stdout);
}

void Shell::print_json(const Json& value) const {
  if (!json_) return;
  write_line(stdout, value.dump(2, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace));
}

void Shell::note(std::string_view line) {
  if (quiet_) return;
  end_progress();
  write_line(stderr, printable(line));
}

void Shell::warn(std::string_view line) { note("warning: " + std::string(line)); }

std::function<void(const BuildProgress&)> Shell::progress() {
  return [this](const BuildProgress& progress) { draw_progress(progress); };
}

std::function<void(std::string_view)> Shell::log() {
  return [this](std::string_view line) { note(line); };
}

void Shell::draw_progress(const BuildProgress& progress) {
  if (quiet_) return;
  const bool new_stage = progress.stage != stage_;
  stage_ = progress.stage;
  if (::isatty(STDERR_FILENO) == 0) {
    if (new_stage) write_line(stderr, printable(progress.stage) + " ...");
    return;
  }
  const std::string count =
      progress.total > 0 ? " " + std::to_string(progress.done) + "/" + std::to_string(progress.total) : "";
  const std::string line = "\r\x1b[K" + printable(progress.stage) + count;
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  line_open_ = true;
}

void Shell::end_progress() {
  if (line_open_) std::fputs("\r\x1b[K", stderr);
  line_open_ = false;
}

int Shell::finish(const Status& status) {
  end_progress();
  if (status.ok()) {
    if (std::fflush(stdout) != 0 && exit_code_ == 0) {
      write_line(stderr, "hone: can't write to stdout");
      exit_code_ = 1;
    }
    return exit_code_;
  }
  exit_code_ = hone::exit_code(status);
  write_line(stderr, "hone: " + printable(status.message(), /*keep_lines=*/true));
  print_json({{"error", {{"code", name_of_code(status.code())}, {"message", status.message()}, {"exit", exit_code_}}}});
  std::fflush(stdout);
  return exit_code_;
}

}  // namespace hone::cli
