#include "tools/hone/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tools/hone/text.h"

namespace hone::cli {

namespace {

template <class T>
std::vector<double> convert(const Tensor& tensor) {
  std::vector<double> values;
  values.reserve(static_cast<size_t>(tensor.count()));
  for (const T& value : tensor.values<T>()) {
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      values.push_back(static_cast<double>(static_cast<float>(value)));
    } else {
      values.push_back(static_cast<double>(value));
    }
  }
  return values;
}

}  // namespace

std::vector<double> as_doubles(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DataType::kFloat32: return convert<float>(tensor);
    case DataType::kFloat64: return convert<double>(tensor);
    case DataType::kFloat16: return convert<Half>(tensor);
    case DataType::kBFloat16: return convert<BFloat16>(tensor);
    case DataType::kInt8: return convert<int8_t>(tensor);
    case DataType::kInt16: return convert<int16_t>(tensor);
    case DataType::kInt32: return convert<int32_t>(tensor);
    case DataType::kInt64: return convert<int64_t>(tensor);
    case DataType::kUint8: return convert<uint8_t>(tensor);
    case DataType::kUint16: return convert<uint16_t>(tensor);
    case DataType::kUint32: return convert<uint32_t>(tensor);
    case DataType::kUint64: return convert<uint64_t>(tensor);
    case DataType::kBool: return convert<bool>(tensor);
    default: return {};
  }
}

ValueSummary summarize(const Tensor& tensor) {
  ValueSummary summary{.min = std::numeric_limits<double>::infinity(), .max = -std::numeric_limits<double>::infinity()};
  double sum = 0;
  for (const double value : as_doubles(tensor)) {
    if (!std::isfinite(value)) {
      ++summary.not_finite;
      continue;
    }
    ++summary.count;
    summary.min = std::min(summary.min, value);
    summary.max = std::max(summary.max, value);
    sum += value;
  }
  if (summary.count > 0) summary.mean = sum / static_cast<double>(summary.count);
  return summary;
}

std::string number_text(const ValueSummary& summary, double value) {
  return summary.count == 0 ? "-" : significant(value);
}

Json json_number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

double percentile(std::span<const double> sorted, double percent) {
  const auto rank = static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

double median(std::span<const double> sorted) {
  return (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
}

TimingSummary summarize_timings(std::vector<double>& samples) {
  TimingSummary summary;
  if (samples.empty()) return summary;
  std::sort(samples.begin(), samples.end());
  const size_t n = samples.size();
  summary.count = static_cast<int64_t>(n);
  summary.min = samples.front();
  summary.max = samples.back();
  summary.mean = std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(n);
  summary.median = median(samples);
  summary.p90 = percentile(samples, 90);
  summary.p95 = percentile(samples, 95);
  summary.p99 = percentile(samples, 99);
  return summary;
}

}  // namespace hone::cli
