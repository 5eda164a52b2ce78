#include "pipelines/common/engine_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "pipelines/common/digest.h"
#include "pipelines/common/files.h"

#ifndef HONE_VERSION
#define HONE_VERSION "unknown"
#endif

namespace hone {
namespace {

namespace fs = std::filesystem;
using std::string_view_literals::operator""sv;

constexpr int64_t kMaxModelBytes = int64_t{16} << 30;
constexpr std::string_view kEngineMagic = "\x89HONE\r\n\x1A"sv;

using Bytes = std::span<const std::byte>;

std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

Result<std::string> first_bytes(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return Status(Code::kNotFound, "there is no file '" + path + "'");
  if (!fs::is_regular_file(path, error)) return invalid_argument("'" + path + "' isn't a regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return runtime_error("can't open '" + path + "'");
  std::string head(16, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(file.gcount()));
  return head;
}

bool has_extension(const std::string& path, std::string_view extension) {
  return fs::path(path).extension() == extension;
}

// What a file that is neither an engine of ours nor an ONNX model probably is.
Status check_foreign(const std::string& path, std::string_view head) {
  const std::string give = "; give the ONNX file that it was made from, Hone builds its own engine for this machine";
  // Ultralytics puts a length of four bytes and JSON before TensorRT's plan.
  const bool json_header = head.size() > 6 && head.substr(4, 2) == "{\""sv && head[3] == '\0';
  if (json_header) return unsupported("'" + path + "' is a TensorRT engine with Ultralytics' header" + give);
  if (has_extension(path, ".engine") || has_extension(path, ".plan") || has_extension(path, ".trt")) {
    return unsupported("'" + path + "' is a TensorRT engine, which only its own TensorRT version can read" + give);
  }
  const bool zip = head.starts_with("PK\x03\x04"sv), pickle = head.starts_with("\x80\x02"sv);
  if (zip || pickle || has_extension(path, ".pt") || has_extension(path, ".pth")) {
    return unsupported("'" + path +
                       "' is a PyTorch file; export it to ONNX first (torch.onnx.export, or the model's own "
                       "export script) and give the .onnx file");
  }
  if (head.size() >= 8 && head.substr(4, 4) == "TFL3"sv)
    return unsupported("'" + path + "' is a TensorFlow Lite model" + give);
  if (head.empty()) return invalid_argument("'" + path + "' is empty");
  return {};
}

// Files that an ONNX model keeps weights in, as their names stand in it: the pair ("location", NAME) as protobuf
// writes it. Nothing when a name can't be read.
std::optional<std::vector<std::string>> external_files(Bytes model) {
  constexpr std::string_view kKey = "\x0A\x08location"sv;
  const std::string_view text = as_text(model);
  std::vector<std::string> names;
  for (size_t at = text.find(kKey); at != text.npos; at = text.find(kKey, at + 1)) {
    const std::string_view rest = text.substr(at + kKey.size());
    if (rest.size() < 2 || rest[0] != '\x12') return std::nullopt;
    const auto length = static_cast<unsigned char>(rest[1]);  // one byte: names of up to 127 characters
    if (length > 127 || rest.size() < 2u + length) return std::nullopt;
    names.emplace_back(rest.substr(2, length));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool digest_file(Digest& digest, const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return false;
  std::ifstream file(path, std::ios::binary);
  std::vector<char> chunk(size_t{1} << 20);
  while (file) {
    file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    digest.update(std::as_bytes(std::span(chunk.data(), static_cast<size_t>(file.gcount()))));
  }
  return file.eof();
}

// Only files below the model's folder: the builder refuses others.
bool digest_external(Digest& digest, const std::string& path, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    const fs::path relative(name);
    const bool inside = relative.is_relative() && std::find(relative.begin(), relative.end(), "..") == relative.end();
    digest.update(std::string_view(name));
    return inside && digest_file(digest, fs::path(path).parent_path() / relative);
  });
}

// The processor's name and instruction sets: a home folder may be shared by several machines.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  std::string line, text;
  while (std::getline(file, line) && !line.empty()) {
    if (line.starts_with("model name") || line.starts_with("flags")) text += line + "\n";
  }
  return text;
}

// Nothing when the model's contents can't be told.
std::optional<std::string> cache_key(const std::string& path, Bytes model, const OpenOptions& options) {
  const auto external = external_files(model);
  if (!external) return std::nullopt;
  Digest digest;
  digest.update("hone engine " HONE_VERSION ""sv);
  digest.update(as_text(model));
  if (!digest_external(digest, path, *external)) return std::nullopt;
  digest.update(std::string_view(options.device));
  digest.update(std::string_view(std::to_string(options.threads) + (options.tune ? " tuned" : " untuned")));
  digest.update(std::string_view(processor()));
  return digest.finish();
}

// Whether only this user can have written what is there; `why` says why not.
bool is_private(const struct stat& info, std::string& why) {
  if (info.st_uid != geteuid()) why = "it belongs to another user";
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) why = "other users may write there";
  return why.empty();
}

// Makes the folder if it isn't there. False: it mustn't be used.
bool prepare_folder(const std::string& folder, std::string& why) {
  std::error_code error;
  const fs::path parent = fs::path(folder).parent_path();
  if (!parent.empty() && !fs::exists(parent, error)) {
    fs::create_directories(parent.parent_path(), error);
    (void)mkdir(parent.c_str(), 0700);
  }
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    why = std::strerror(errno);
    return false;
  }
  struct stat info {};
  if (lstat(folder.c_str(), &info) != 0)
    why = std::strerror(errno);
  else if (S_ISLNK(info.st_mode))
    why = "it is a symbolic link";
  else if (!S_ISDIR(info.st_mode))
    why = "it isn't a folder";
  return why.empty() && is_private(info, why);
}

class Opener {
 public:
  Opener(const std::string& path, const OpenOptions& options) : path_(path), options_(options) {}

  Result<Engine> open() {
    HONE_ASSIGN(const std::string head, first_bytes(path_));
    if (head.starts_with(kEngineMagic) || has_extension(path_, ".hone")) {
      return load_engine(path_, {.threads = options_.threads}, options_.log);
    }
    HONE_TRY(check_foreign(path_, head));
    HONE_ASSIGN(const std::vector<std::byte> model, read_file(path_, kMaxModelBytes));
    const std::string cached = options_.use_cache ? cached_path(model) : "";
    if (!cached.empty()) {
      if (std::optional<Engine> engine = load_cached(cached)) return *std::move(engine);
    }
    return build(model, cached);
  }

 private:
  void log(const std::string& line) const {
    if (options_.log) options_.log(line);
  }

  // Empty: don't cache.
  std::string cached_path(Bytes model) const {
    std::string folder = options_.cache_folder.empty() ? default_cache_folder() : options_.cache_folder;
    while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
    if (folder.empty()) {
      log("the engine isn't cached: neither XDG_CACHE_HOME nor HOME is set");
      return {};
    }
    std::string why;
    if (!prepare_folder(folder, why)) {
      log("warning: the engine isn't cached: folder '" + folder + "' can't be used: " + why);
      return {};
    }
    const std::optional<std::string> key = cache_key(path_, model, options_);
    if (!key) {
      log("the engine isn't cached: the files that '" + path_ + "' keeps its weights in can't be told");
      return {};
    }
    return folder + "/" + *key + ".hone";
  }

  std::optional<Engine> load_cached(const std::string& cached) const {
    struct stat info {};
    if (lstat(cached.c_str(), &info) != 0) return std::nullopt;
    std::string why = S_ISREG(info.st_mode) ? "" : "it isn't a regular file";
    if (!why.empty() || !is_private(info, why)) {
      log("warning: cached engine '" + cached + "' is ignored: " + why);
      return std::nullopt;
    }
    Result<Engine> engine = Engine::load(cached, {.threads = options_.threads});
    if (engine.ok()) {
      mark_used(cached);
      return *std::move(engine);
    }
    log("the cached engine is built again: " + engine.status().message());
    return std::nullopt;
  }

  Result<Engine> build(Bytes model, const std::string& cached) const {
    log("building an engine for '" + path_ + "'" + (cached.empty() ? "" : ", once"));
    BuildOptions build_options;
    build_options.device = options_.device;
    build_options.threads = options_.threads;
    build_options.tune = options_.tune;
    build_options.log = options_.log;
    build_options.progress = options_.progress;
    build_options.cancelled = options_.cancelled;
    const fs::path folder = fs::path(path_).parent_path();
    auto built = build_engine(model, folder.empty() ? "." : folder.string(), build_options);
    HONE_ASSIGN(const BuiltEngine engine, std::move(built).with_context("model '" + path_ + "'"));
    if (!cached.empty()) store(engine, cached);
    return Engine::from_bytes(engine.bytes, {.threads = options_.threads});
  }

  void store(const BuiltEngine& engine, const fs::path& cached) const {
    if (Status saved = engine.save(cached); !saved.ok()) {
      return log("warning: the engine isn't cached: " + saved.message());
    }
    const size_t removed = evict_engines(cached.parent_path(), cached.filename(), options_.cache_limits);
    if (removed > 0) {
      log(std::to_string(removed) + " engines that weren't used for longest were removed from the cache '" +
          cached.parent_path().string() + "'");
    }
  }

  const std::string& path_;
  const OpenOptions& options_;
};

}  // namespace

std::string default_cache_folder() {
  // Relative values of XDG_CACHE_HOME are to be ignored, its specification says.
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && cache[0] == '/')
    return std::string(cache) + "/hone";
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/')
    return std::string(home) + "/.cache/hone";
  return {};
}

Result<Engine> open_engine(const std::string& path, const OpenOptions& options) { return Opener(path, options).open(); }

}  // namespace hone
