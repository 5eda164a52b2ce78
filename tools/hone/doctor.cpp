// hone doctor: what this machine offers, what is missing, and the line that cures it.
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <memory>

#include "hone/builder.h"
#include "pipelines/common/engine_cache.h"
#include "tools/hone/machine.h"
#include "tools/hone/shell.h"
#include "tools/hone/text.h"

namespace hone::cli {

namespace {

enum class Health { kGood, kRemark, kMissing };

struct Finding {
  Health health = Health::kGood;
  std::string what, found, cure;
};

Finding processor() {
  const std::string sets = instruction_sets();
  Finding finding{Health::kGood, "processor", processor_name() + (sets.empty() ? "" : " (" + sets + ")"), ""};
  if (sets.find("avx2") == std::string::npos) {
    finding.health = Health::kRemark;
    finding.cure = "without AVX2 everything runs, slowly";
  }
  return finding;
}

Finding cores() {
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  Finding finding{Health::kGood, "cores", std::to_string(usable_cores()) + " of " + std::to_string(online), ""};
  std::ifstream quota_file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (quota_file >> quota >> period && quota != "max" && period > 0) {
    const double share = std::strtod(quota.c_str(), nullptr) / period;
    finding.found += ", limited to the time of " + fixed(share, 1);
  }
  return finding;
}

Finding memory() {
  return {Health::kGood, "memory", human_bytes(memory_bytes()) + ", " + human_bytes(free_memory_bytes()) + " free", ""};
}

Finding gpu() {
  struct stat info {};
  const bool driver = ::stat("/proc/driver/nvidia/version", &info) == 0;
  if (!driver) return {Health::kRemark, "GPU", "no NVIDIA driver", "models run on the CPU"};
  return {Health::kRemark, "GPU", "NVIDIA driver found",
          "this version of Hone has no GPU backend: models run on the CPU"};
}

Finding cache() {
  const std::string folder = default_cache_folder();
  if (folder.empty()) {
    return {Health::kRemark, "engine cache", "none",
            "set HOME or XDG_CACHE_HOME, else ONNX files are built every time"};
  }
  struct stat info {};
  if (::lstat(folder.c_str(), &info) != 0) return {Health::kGood, "engine cache", folder + " (made when needed)", ""};
  const std::string remedy = "mv '" + folder + "' '" + folder + ".old'";
  if (!S_ISDIR(info.st_mode)) return {Health::kMissing, "engine cache", folder + " isn't a folder", remedy};
  if (info.st_uid != ::geteuid())
    return {Health::kMissing, "engine cache", folder + " belongs to somebody else", remedy};
  if ((info.st_mode & 022) != 0) {
    return {Health::kMissing, "engine cache", folder + " may be written by others", "chmod 700 '" + folder + "'"};
  }
  return {Health::kGood, "engine cache", folder, ""};
}

// One relu as an ONNX file, byte by byte: does the whole road from model to result work here?
std::vector<std::byte> tiny_model() {
  constexpr unsigned char kModel[] = {0x08, 0x08, 0x3a, 0x33, 0x0a, 0x0c, 0x0a, 0x01, 'x',  0x12, 0x01, 'y',
                                      0x22, 0x04, 'R',  'e',  'l',  'u',  0x12, 0x01, 'g',  0x5a, 0x0f, 0x0a,
                                      0x01, 'x',  0x12, 0x0a, 0x0a, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0a, 0x02,
                                      0x08, 0x04, 0x62, 0x0f, 0x0a, 0x01, 'y',  0x12, 0x0a, 0x0a, 0x08, 0x08,
                                      0x01, 0x12, 0x04, 0x0a, 0x02, 0x08, 0x04, 0x42, 0x02, 0x10, 0x0d};
  const auto bytes = std::as_bytes(std::span(kModel));
  return {bytes.begin(), bytes.end()};
}

Status try_engine(const std::string& device) {
  BuildOptions options;
  options.device = device;
  HONE_ASSIGN(const BuiltEngine built, build_engine(tiny_model(), "", options));
  HONE_ASSIGN(const Engine engine, Engine::from_bytes(built.bytes));
  HONE_ASSIGN(ExecutionContext context, engine.create_context());
  using Tensors = std::map<std::string, Tensor>;
  HONE_ASSIGN(const Tensors results, context.run({{"x", Tensor::vector<float>({-1, 0, 2, -3})}}));
  const auto values = results.at("y").values<float>();
  const std::vector<float> expected = {0, 0, 2, 0};
  if (!std::equal(values.begin(), values.end(), expected.begin(), expected.end())) {
    return runtime_error("a tiny model gave a wrong result");
  }
  return {};
}

Finding backend(const std::string& device) {
  const Status status = try_engine(device);
  if (status.ok()) return {Health::kGood, device + " backend", "builds and runs a tiny model", ""};
  return {Health::kMissing, device + " backend", status.message(), "please report this"};
}

Status doctor(Shell& shell) {
  std::vector<Finding> findings = {{Health::kGood, "Hone", std::string(HONE_VERSION), ""},
                                   processor(),
                                   cores(),
                                   memory(),
                                   backend("cpu"),
                                   backend("reference"),
                                   gpu(),
                                   cache()};
  utsname system{};
  if (::uname(&system) == 0) {
    findings.insert(
        findings.begin() + 1,
        {Health::kGood, "system", std::string(system.sysname) + " " + system.release + " " + system.machine, ""});
  }
  Table table({}, {Table::Align::kLeft, Table::Align::kLeft, Table::Align::kLeft});
  Json list = Json::array();
  bool healthy = true;
  for (const Finding& finding : findings) {
    const char* mark = finding.health == Health::kGood ? "ok" : finding.health == Health::kRemark ? "note" : "WRONG";
    healthy = healthy && finding.health != Health::kMissing;
    table.add({mark, finding.what, printable(finding.found)});
    if (!finding.cure.empty()) table.add({"", "", "-> " + printable(finding.cure)});
    list.push_back({{"status", mark}, {"what", finding.what}, {"found", finding.found}, {"cure", finding.cure}});
  }
  shell.print(table.text("", 200));
  shell.print_json({{"healthy", healthy}, {"findings", std::move(list)}});
  shell.set_exit_code(healthy ? 0 : 1);
  return {};
}

}  // namespace

void add_doctor(CLI::App& app, Shell& shell) {
  CLI::App* command =
      app.add_subcommand("doctor", "Say what this machine offers and what is missing")->group("Checking");
  command->footer("Example:\n  hone doctor");
  shell.add_output_flags(*command);
  shell.set_action(*command, [](Shell& used) { return doctor(used); });
}

}  // namespace hone::cli
