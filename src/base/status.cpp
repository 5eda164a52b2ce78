#include "hone/status.h"

namespace hone {

Status Status::with_context(std::string_view where) && {
  if (!ok()) message_ = std::string(where) + ": " + message_;
  return std::move(*this);
}

int exit_code(const Status& status) {
  switch (status.code()) {
    case Code::kOk: return 0;
    case Code::kInvalidArgument: return 2;
    case Code::kNotFound: return 2;
    case Code::kInvalidModel: return 3;
    case Code::kUnsupported: return 3;
    case Code::kAccuracy: return 4;
    case Code::kResource: return 5;
    case Code::kCorruptEngine: return 6;
    case Code::kIncompatibleEngine: return 6;
    case Code::kRuntime: return 1;
    case Code::kCancelled: return 1;
  }
  return 1;
}

Status invalid_argument(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }
Status invalid_model(std::string message) { return {Code::kInvalidModel, std::move(message)}; }
Status unsupported(std::string message) { return {Code::kUnsupported, std::move(message)}; }
Status resource_error(std::string message) { return {Code::kResource, std::move(message)}; }
Status corrupt_engine(std::string message) { return {Code::kCorruptEngine, std::move(message)}; }
Status runtime_error(std::string message) { return {Code::kRuntime, std::move(message)}; }

}  // namespace hone
