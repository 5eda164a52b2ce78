#include "passes/pass.h"

#include <algorithm>

namespace hone {

namespace {

// A few seconds of plain loops.
constexpr double kMaxWork = 2e9;

}  // namespace

bool PassContext::rewrite() {
  if (max_rewrites >= 0 && rewrites_ >= max_rewrites) return false;
  ++rewrites_;
  return true;
}

bool PassContext::reserve(int64_t bytes) {
  if (bytes > memory_budget_bytes - used_bytes_) return false;
  used_bytes_ += bytes;
  return true;
}

bool PassContext::spend(double multiplications) {
  if (multiplications > kMaxWork - work_) return false;
  work_ += multiplications;
  return true;
}

void PassContext::begin_pass(int64_t constant_bytes) {
  if (initial_bytes_ < 0) initial_bytes_ = constant_bytes;
  used_bytes_ = std::max<int64_t>(0, constant_bytes - initial_bytes_);
}

}  // namespace hone
