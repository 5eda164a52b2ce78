#include "errors.h"

namespace nb = nanobind;

namespace hone::python {

namespace {

const char* class_of(Code code) {
  switch (code) {
    case Code::kOk: break;
    case Code::kInvalidArgument: return "InvalidArgument";
    case Code::kInvalidModel: return "InvalidModel";
    case Code::kUnsupported: return "Unsupported";
    case Code::kAccuracy: return "Accuracy";
    case Code::kResource: return "Resource";
    case Code::kNotFound: return "NotFound";
    case Code::kCorruptEngine: return "CorruptEngine";
    case Code::kIncompatibleEngine: return "IncompatibleEngine";
    case Code::kRuntime: return "Runtime";
    case Code::kCancelled: return "Cancelled";
  }
  return "Error";
}

}  // namespace

void raise(const Status& status) {
  const nb::object type = nb::module_::import_("hone._errors").attr(class_of(status.code()));
  // Messages may quote names from files that aren't UTF-8.
  const std::string& text = status.message();
  const nb::object message =
      nb::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace"));
  PyErr_SetObject(type.ptr(), message.ptr());
  throw nb::python_error();
}

}  // namespace hone::python
