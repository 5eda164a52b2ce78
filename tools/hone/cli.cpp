#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "tools/hone/help.h"
#include "tools/hone/shell.h"
#include "tools/hone/text.h"
#include "tools/hone/trtexec.h"

namespace hone::cli {

namespace {

constexpr int kUsageError = 2;

constexpr const char* kFooter = R"(Examples:
  hone detect yolov7.onnx street.jpg -o boxes.jpg
  hone build yolov7.onnx -o yolov7.hone --shape images=1x3x640x640
  hone bench yolov7.hone
  hone run model.onnx --input x=x.npy --output results.npz

Exit codes: 0 ok, 1 run-time error, 2 usage, 3 model invalid or unsupported, 4 comparison failed,
5 out of memory, disk or a limit, 6 engine file corrupt or incompatible, 130 and 143 on signals.
'hone COMMAND --help' explains a command.)";

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  std::string command = "hone";
  for (const CLI::App* used : app.get_subcommands()) command += " " + used->get_name();
  const std::string message =
      command + ": " + printable(error.what()) + "\n'" + command + " --help' shows what there is.\n";
  std::fputs(message.c_str(), stderr);
  return kUsageError;
}

// Whether the arguments are trtexec's, which this parser can't read: 'hone trtexec ...', or a link of that name. Takes
// the command's name off them.
bool is_trtexec(std::vector<std::string>& arguments, std::string& program) {
  if (std::string_view(program).substr(program.rfind('/') + 1) == "trtexec") return true;
  if (arguments.empty() || arguments.front() != "trtexec") return false;
  program += " trtexec";
  arguments.erase(arguments.begin());
  return true;
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  install_signal_handlers();
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  if (std::string program = argc > 0 ? argv[0] : ""; is_trtexec(arguments, program)) {
    return run_trtexec(arguments, program);
  }
  CLI::App app("Hone compiles ONNX models into engines for this machine and runs them.", "hone");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_version_flag("--version", "hone " HONE_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.footer(kFooter);
  Shell shell;
  add_detect(app, shell);
  add_build(app, shell);
  add_run(app, shell);
  add_bench(app, shell);
  add_inspect(app, shell);
  add_test(app, shell);
  add_doctor(app, shell);
  app.add_subcommand("trtexec", "Build and time engines as TensorRT's trtexec does")->group("Engines");
  if (argc < 2) {
    std::fputs(app.help().c_str(), stderr);
    return kUsageError;
  }
  const std::string first = argv[1];
  if (!first.starts_with('-') && app.get_subcommands([&](CLI::App* c) { return c->get_name() == first; }).empty()) {
    std::fputs(("hone: there is no command '" + printable(first) + "'; 'hone --help' lists them.\n").c_str(), stderr);
    return kUsageError;
  }
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help and --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  }
  return shell.exit_code();
}

}  // namespace hone::cli
