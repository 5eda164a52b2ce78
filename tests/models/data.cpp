#include "support/data.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tools/hone/npy.h"

namespace hone::test {

std::optional<std::filesystem::path> data_folder() {
  const char* named = std::getenv("HONE_DATA");
  const std::filesystem::path folder =
      named != nullptr ? std::filesystem::path(named) : std::filesystem::path(HONE_SOURCE_DIR) / "../shared/data";
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) return std::nullopt;
  return folder;
}

std::map<std::string, Tensor> read_arrays(const std::filesystem::path& npz) {
  std::ifstream file(npz, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  std::map<std::string, Tensor> arrays;
  const Result<std::vector<std::string>> names = cli::npz_names(bytes);
  EXPECT_TRUE(names.ok()) << names.status().message();
  for (const std::string& name : names.ok() ? *names : std::vector<std::string>()) {
    Result<Tensor> tensor = cli::read_npz(bytes, name);
    EXPECT_TRUE(tensor.ok()) << tensor.status().message();
    if (tensor.ok()) arrays.emplace(name, *std::move(tensor));
  }
  return arrays;
}

}  // namespace hone::test
