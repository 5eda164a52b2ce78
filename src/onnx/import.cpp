#include "onnx/import.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "base/escape.h"
#include "onnx/descriptor.h"
#include "onnx/graph_importer.h"
#include "onnx/model_reader.h"

namespace hone {

namespace {

using onnx::FileBytes;
using onnx::MemoryBudget;

constexpr int64_t kDefaultLimit = int64_t{8} << 30;
// More than anyone reads; a file can make them as long as itself.
constexpr size_t kMaxMessageBytes = 64 * 1024;
constexpr int kMaxRemarks = 100;

// Text with names from the file, fit for a terminal.
std::string presentable(std::string_view text) {
  if (text.size() <= kMaxMessageBytes) return printable(text);
  return printable(text.substr(0, kMaxMessageBytes)) + " ... (cut)";
}

MemoryBudget budget_of(const ImportOptions& options) {
  return MemoryBudget(options.max_load_memory_bytes > 0 ? options.max_load_memory_bytes : kDefaultLimit);
}

Result<FileBytes> read_file(const std::string& path, MemoryBudget& budget) {
  const onnx::Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) {
    const Code code = errno == ENOENT || errno == ENOTDIR ? Code::kNotFound : Code::kInvalidArgument;
    return Status(code, std::string("can't be opened: ") + std::strerror(errno));
  }
  HONE_ASSIGN(const int64_t size, regular_file_size(file, /*single_name=*/false));
  HONE_TRY(budget.charge(static_cast<uint64_t>(size), "the file"));
  HONE_ASSIGN(Tensor bytes, Tensor::make(DataType::kUint8, std::span(&size, 1)));
  const std::span<std::byte> memory(bytes.mutable_data(), static_cast<size_t>(size));
  HONE_TRY(read_at(file, 0, memory));
  return FileBytes{.bytes = memory, .owner = std::make_shared<Tensor>(std::move(bytes)), .exclusive = true};
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

Result<Graph> import(const FileBytes& file, const std::optional<std::string>& base_dir, MemoryBudget& budget,
                     const ImportOptions& options) {
  if (file.bytes.empty()) return invalid_model("is empty");
  std::optional<onnx::ExternalData> external;
  if (base_dir) external.emplace(*base_dir, budget);
  HONE_ASSIGN(const onnx::Model model, read_model(file, budget, external ? &*external : nullptr));
  int remarks = 0;
  const onnx::Log log = [&](std::string_view line) {
    if (!options.log || ++remarks > kMaxRemarks) return;
    options.log(remarks < kMaxRemarks ? presentable(line) : "there are more remarks, which aren't shown");
  };
  return build_graph(model, budget, log);
}

// The last stop of every error: memory that ran out nevertheless, names with control characters.
template <class F>
Result<Graph> guarded(std::string_view what, F&& load) {
  try {
    Result<Graph> graph = load();
    if (graph.ok()) return graph;
    const Status status = std::move(graph).with_context(what).status();
    return Status(status.code(), presentable(status.message()));
  } catch (const std::bad_alloc&) {
    return resource_error(presentable(what) + ": out of memory");
  }
}

}  // namespace

Result<Graph> import_onnx_file(const std::string& path, const ImportOptions& options) {
  return guarded("'" + path + "'", [&]() -> Result<Graph> {
    MemoryBudget budget = budget_of(options);
    HONE_ASSIGN(const FileBytes file, read_file(path, budget));
    return import(file, folder_of(path), budget, options);
  });
}

Result<Graph> import_onnx(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                          const std::optional<std::string>& base_dir, const ImportOptions& options) {
  return guarded("model", [&] {
    MemoryBudget budget = budget_of(options);
    return import({.bytes = bytes, .owner = std::move(owner)}, base_dir, budget, options);
  });
}

}  // namespace hone
