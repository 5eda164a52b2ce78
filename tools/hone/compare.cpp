#include "tools/hone/compare.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "tools/hone/statistics.h"
#include "tools/hone/text.h"

namespace hone::cli {

namespace {

bool close(double a, double b, const Tolerance& tolerance) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (std::isinf(a) || std::isinf(b)) return a == b;
  return std::abs(a - b) <= tolerance.atol + tolerance.rtol * std::abs(b);
}

std::string number(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%.9g", value);
  return buffer;
}

std::string position_text(size_t flat, const Extents& dims) {
  std::vector<int64_t> position(dims.size());
  auto rest = static_cast<int64_t>(flat);
  for (size_t axis = dims.size(); axis-- > 0;) {
    position[axis] = rest % dims[axis];
    rest /= dims[axis];
  }
  return shape_text(position);
}

std::string string_difference(const Tensor& result, const Tensor& expected) {
  const auto &a = result.strings(), &b = expected.strings();
  const auto [at, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (at == a.end()) return "";
  return "string " + std::to_string(at - a.begin()) + " is '" + *at + "', expected '" + *other + "'";
}

}  // namespace

std::string difference(const Tensor& result, const Tensor& expected, const Tolerance& tolerance) {
  if (result.dtype() != expected.dtype()) {
    return "has type " + std::string(name_of(result.dtype())) + ", expected " + std::string(name_of(expected.dtype()));
  }
  if (!(result.dims() == expected.dims())) {
    return "has shape " + shape_text(result.dims()) + ", expected " + shape_text(expected.dims());
  }
  if (result.dtype() == DataType::kString) return string_difference(result, expected);
  const size_t bytes = result.bytes();
  if (bytes == 0 || std::memcmp(result.data(), expected.data(), bytes) == 0) return "";
  const std::vector<double> a = as_doubles(result), b = as_doubles(expected);
  if (a.empty()) return "differs (elements of type " + std::string(name_of(result.dtype())) + ")";
  const Tolerance used = result.dtype() == DataType::kBool ? Tolerance{0, 0} : tolerance;
  size_t wrong = 0, worst = 0;
  double worst_gap = -1;
  for (size_t i = 0; i < a.size(); ++i) {
    if (close(a[i], b[i], used)) continue;
    ++wrong;
    const double gap = std::isfinite(a[i]) && std::isfinite(b[i]) ? std::abs(a[i] - b[i]) : HUGE_VAL;
    if (gap > worst_gap) {
      worst_gap = gap;
      worst = i;
    }
  }
  if (wrong == 0) return "";
  return grouped(static_cast<int64_t>(wrong)) + " of " + grouped(static_cast<int64_t>(a.size())) +
         " elements differ, most at " + position_text(worst, result.dims()) + ": " + number(a[worst]) + ", expected " +
         number(b[worst]);
}

}  // namespace hone::cli
