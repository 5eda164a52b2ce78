// Tensors for tests: literals, random contents, and comparison with a tolerance.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <vector>

#include "hone/tensor.h"

namespace hone::test {

// tensor<float>({2, 2}, {1, 2, 3, 4}). Half and BFloat16 take floats.
template <class T>
Tensor tensor(std::initializer_list<int64_t> dims, std::initializer_list<T> values) {
  return Tensor::of<T>(std::span<const T>(values.begin(), values.size()), std::span(dims.begin(), dims.size()));
}

// Any numeric type from doubles (bool: nonzero).
Tensor tensor_from_doubles(DataType dtype, std::span<const int64_t> dims, std::span<const double> values);
// The elements as doubles, of any computable type; int64 and uint64 may round.
std::vector<double> to_doubles(const Tensor& tensor);

// A small fast random source (SplitMix64); the same seed gives the same numbers everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t bits();
  // In [0, 1).
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * unit(); }
  // In [low, high], both included.
  int64_t integer(int64_t low, int64_t high);

 private:
  uint64_t state_;
};

// Draws an operand's contents.
using Generator = std::function<Tensor(DataType dtype, const Extents& dims, Random& random)>;

// A generator from a function that draws one element.
Generator each(std::function<double(Random&)> draw);
// The default: floats of mixed magnitudes and signs with some zeros, integers in [-10, 10] (unsigned: [0, 20]),
// bools by a coin.
Tensor mixed(DataType dtype, const Extents& dims, Random& random);
// Floats with NaN, infinities, both zeros, subnormals and the largest values among ordinary ones; integers with the
// type's extremes.
Tensor special(DataType dtype, const Extents& dims, Random& random);
// Any number type; integers are drawn from the integers in [low, high].
Generator uniform(double low, double high);
// One of these values for each element.
Generator choice(std::vector<double> values);
// Indices into an axis of this size: [-size, size), or [0, size).
Generator indices(int64_t size);
Generator nonnegative_indices(int64_t size);
// The last axis (of size 4 or more) starts with x1 <= x2 and y1 <= y2 as (x1, y1, x2, y2) within [0, extent].
Generator boxes(double extent);

struct Tolerance {
  double relative = 0, absolute = 0;
};
// What one operation with a rounded result may be off by; exact for integers and bools.
Tolerance default_tolerance(DataType dtype);

// Same type and shape, and |actual - expected| <= absolute + relative * |expected| everywhere. NaNs match NaNs,
// infinities match themselves, integers must be equal. The message tells the worst element.
::testing::AssertionResult tensors_close(const Tensor& actual, const Tensor& expected, Tolerance tolerance);
// Bit for bit.
::testing::AssertionResult tensors_identical(const Tensor& actual, const Tensor& expected);

}  // namespace hone::test
