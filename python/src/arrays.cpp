#include "arrays.h"

#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#include <numpy/arrayobject.h>

#include <array>
#include <cstring>
#include <string>

#include "errors.h"
#include "gil.h"

namespace nb = nanobind;

namespace hone::python {

namespace {

int numpy_number(DataType type) {
  switch (type) {
    case DataType::kFloat32: return NPY_FLOAT32;
    case DataType::kFloat64: return NPY_FLOAT64;
    case DataType::kFloat16: return NPY_FLOAT16;
    case DataType::kInt8: return NPY_INT8;
    case DataType::kInt16: return NPY_INT16;
    case DataType::kInt32: return NPY_INT32;
    case DataType::kInt64: return NPY_INT64;
    case DataType::kUint8: return NPY_UINT8;
    case DataType::kUint16: return NPY_UINT16;
    case DataType::kUint32: return NPY_UINT32;
    case DataType::kUint64: return NPY_UINT64;
    case DataType::kBool: return NPY_BOOL;
    default: return NPY_NOTYPE;
  }
}

PyObject* make_descr(DataType type) {
  if (const int number = numpy_number(type); number != NPY_NOTYPE) {
    return reinterpret_cast<PyObject*>(PyArray_DescrFromType(number));
  }
  if (type != DataType::kBFloat16) raise(unsupported("NumPy has no type for " + std::string(name_of(type))));
  const nb::object bfloat16 = nb::steal(PyImport_ImportModule("ml_dtypes"));
  if (!bfloat16.is_valid()) {
    PyErr_Clear();
    return reinterpret_cast<PyObject*>(PyArray_DescrFromType(NPY_UINT16));
  }
  PyArray_Descr* descr = nullptr;
  if (PyArray_DescrConverter(nb::object(bfloat16.attr("bfloat16")).ptr(), &descr) == NPY_FAIL) throw nb::python_error();
  return reinterpret_cast<PyObject*>(descr);
}

// Kept for the life of the process.
PyArray_Descr* descr_of(DataType type) {
  static std::array<PyObject*, kDataTypeCount> descrs{};
  PyObject*& descr = descrs[static_cast<size_t>(type)];
  if (descr == nullptr) descr = make_descr(type);
  return reinterpret_cast<PyArray_Descr*>(descr);
}

PyArrayObject* as_array(const nb::object& object) { return reinterpret_cast<PyArrayObject*>(object.ptr()); }

bool has_dtype(PyArrayObject* array, DataType type) {
  PyArray_Descr* const wanted = descr_of(type);
  PyArray_Descr* const given = PyArray_DESCR(array);
  if (given == wanted) return true;
  if (type == DataType::kBFloat16 && given->type_num == NPY_UINT16) return PyArray_ISNOTSWAPPED(array);
  if (PyArray_EquivTypes(given, wanted)) return true;
  if (PyArray_ISNOTSWAPPED(array)) return false;
  const nb::object native = nb::steal(reinterpret_cast<PyObject*>(PyArray_DescrNewByteorder(given, NPY_NATIVE)));
  return PyArray_EquivTypes(reinterpret_cast<PyArray_Descr*>(native.ptr()), wanted);
}

// "input 'x'"
std::string titled(const char* kind, std::string_view name) {
  return std::string(kind) + " '" + std::string(name) + "'";
}

void check_array(PyArrayObject* array, const std::string& title, DataType dtype) {
  if (!has_dtype(array, dtype)) {
    const std::string wanted(name_of(dtype));
    const std::string given = nb::str(nb::handle(reinterpret_cast<PyObject*>(PyArray_DESCR(array)))).c_str();
    raise(invalid_argument(title + " has elements of " + wanted + ", the array given has " + given +
                           "; convert it with array.astype(hone.numpy_dtype('" + wanted + "'))"));
  }
  if (PyArray_NDIM(array) > static_cast<int>(kMaxRank)) {
    raise(invalid_argument("the array given for " + title + " has rank " + std::to_string(PyArray_NDIM(array)) +
                           "; at most " + std::to_string(kMaxRank) + " is possible"));
  }
}

[[noreturn]] void refuse_object(nb::handle value, const std::string& title, DataType dtype) {
  raise(invalid_argument(title + " takes a NumPy array of " + std::string(name_of(dtype)) + ", not an object of type " +
                         Py_TYPE(value.ptr())->tp_name + "; convert it with numpy.asarray"));
}

TensorView view_of(PyArrayObject* array, DataType dtype) {
  Extents dims;
  for (int i = 0; i < PyArray_NDIM(array); ++i) dims.push_back(PyArray_DIM(array, i));
  return {static_cast<std::byte*>(PyArray_DATA(array)), dtype, dims};
}

bool usable_in_place(PyArrayObject* array) {
  return PyArray_IS_C_CONTIGUOUS(array) && PyArray_ISALIGNED(array) && PyArray_ISNOTSWAPPED(array);
}

void* import_array_api() {
  import_array();
  return nullptr;
}

}  // namespace

void import_numpy() {
  import_array_api();
  if (PyErr_Occurred() != nullptr) throw nb::python_error();
}

nb::object numpy_dtype(DataType type) { return nb::borrow(reinterpret_cast<PyObject*>(descr_of(type))); }

std::vector<int64_t> dims_of(nb::handle value, std::string_view name) {
  const nb::object items = nb::steal(PySequence_Check(value.ptr()) ? PySequence_Fast(value.ptr(), "") : nullptr);
  if (!items.is_valid()) {
    PyErr_Clear();
    raise(invalid_argument(titled("input", name) + ": the shape given is " + nb::repr(value).c_str() +
                           "; give a sequence of integers"));
  }
  std::vector<int64_t> dims;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items.ptr()); ++i) {
    const nb::handle item = PySequence_Fast_GET_ITEM(items.ptr(), i);
    const nb::object index = nb::steal(PyNumber_Index(item.ptr()));
    int overflow = 0;
    if (index.is_valid()) dims.push_back(PyLong_AsLongLongAndOverflow(index.ptr(), &overflow));
    if (index.is_valid() && overflow == 0) continue;
    PyErr_Clear();
    raise(invalid_argument(titled("input", name) + ": dimension " + std::to_string(i) + " is " +
                           nb::repr(item).c_str() + ", expected an integer below 2**63"));
  }
  return dims;
}

Array input_array(nb::handle value, std::string_view name, DataType dtype) {
  nb::object object = nb::borrow(value);
  if (!PyArray_Check(value.ptr())) {
    if (!PyArray_IsScalar(value.ptr(), Generic)) refuse_object(value, titled("input", name), dtype);
    object = nb::steal(PyArray_FromScalar(value.ptr(), nullptr));
    if (!object.is_valid()) throw nb::python_error();
  }
  // The title is only for messages: has_dtype() first, so that a call allocates nothing for it.
  if (!has_dtype(as_array(object), dtype) || PyArray_NDIM(as_array(object)) > static_cast<int>(kMaxRank)) {
    check_array(as_array(object), titled("input", name), dtype);
  }
  if (!usable_in_place(as_array(object))) {
    PyArray_Descr* native = PyArray_DescrNewByteorder(PyArray_DESCR(as_array(object)), NPY_NATIVE);
    constexpr int kFlags = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED | NPY_ARRAY_ENSUREARRAY;
    object = nb::steal(unless_ended([&] { return PyArray_FromArray(as_array(object), native, kFlags); }));
    if (!object.is_valid()) throw nb::python_error();
  }
  const TensorView view = view_of(as_array(object), dtype);
  return {std::move(object), view};
}

Array output_array(nb::handle value, std::string_view name, DataType dtype) {
  const std::string title = titled("output", name);
  if (!PyArray_Check(value.ptr())) refuse_object(value, title, dtype);
  nb::object object = nb::borrow(value);
  check_array(as_array(object), title, dtype);
  if (!usable_in_place(as_array(object)) || !PyArray_ISWRITEABLE(as_array(object))) {
    raise(invalid_argument("the array given for " + title +
                           " must be contiguous, aligned and writable; make one with numpy.empty"));
  }
  const TensorView view = view_of(as_array(object), dtype);
  return {std::move(object), view};
}

Array new_array(DataType dtype, const Extents& dims) {
  static_assert(sizeof(npy_intp) == sizeof(int64_t));
  std::array<npy_intp, kMaxRank> sizes{};
  std::copy(dims.begin(), dims.end(), sizes.begin());
  PyArray_Descr* descr = descr_of(dtype);
  Py_INCREF(descr);
  nb::object object = nb::steal(PyArray_NewFromDescr(&PyArray_Type, descr, static_cast<int>(dims.size()), sizes.data(),
                                                     nullptr, nullptr, 0, nullptr));
  if (!object.is_valid()) throw nb::python_error();
  std::byte* data = static_cast<std::byte*>(PyArray_DATA(as_array(object)));
  return {std::move(object), TensorView{data, dtype, dims}};
}

Array copied_array(const TensorView& view) {
  Array array = new_array(view.dtype, view.dims);
  if (view.count() != 0) std::memcpy(array.view.data, view.data, view.bytes());
  return array;
}

}  // namespace hone::python
