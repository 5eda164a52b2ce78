#include "pipelines/common/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace hone {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "hone_files_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::vector<std::byte> bytes(std::string_view text) {
    const auto view = std::as_bytes(std::span(text));
    return {view.begin(), view.end()};
  }

  fs::path folder_;
};

TEST_F(Files, WhatWasWrittenIsRead) {
  const std::string path = folder_ / "a";
  ASSERT_TRUE(write_file(path, bytes("first")).ok());
  ASSERT_TRUE(write_file(path, bytes("second, longer")).ok());
  const auto read = read_file(path, 100);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(*read, bytes("second, longer"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1) << "a temporary file is left";
}

TEST_F(Files, ErrorsNameTheFile) {
  const std::string path = folder_ / "a";
  EXPECT_EQ(read_file(path, 100).status().code(), Code::kNotFound);
  ASSERT_TRUE(write_file(path, bytes("12345")).ok());
  const Status large = read_file(path, 4).status();
  EXPECT_EQ(large.code(), Code::kResource);
  EXPECT_NE(large.message().find(path), std::string::npos);
  EXPECT_EQ(read_file(folder_, 100).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(read_file("/dev/zero", 100).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(write_file(folder_ / "none" / "a", bytes("1")).code(), Code::kNotFound);
}

TEST_F(Files, PipesDontBlock) {
  const std::string path = folder_ / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(read_file(path, 100).status().code(), Code::kInvalidArgument);
}

TEST_F(Files, AFailedWriteLeavesTheOldFile) {
  const fs::path path = folder_ / "taken";
  fs::create_directory(path);  // a folder can't be replaced by renaming
  EXPECT_FALSE(write_file(path, bytes("x")).ok());
  EXPECT_TRUE(fs::is_directory(path));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1) << "a temporary file is left";
}

}  // namespace
}  // namespace hone
