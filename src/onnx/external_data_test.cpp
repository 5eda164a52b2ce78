#include "onnx/external_data.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "onnx/test_model.h"

namespace hone::onnx {
namespace {

using namespace test;
namespace fs = std::filesystem;

// A folder with model.onnx, weights.bin (0, 1, 2 ... as floats) and, beside the folder, secret.bin.
class ExternalFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "hone_external_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    fs::create_directories(root_ / "model" / "sub");
    std::vector<float> values(1024);
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    write("model/weights.bin", bytes_of_values(values));
    write("model/sub/weights.bin", bytes_of_values(values));
    write("secret.bin", bytes_of_values(std::vector<float>(1024, -1.0f)));
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& bytes) const {
    std::ofstream(root_ / path, std::ios::binary) << bytes;
  }
  fs::path in_model(const std::string& name) const { return root_ / "model" / name; }

  Result<Graph> import_with(const std::vector<Message>& initializers, const ImportOptions& options = {}) const {
    TestModel model = one_node(17, node("Relu", {"w"}, {"y"}), {}, initializers);
    write("model/model.onnx", model.bytes());
    return import_onnx_file(in_model("model.onnx"), options);
  }

  fs::path root_;
};

Message external(std::string_view name, int64_t count, std::string_view location, std::string_view offset = "",
                 std::string_view length = "") {
  Message message = tensor(name, DataType::kFloat32, {count}).integer(14, 1);
  message.message(13, Message().text(1, "location").text(2, location));
  if (!offset.empty()) message.message(13, Message().text(1, "offset").text(2, offset));
  if (!length.empty()) message.message(13, Message().text(1, "length").text(2, length));
  return message;
}

TEST_F(ExternalFiles, ReadsRegions) {
  for (const char* location : {"weights.bin", "./weights.bin", "sub/weights.bin", "sub//weights.bin"}) {
    const Result<Graph> graph = import_with({external("w", 3, location, "400", "12")});
    ASSERT_TRUE(graph.ok()) << error_of(graph);
    const auto values = graph->find_value("w")->constant().values<float>();
    EXPECT_EQ(std::vector<float>(values.begin(), values.end()), (std::vector<float>{100, 101, 102}));
  }
  const Result<Graph> whole = import_with({external("w", 1024, "weights.bin")});
  ASSERT_TRUE(whole.ok()) << error_of(whole);
  EXPECT_EQ(whole->find_value("w")->constant().values<float>()[1023], 1023.0f);
}

TEST_F(ExternalFiles, OneRegionIsReadOnce) {
  std::vector<Message> tensors = {external("w", 1024, "weights.bin")};
  for (int i = 0; i < 1000; ++i) tensors.push_back(external("w" + std::to_string(i), 1024, "weights.bin"));
  // 1,001 copies would be 4 MB.
  const Result<Graph> graph = import_with(tensors, {.max_load_memory_bytes = 3 << 20});
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(graph->find_value("w0")->constant().data(), graph->find_value("w999")->constant().data());
}

TEST_F(ExternalFiles, OverlappingRegionsCountEach) {
  std::vector<Message> tensors = {external("w", 1, "weights.bin")};
  for (int i = 0; i < 1000; ++i) {
    tensors.push_back(external("w" + std::to_string(i), 1000, "weights.bin", std::to_string(i % 24)));
    if (i >= 24) tensors.back() = external("w" + std::to_string(i), 1000 - i, "weights.bin");
  }
  EXPECT_EQ(import_with(tensors, {.max_load_memory_bytes = 2 << 20}).status().code(), Code::kResource);
}

TEST_F(ExternalFiles, WhatIsReadIsACopy) {
  const Result<Graph> graph = import_with({external("w", 4, "weights.bin")});
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  write("model/weights.bin", "");
  EXPECT_EQ(graph->find_value("w")->constant().values<float>()[3], 3.0f);
}

TEST_F(ExternalFiles, NothingOutsideOfTheFolder) {
  fs::create_symlink(root_ / "secret.bin", in_model("link.bin"));
  fs::create_symlink("weights.bin", in_model("inner_link.bin"));
  fs::create_directory_symlink(root_, in_model("up"));
  fs::create_hard_link(root_ / "secret.bin", in_model("hard.bin"));
  ASSERT_EQ(::mkfifo(in_model("fifo").c_str(), 0600), 0);
  const std::string absolute = (root_ / "secret.bin").string();
  const std::pair<std::string, const char*> cases[] = {
      {"../secret.bin", "'..'"},
      {"sub/../../secret.bin", "'..'"},
      {"sub/../weights.bin", "'..'"},
      {absolute, "absolute path"},
      {"/proc/self/mem", "absolute path"},
      {"/dev/zero", "absolute path"},
      {"link.bin", "symbolic link"},
      {"inner_link.bin", "symbolic link"},
      {"up/secret.bin", "symbolic link"},
      {"hard.bin", "hard link"},
      {"fifo", "isn't a regular file"},
      {"sub", "isn't a regular file"},
      {".", "names a folder"},
      {"", "empty location"},
      {std::string("weights.bin\0/../../secret.bin", 29), "NUL"},
      {"https://example.org/weights.bin", "doesn't exist"},
      {"absent.bin", "doesn't exist"},
      {"weights.bin/x", "symbolic link or a file"},
  };
  for (const auto& [location, expected] : cases) {
    const Result<Graph> graph = import_with({external("w", 4, location)});
    EXPECT_NE(error_of(graph).find(expected), std::string::npos) << location << ": " << error_of(graph);
    EXPECT_NE(error_of(graph).find("tensor 'w'"), std::string::npos) << error_of(graph);
  }
}

TEST_F(ExternalFiles, RegionsMustLieInTheFile) {
  const struct {
    int64_t count;
    const char *offset, *length, *expected;
  } cases[] = {
      {1025, "", "", "has 4096 bytes; the tensor asks for 4100 from byte 0"},
      {4, "4084", "", "asks for 16 from byte 4084"},
      {4, "4097", "", "from byte 4097"},
      {4, "9223372036854775807", "16", "from byte 9223372036854775807"},
      {4, "9223372036854775808", "", "offset '9223372036854775808' isn't a number"},
      {4, "-4", "", "isn't a number"},
      {4, "0x10", "", "isn't a number"},
      {4, " 4", "", "isn't a number"},
      {4, "0", "12", "has length 12, but the tensor needs 16"},
      {4, "0", "99999999999999999999", "length '99999999999999999999' isn't a number"},
      {int64_t{1} << 40, "", "", "has 4096 bytes; the tensor asks for 4398046511104"},
  };
  for (const auto& c : cases) {
    const Result<Graph> graph = import_with({external("w", c.count, "weights.bin", c.offset, c.length)});
    EXPECT_NE(error_of(graph).find(c.expected), std::string::npos) << error_of(graph);
  }
}

TEST_F(ExternalFiles, BytesNeedAFolder) {
  TestModel model = one_node(17, node("Relu", {"w"}, {"y"}), {}, {external("w", 4, "weights.bin")});
  EXPECT_EQ(import_bytes(model.bytes()).status().code(), Code::kInvalidArgument);
  const Result<Graph> graph = import_bytes(model.bytes(), {}, (root_ / "model").string());
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(graph->find_value("w")->constant().values<float>()[3], 3.0f);
}

// Someone swaps the file for a link while the model loads: never the link's target.
TEST_F(ExternalFiles, LinksThatAppearMeanwhile) {
  std::atomic<bool> stop = false;
  const fs::path real = in_model("swap.bin"), spare = in_model("spare.bin"), link = in_model("spare.link");
  fs::copy_file(in_model("weights.bin"), real);
  std::thread swapper([&] {
    std::error_code ignored;
    while (!stop) {
      fs::create_symlink(root_ / "secret.bin", link, ignored);
      fs::rename(link, real, ignored);
      fs::copy_file(in_model("weights.bin"), spare, ignored);
      fs::rename(spare, real, ignored);
    }
  });
  for (int i = 0; i < 300; ++i) {
    const Result<Graph> graph = import_with({external("w", 4, "swap.bin")});
    if (graph.ok()) {
      EXPECT_NE(graph->find_value("w")->constant().values<float>()[3], -1.0f);
    }
  }
  stop = true;
  swapper.join();
}

TEST_F(ExternalFiles, ModelFilesThemselves) {
  EXPECT_EQ(import_onnx_file(in_model("absent.onnx")).status().code(), Code::kNotFound);
  EXPECT_NE(error_of(import_onnx_file(in_model("sub"))).find("isn't a regular file"), std::string::npos);
  ASSERT_EQ(::mkfifo(in_model("pipe.onnx").c_str(), 0600), 0);
  EXPECT_NE(error_of(import_onnx_file(in_model("pipe.onnx"))).find("isn't a regular file"), std::string::npos);
  write("model/empty.onnx", "");
  EXPECT_NE(error_of(import_onnx_file(in_model("empty.onnx"))).find("is empty"), std::string::npos);
}

// In a file of our own, a misaligned tensor is moved over its header instead of being copied.
TEST_F(ExternalFiles, WeightsOfAFileAreNotCopied) {
  constexpr int64_t kCount = 1 << 18;
  std::vector<float> values(kCount);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) * 0.5f;
  for (const char* name : {"w", "w1", "w22", "w333"}) {
    TestModel model = one_node(17, node("Relu", {name}, {"y"}), {}, {floats(name, {kCount}, values)});
    write("model/model.onnx", model.bytes());
    const Result<Graph> graph = import_onnx_file(in_model("model.onnx"), {.max_load_memory_bytes = (1 << 20) + 65536});
    ASSERT_TRUE(graph.ok()) << error_of(graph);
    const Tensor& weight = graph->find_value(name)->constant();
    EXPECT_TRUE(std::equal(values.begin(), values.end(), weight.values<float>().begin()));
  }
}

}  // namespace
}  // namespace hone::onnx
