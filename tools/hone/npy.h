// NumPy's files: .npy (one array) and .npz (a ZIP archive of them, compressed or not).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "hone/status.h"
#include "hone/tensor.h"

namespace hone::cli {

// Float16/32/64, int8..int64, uint8..uint64 and bool; two-byte void ('V2', what ml_dtypes writes) is bfloat16.
// Fortran order and big-endian arrays are converted. Errors (kInvalidArgument): damaged, or other element types;
// objects are refused, never unpickled.
Result<Tensor> parse_npy(std::span<const std::byte> bytes);
// Format version 1.0, C order, little-endian. Tensors of the types above only.
Result<std::vector<std::byte>> write_npy(const Tensor& tensor);

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// Whether the file is an archive, by its first bytes.
bool is_npz(std::span<const std::byte> bytes);
// Entries in the archive's order, ".npy" taken off their names.
Result<std::vector<std::string>> npz_names(std::span<const std::byte> bytes);
Result<Tensor> read_npz(std::span<const std::byte> bytes, const std::string& name);
// As numpy.savez (or savez_compressed) writes it.
Result<std::vector<std::byte>> write_npz(std::span<const NamedTensor> tensors, bool compressed);

}  // namespace hone::cli
