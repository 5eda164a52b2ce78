// An engine for a model file: engine files are loaded, ONNX files are built once and kept in a cache folder.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "hone/builder.h"
#include "hone/engine.h"
#include "hone/status.h"
#include "pipelines/common/cache_eviction.h"

namespace hone {

struct OpenOptions {
  std::string device = "cpu";  // what ONNX files are built for
  int threads = 0;             // 0: as many as the process may use
  bool tune = true;
  bool use_cache = true;
  std::string cache_folder;  // empty: default_cache_folder()
  CacheLimits cache_limits;  // beyond them the engines that weren't used for longest are removed
  // Remarks and warnings, one line each: building, why nothing is cached. Null: dropped.
  std::function<void(std::string_view line)> log;
  std::function<void(const BuildProgress&)> progress;
  std::function<bool()> cancelled;  // BuildOptions::cancelled
};

// $XDG_CACHE_HOME/hone, else $HOME/.cache/hone; empty when neither is set.
std::string default_cache_folder();

// `path` is an engine file, which is loaded, or an ONNX file. An ONNX file's engine is looked up in the cache folder by
// a digest of its contents (external data too), the options, the processor and Hone's version; a missing or unusable
// one is built and stored. The folder is made for its owner alone (mode 0700). A folder that is a symbolic link,
// belongs to somebody else or may be written by others isn't used: the engine is built, with a warning. Processes may
// share the folder: files appear whole. Errors: those of Engine::load and build_engine; kUnsupported for files of other
// engines, with what to give instead.
Result<Engine> open_engine(const std::string& path, const OpenOptions& options = {});

}  // namespace hone
