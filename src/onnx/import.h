// Reads ONNX files into graphs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "graph/graph.h"
#include "hone/status.h"

namespace hone {

struct ImportOptions {
  // The file, its external data and everything made of them must fit. 0: 8 GiB.
  int64_t max_load_memory_bytes = 0;
  // Remarks, one line each. Empty: dropped.
  std::function<void(std::string_view line)> log;
};

// The graph of an ONNX model (IR 3 to 13, operator sets 1 to 27): operators in their newest form, functions inlined,
// nodes in execution order, the file's names. Constants share the file's bytes, which are read (not mapped) once.
// External data is looked for below the model's folder. The file is taken as hostile: nothing is executed, read outside
// of that folder, or allocated beyond the limit.
//
// Errors name the node, tensor or byte, control characters escaped: kNotFound, kInvalidModel, kUnsupported (every
// operator that there isn't, in one message), kResource, kInvalidArgument (not a file that can be read).
Result<Graph> import_onnx_file(const std::string& path, const ImportOptions& options = {});

// The same from bytes that `owner` keeps alive for as long as the graph's constants live. External data is refused
// unless there is a `base_dir` to look in.
Result<Graph> import_onnx(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                          const std::optional<std::string>& base_dir, const ImportOptions& options = {});

}  // namespace hone
