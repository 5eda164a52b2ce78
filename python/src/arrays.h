// NumPy arrays as TensorViews. Everything here needs the GIL.
#pragma once

#include <nanobind/nanobind.h>

#include <string_view>
#include <vector>

#include "hone/tensor.h"

namespace hone::python {

// An array with the view of its memory, which lives as long as the array does.
struct Array {
  nanobind::object object;
  TensorView view;
};

// Once, when the module is imported. Throws where NumPy can't be imported.
void import_numpy();

// NumPy's dtype of `type`: for bfloat16 the one of ml_dtypes if that can be imported, else uint16. Throws
// hone.Unsupported for types that NumPy doesn't have.
nanobind::object numpy_dtype(DataType type);

// A sequence of integers as the shape given for the input `name`. Throws hone.InvalidArgument for anything else.
std::vector<int64_t> dims_of(nanobind::handle value, std::string_view name);
// `value` (an array or a NumPy scalar) for reading: itself where it is contiguous, aligned and in the machine's byte
// order, else a copy. Throws hone.InvalidArgument for another type of elements and for what isn't an array; `name` is
// for the message.
Array input_array(nanobind::handle value, std::string_view name, DataType dtype);
// `value` for writing into; it must be contiguous, aligned and writable.
Array output_array(nanobind::handle value, std::string_view name, DataType dtype);
// A fresh array with undefined contents.
Array new_array(DataType dtype, const Extents& dims);
// A fresh array with the view's contents.
Array copied_array(const TensorView& view);

}  // namespace hone::python
