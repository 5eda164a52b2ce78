// Status and Result: how every function of Hone reports failure. No exception crosses a public function.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace hone {

// What kind of failure it is. The command line maps each code to an exit code (exit_code()).
enum class Code {
  kOk,
  kInvalidArgument,     // a flag, name, shape, type or value given by the caller is wrong
  kInvalidModel,        // the ONNX file or graph is malformed
  kUnsupported,         // well-formed, but asks for something Hone doesn't do
  kAccuracy,            // a comparison found a difference above its tolerance
  kResource,            // memory, disk space or a configured limit
  kNotFound,            // a file or a named thing doesn't exist
  kCorruptEngine,       // the engine file is damaged
  kIncompatibleEngine,  // a sound engine file for another version or machine
  kRuntime,             // failure while running (an index out of range, a device error)
  kCancelled,           // stopped on request
};

// Success, or a code with a message that names the node, field or file and the cure. A success holds no memory.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

  // Prefixes the message of a failure with where it happened: "in node 'conv1': ...". A success passes unchanged.
  Status with_context(std::string_view where) &&;

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

// The process exit code for a status: 0 ok, 1 run-time, 2 usage, 3 model, 4 accuracy, 5 resource, 6 engine file.
int exit_code(const Status& status);

Status invalid_argument(std::string message);
Status invalid_model(std::string message);
Status unsupported(std::string message);
Status resource_error(std::string message);
Status corrupt_engine(std::string message);
Status runtime_error(std::string message);

// A value or the reason there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) {}

  bool ok() const { return value_.has_value(); }
  const Status& status() const& { return status_; }
  Status&& status() && { return std::move(status_); }

  // Only when ok().
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

  Result with_context(std::string_view where) && {
    if (!ok()) status_ = std::move(status_).with_context(where);
    return std::move(*this);
  }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace hone

#define HONE_CONCAT_INNER(a, b) a##b
#define HONE_CONCAT(a, b) HONE_CONCAT_INNER(a, b)

// Returns from the enclosing function when `expr` (a Status) failed.
#define HONE_TRY(expr)                                              \
  do {                                                              \
    if (::hone::Status hone_status_ = (expr); !hone_status_.ok()) { \
      return hone_status_;                                          \
    }                                                               \
  } while (false)

// HONE_ASSIGN(auto x, expr): x is the value of `expr` (a Result), or the enclosing function returns its status.
#define HONE_ASSIGN(decl, expr) HONE_ASSIGN_INNER(HONE_CONCAT(hone_result_, __LINE__), decl, expr)
#define HONE_ASSIGN_INNER(result, decl, expr)          \
  auto result = (expr);                                \
  if (!result.ok()) return std::move(result).status(); \
  decl = *std::move(result)
