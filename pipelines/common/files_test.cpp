#include "pipelines/common/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <span>
#include <string_view>

#include "hone/file.h"

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

  fs::path folder_;
};

TEST_F(Files, AreReadWhole) {
  const std::string path = folder_ / "a", contents = "some\0bytes\xFF";
  ASSERT_TRUE(write_file_atomically(path, contents).ok());
  const auto read = read_file(path, 100);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(read->data()), read->size()), contents);
  ASSERT_TRUE(write_file_atomically(path, std::string_view()).ok());
  EXPECT_TRUE(read_file(path, 0)->empty());
}

TEST_F(Files, ErrorsNameTheFile) {
  const std::string path = folder_ / "a";
  EXPECT_EQ(read_file(path, 100).status().code(), Code::kNotFound);
  ASSERT_TRUE(write_file_atomically(path, std::string_view("12345")).ok());
  EXPECT_TRUE(read_file(path, 5).ok());
  const Status large = read_file(path, 4).status();
  EXPECT_EQ(large.code(), Code::kResource);
  EXPECT_NE(large.message().find(path), std::string::npos);
  EXPECT_EQ(read_file(folder_, 100).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(read_file("/dev/zero", 100).status().code(), Code::kInvalidArgument);
}

TEST_F(Files, PipesDontBlock) {
  const std::string path = folder_ / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(read_file(path, 100).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace hone
