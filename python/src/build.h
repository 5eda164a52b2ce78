// hone.build, hone.load and hone.open_model.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "engine.h"
#include "hone/builder.h"

namespace hone::python {

// {input: (min, opt, max)}.
using Ranges = std::map<std::string, std::array<std::vector<int64_t>, 3>>;

struct BuildArguments {
  std::vector<Ranges> profiles;
  bool tune = true;
  int threads = 0;
  std::string device;
  std::map<std::string, std::string> metadata;
  std::string base_dir;
  nanobind::object log, progress;  // callables or None; an exception in one of them ends the build
};

// `model` and `source`: a path, or what has the buffer protocol. `path`: where the engine is saved, or None.
std::unique_ptr<PyEngine> build(nanobind::handle model, nanobind::handle path, const BuildArguments& arguments);
std::unique_ptr<PyEngine> load(nanobind::handle source, int threads, const nanobind::object& log);
// An engine file, or an ONNX file whose engine is kept in the cache folder (pipelines/common/engine_cache.h).
std::unique_ptr<PyEngine> open_model(nanobind::handle path, bool tune, int threads, bool use_cache,
                                     const nanobind::object& log, const nanobind::object& progress);

// The text of a str, bytes or os.PathLike path.
std::string path_text(nanobind::handle path);

}  // namespace hone::python
