#include "pipelines/common/engine_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "hone/file.h"

namespace hone {
namespace {

namespace fs = std::filesystem;

// The few pieces of protobuf that a small ONNX file takes; all numbers are below 128.
std::string field(int number, const std::string& bytes) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) + bytes;
}
std::string field(int number, int value) {
  return std::string(1, static_cast<char>(number << 3)) + static_cast<char>(value);
}

std::string tensor_info(const std::string& name, int size) {
  const std::string shape = field(1, field(1, size));
  return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)));
}

// y = op(x), float32 of `size` elements.
std::string onnx_model(const std::string& op, int size) {
  const std::string node = field(1, "x") + field(2, "y") + field(4, op);
  const std::string graph =
      field(1, node) + field(2, "g") + field(11, tensor_info("x", size)) + field(12, tensor_info("y", size));
  return field(1, 8) + field(7, graph) + field(8, field(2, 13));
}

// y = x + w with w in the file `location`.
std::string onnx_model_with_file(const std::string& location) {
  const std::string entry = field(13, field(1, "location") + field(2, location));
  const std::string weight = field(1, 4) + field(2, 1) + field(8, "w") + entry + field(14, 1);
  const std::string node = field(1, "x") + field(1, "w") + field(2, "y") + field(4, "Add");
  const std::string graph = field(1, node) + field(2, "g") + field(5, weight) + field(11, tensor_info("x", 4)) +
                            field(12, tensor_info("y", 4));
  return field(1, 8) + std::string(1, static_cast<char>(7 << 3 | 2)) + static_cast<char>(graph.size() | 0x80) +
         static_cast<char>(graph.size() >> 7) + graph + field(8, field(2, 13));
}

class EngineCache : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "hone_cache_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    model_ = folder_ / "model.onnx";
    options_.cache_folder = folder_ / "cache";
    options_.tune = false;
    options_.threads = 1;
    options_.log = [this](std::string_view line) { log_ += std::string(line) + "\n"; };
    write(model_, onnx_model("Relu", 4));
  }
  void TearDown() override { fs::remove_all(folder_); }

  static void write(const fs::path& path, std::string_view contents) {
    ASSERT_TRUE(write_file_atomically(path, contents).ok());
  }

  // Opens the model and says what was logged.
  std::string open() {
    log_.clear();
    const Result<Engine> engine = open_engine(model_, options_);
    EXPECT_TRUE(engine.ok()) << engine.status().message();
    return log_;
  }

  std::vector<fs::path> cached() const {
    std::vector<fs::path> files;
    if (fs::exists(options_.cache_folder)) {
      for (const auto& entry : fs::directory_iterator(options_.cache_folder)) files.push_back(entry.path());
    }
    return files;
  }

  static float first_output(const Engine& engine, std::initializer_list<float> x) {
    auto outputs = engine.create_context()->run({{"x", Tensor::vector<float>(x)}});
    EXPECT_TRUE(outputs.ok()) << outputs.status().message();
    return outputs.ok() ? outputs->at("y").values<float>()[0] : NAN;
  }

  fs::path folder_, model_;
  OpenOptions options_;
  std::string log_;
};

TEST_F(EngineCache, BuildsOnce) {
  EXPECT_NE(open().find("building"), std::string::npos);
  ASSERT_EQ(cached().size(), 1u);
  EXPECT_EQ(fs::status(options_.cache_folder).permissions(), fs::perms::owner_all);
  EXPECT_EQ(open(), "");
  const Engine engine = *open_engine(model_, options_);
  EXPECT_EQ(first_output(engine, {2, -1, 0, 0}), 2);
}

TEST_F(EngineCache, ContentsAndOptionsMakeAnotherEngine) {
  open();
  write(model_, onnx_model("Neg", 4));
  EXPECT_NE(open().find("building"), std::string::npos);
  EXPECT_EQ(first_output(*open_engine(model_, options_), {2, -1, 0, 0}), -2);
  options_.device = "reference";
  EXPECT_NE(open().find("building"), std::string::npos);
  options_.threads = 2;
  EXPECT_NE(open().find("building"), std::string::npos);
  EXPECT_EQ(cached().size(), 4u);
}

TEST_F(EngineCache, ExternalDataCounts) {
  write(model_, onnx_model_with_file("w.bin"));
  const auto weights = [](float w) {
    return std::string(reinterpret_cast<const char*>(&w), 4) + std::string(12, '\0');
  };
  write(folder_ / "w.bin", weights(3));
  EXPECT_EQ(first_output(*open_engine(model_, options_), {1, 0, 0, 0}), 4);
  EXPECT_EQ(open(), "");
  write(folder_ / "w.bin", weights(5));
  EXPECT_EQ(first_output(*open_engine(model_, options_), {1, 0, 0, 0}), 6);
  write(model_, onnx_model_with_file("../w.bin"));
  const size_t before = cached().size();
  EXPECT_FALSE(open_engine(model_, options_).ok());
  EXPECT_EQ(cached().size(), before);
}

TEST_F(EngineCache, DamagedEntriesAreBuiltAgain) {
  open();
  const fs::path entry = cached().at(0);
  fs::resize_file(entry, fs::file_size(entry) / 2);
  EXPECT_NE(open().find("built again"), std::string::npos);
  EXPECT_EQ(open(), "");
  fs::remove(entry);
  fs::create_symlink(folder_ / "elsewhere", entry);
  EXPECT_NE(open().find("ignored"), std::string::npos);
}

TEST_F(EngineCache, FoldersThatOthersMayWriteAreNotUsed) {
  fs::create_directory(options_.cache_folder);
  for (const auto permission : {fs::perms::group_write, fs::perms::others_write}) {
    fs::permissions(options_.cache_folder, fs::perms::owner_all | permission);
    EXPECT_NE(open().find("other users may write"), std::string::npos);
    EXPECT_TRUE(cached().empty());
  }
  fs::permissions(options_.cache_folder, fs::perms::owner_all | fs::perms::group_read);
  EXPECT_EQ(open().find("warning"), std::string::npos);
  const fs::path real = options_.cache_folder;
  options_.cache_folder = folder_ / "link";
  fs::create_directory_symlink(real, options_.cache_folder);
  EXPECT_NE(open().find("symbolic link"), std::string::npos);
  options_.cache_folder = model_;
  EXPECT_NE(open().find("isn't a folder"), std::string::npos);
}

TEST_F(EngineCache, FoldersOfOthersAreNotUsed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  fs::create_directory(options_.cache_folder);
  fs::permissions(options_.cache_folder, fs::perms::owner_all);
  ASSERT_EQ(chown(options_.cache_folder.c_str(), 12345, 12345), 0);
  EXPECT_NE(open().find("belongs to another user"), std::string::npos);
  EXPECT_TRUE(cached().empty());
}

TEST_F(EngineCache, CanBeSwitchedOff) {
  options_.use_cache = false;
  open();
  EXPECT_NE(open().find("building"), std::string::npos);
  EXPECT_FALSE(fs::exists(options_.cache_folder));
}

TEST_F(EngineCache, ProcessesMayShareIt) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = fork();
    if (child != 0) {
      children.push_back(child);
      continue;
    }
    bool good = true;
    for (int round = 0; round < 20 && good; ++round) {
      if (round % 5 == 4) {
        for (const fs::path& entry : cached()) unlink(entry.c_str());
      }
      options_.cache_limits.files = round % 2 == 0 ? 1 : 64;
      options_.threads = 1 + i % 2;  // two engines
      const Result<Engine> engine = open_engine(model_, options_);
      good = engine.ok() && first_output(*engine, {2, -1, 0, 0}) == 2;
    }
    _exit(good ? 0 : 1);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}

TEST_F(EngineCache, KeepsWithinItsLimits) {
  const auto open_size = [&](int size) {
    write(model_, onnx_model("Relu", size));
    return open();
  };
  // Times of modification tell what was used last; some file systems count them in steps of the clock's ticks.
  const auto wait = [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  options_.cache_limits.files = 3;
  for (const int size : {1, 2, 3}) {
    open_size(size);
    wait();
  }
  EXPECT_EQ(open_size(1), "");  // used again: 2 is the oldest now
  wait();
  const fs::path stranger = fs::path(options_.cache_folder) / "notes.hone";
  write(stranger, std::string(1 << 20, 'x'));
  EXPECT_NE(open_size(4).find("1 engines"), std::string::npos);
  EXPECT_EQ(cached().size(), 4u);
  EXPECT_TRUE(fs::exists(stranger));
  for (const int size : {1, 3, 4}) EXPECT_EQ(open_size(size), "") << size;
  EXPECT_NE(open_size(2).find("building"), std::string::npos);
  // A limit below one engine keeps the last.
  options_.cache_limits.bytes = 1;
  EXPECT_NE(open_size(5).find("3 engines"), std::string::npos);
  EXPECT_EQ(open_size(5), "");
  EXPECT_EQ(cached().size(), 2u);
}

TEST_F(EngineCache, RemovedEnginesStayUsable) {
  open();
  const Engine mapped = *open_engine(model_, options_);  // from the file
  options_.cache_limits.files = 1;
  write(model_, onnx_model("Neg", 4));
  open();
  EXPECT_EQ(cached().size(), 1u);
  EXPECT_EQ(first_output(mapped, {2, -1, 0, 0}), 2);
}

TEST_F(EngineCache, EngineFilesAreLoaded) {
  open();
  const fs::path engine = folder_ / "model.hone";
  fs::copy_file(cached().at(0), engine);
  EXPECT_TRUE(open_engine(engine, options_).ok());
  const fs::path renamed = folder_ / "model.bin";  // the contents tell
  fs::copy_file(engine, renamed);
  EXPECT_TRUE(open_engine(renamed, options_).ok());
  write(engine, "not an engine");
  EXPECT_EQ(open_engine(engine, options_).status().code(), Code::kCorruptEngine);
}

TEST_F(EngineCache, OtherFilesGetACure) {
  const auto message = [&](const std::string& name, std::string_view contents) {
    write(folder_ / name, contents);
    const Status status = open_engine(folder_ / name, options_).status();
    EXPECT_FALSE(status.ok()) << name;
    EXPECT_NE(status.message().find(name), std::string::npos) << status.message();
    return status.message();
  };
  using std::string_view_literals::operator""sv;
  EXPECT_NE(message("yolo.engine", "\x40\x01\0\0{\"description\": \"YOLO\"}"sv).find("Ultralytics"), std::string::npos);
  EXPECT_NE(message("plain.engine", "ftrt....").find("TensorRT"), std::string::npos);
  EXPECT_NE(message("model.pt", "PK\x03\x04....").find("export it to ONNX"), std::string::npos);
  EXPECT_NE(message("model.tflite", "\x1C\0\0\0TFL3"sv).find("TensorFlow Lite"), std::string::npos);
  message("empty.onnx", "");
  message("text.onnx", "hello");
  EXPECT_EQ(open_engine(folder_ / "none.onnx", options_).status().code(), Code::kNotFound);
  EXPECT_EQ(open_engine(folder_, options_).status().code(), Code::kInvalidArgument);
}

TEST(DefaultCacheFolder, FollowsTheEnvironment) {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  const std::string before = cache != nullptr ? cache : "";
  setenv("XDG_CACHE_HOME", "/somewhere", 1);
  EXPECT_EQ(default_cache_folder(), "/somewhere/hone");
  setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(default_cache_folder().find("relative"), std::string::npos);
  if (cache != nullptr)
    setenv("XDG_CACHE_HOME", before.c_str(), 1);
  else
    unsetenv("XDG_CACHE_HOME");
}

}  // namespace
}  // namespace hone
