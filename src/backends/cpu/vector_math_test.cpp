#include "backends/cpu/vector_math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hone::cpu {
namespace {

// Every so many float32 of both signs, and the special ones.
std::vector<float> arguments() {
  std::vector<float> all;
  for (uint32_t bits = 0; bits < 0x7f800000u; bits += 4097) {
    all.push_back(std::bit_cast<float>(bits));
    all.push_back(-std::bit_cast<float>(bits));
  }
  for (float x = -20; x < 20; x += 1e-4f) all.push_back(x);
  all.insert(all.end(), {INFINITY, -INFINITY, 88.72f, 88.73f, -87.33f, -103.9f, -104.5f});
  return all;
}

// The distance in units of the last place of the true value; of the smallest normal number below that.
double error_ulp(float actual, double truth) {
  const auto rounded = static_cast<float>(truth);
  if (actual == rounded) return 0;
  if (!std::isfinite(rounded)) return truth > 3.5e38 ? INFINITY : 0;
  const double magnitude = std::max(std::abs(truth), 0x1p-126);
  return std::abs(static_cast<double>(actual) - truth) / std::ldexp(1.0, std::ilogb(magnitude) - 23);
}

HONE_SIMD void apply_exp(const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = exp_of(x[i]);
}
HONE_SIMD void apply_sigmoid(const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = sigmoid_of(x[i]);
}
HONE_SIMD void apply_tanh(const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = tanh_of(x[i]);
}
HONE_SIMD void apply_erf(const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = erf_of(x[i]);
}

void check(void (*apply)(const float*, float*, size_t), double (*truth)(double), double limit) {
  const std::vector<float> x = arguments();
  std::vector<float> y(x.size());
  apply(x.data(), y.data(), x.size());
  double worst = 0;
  float at = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double error = error_ulp(y[i], truth(static_cast<double>(x[i])));
    if (error > worst) {
      worst = error;
      at = x[i];
    }
  }
  ::testing::Test::RecordProperty("worst_ulp", std::to_string(worst));
  EXPECT_LE(worst, limit) << "at " << at;
  const float nan = NAN;
  float result = 0;
  apply(&nan, &result, 1);
  EXPECT_TRUE(std::isnan(result));
}

TEST(VectorMath, Exp) {
  check(
      apply_exp, [](double x) { return std::exp(x); }, 2);
}
TEST(VectorMath, Sigmoid) {
  check(
      apply_sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, 3);
}
TEST(VectorMath, Tanh) {
  check(
      apply_tanh, [](double x) { return std::tanh(x); }, 3);
}
TEST(VectorMath, Erf) {
  check(
      apply_erf, [](double x) { return std::erf(x); }, 3);
}

}  // namespace
}  // namespace hone::cpu
