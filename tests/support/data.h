// The folder of real pictures, point clouds and models that tests use when it is there.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "hone/tensor.h"

namespace hone::test {

// HONE_DATA, else ../shared/data beside the source tree; nothing when there is no such folder.
std::optional<std::filesystem::path> data_folder();

// Arrays of an .npz file by name. Aborts the test on errors.
std::map<std::string, Tensor> read_arrays(const std::filesystem::path& npz);

}  // namespace hone::test
