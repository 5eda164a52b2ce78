// How much memory a file may make the importer use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hone/status.h"

namespace hone::onnx {

// Counts what is about to be allocated for the file's sake and refuses what goes over the limit. Sizes the file
// claims are charged before anything is allocated.
class MemoryBudget {
 public:
  explicit MemoryBudget(int64_t limit_bytes) : limit_(static_cast<uint64_t>(limit_bytes)) {}

  Status charge(uint64_t bytes, std::string_view what) {
    if (bytes <= limit_ - used_) {
      used_ += bytes;
      return {};
    }
    return resource_error(std::string(what) + " needs " + std::to_string(bytes) + " bytes on top of " +
                          std::to_string(used_) + " in use; the limit is " + std::to_string(limit_) +
                          " (raise it with --max-load-memory)");
  }

 private:
  uint64_t limit_;
  uint64_t used_ = 0;
};

}  // namespace hone::onnx
