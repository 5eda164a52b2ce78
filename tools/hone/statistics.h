// Numbers about tensors and timings.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hone/tensor.h"
#include "tools/hone/shell.h"

namespace hone::cli {

// The elements as float64 (bools as 0 and 1). Types without a number give an empty list.
std::vector<double> as_doubles(const Tensor& tensor);

struct ValueSummary {
  int64_t count = 0, not_finite = 0;
  double min = 0, max = 0, mean = 0;  // of the finite ones
};
ValueSummary summarize(const Tensor& tensor);
// "0.1234", or "-" when there is no value.
std::string number_text(const ValueSummary& summary, double value);

// Null for what JSON has no number for.
Json json_number(double value);

// The smallest of the sorted samples that at least `percent` of a hundred don't exceed (nearest rank). Not empty.
double percentile(std::span<const double> sorted, double percent);
// The mean of the middle two of an even number. Not empty.
double median(std::span<const double> sorted);

struct TimingSummary {
  int64_t count = 0;
  double min = 0, mean = 0, median = 0, p90 = 0, p95 = 0, p99 = 0, max = 0;
};
// Sorts `samples`.
TimingSummary summarize_timings(std::vector<double>& samples);

}  // namespace hone::cli
