#include "support/tensors.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/dispatch.h"

namespace hone::test {

Tensor tensor_from_doubles(DataType dtype, std::span<const int64_t> dims, std::span<const double> values) {
  Result<Tensor> made = Tensor::make(dtype, dims);
  EXPECT_TRUE(made.ok()) << made.status().message();
  if (!made.ok() || made->count() != static_cast<int64_t>(values.size())) return {};
  const Status status = visit_type(dtype, AllTypes{}, [&]<class T>() {
    const std::span<T> out = made->view().elements<T>();
    for (size_t i = 0; i < values.size(); ++i) {
      if constexpr (std::is_same_v<T, bool>) {
        out[i] = values[i] != 0;
      } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
        out[i] = T(static_cast<float>(values[i]));
      } else {
        out[i] = static_cast<T>(values[i]);
      }
    }
    return Status();
  });
  EXPECT_TRUE(status.ok()) << status.message();
  return *std::move(made);
}

std::vector<double> to_doubles(const Tensor& tensor) {
  std::vector<double> out(static_cast<size_t>(tensor.count()));
  const Status status = visit_type(tensor.dtype(), AllTypes{}, [&]<class T>() {
    const std::span<const T> values = tensor.values<T>();
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(values[i]);
    return Status();
  });
  EXPECT_TRUE(status.ok()) << status.message();
  return out;
}

uint64_t Random::bits() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

int64_t Random::integer(int64_t low, int64_t high) {
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
  return static_cast<int64_t>(static_cast<uint64_t>(low) + (range == 0 ? bits() : bits() % range));
}

Generator each(std::function<double(Random&)> draw) {
  return [draw = std::move(draw)](DataType dtype, const Extents& dims, Random& random) {
    std::vector<double> values(static_cast<size_t>(count_of(dims)));
    for (double& value : values) value = draw(random);
    return tensor_from_doubles(dtype, dims, values);
  };
}

namespace {

double mixed_float(Random& random) {
  const double value = random.uniform(-1, 1);
  switch (random.integer(0, 9)) {
    case 0: return 0;
    case 1: return value * 0.01;
    case 2: return value * 20;
    default: return value * 2;
  }
}

bool is_signed_integer(DataType dtype) {
  return dtype == DataType::kInt8 || dtype == DataType::kInt16 || dtype == DataType::kInt32 ||
         dtype == DataType::kInt64;
}

// A value that breaks careless code, as T holds it.
template <class T>
T special_value(Random& random) {
  if constexpr (std::is_integral_v<T>) {
    using Limits = std::numeric_limits<T>;
    const T values[] = {Limits::min(),     Limits::max(), T(0), T(1), static_cast<T>(Limits::max() - 1),
                        static_cast<T>(-1)};
    return values[random.integer(0, 5)];
  } else {
    constexpr float kInf = std::numeric_limits<float>::infinity();
    const float large = std::is_same_v<T, Half> ? 65504.0f : 3.0e38f;
    const float small = std::is_same_v<T, Half> ? 0x1p-24f : 0x1p-130f;
    const float values[] = {kInf, -kInf, std::nanf(""), 0.0f, -0.0f, large, -large, small, -small};
    return T(values[random.integer(0, 8)]);
  }
}

}  // namespace

Tensor mixed(DataType dtype, const Extents& dims, Random& random) {
  if (is_floating(dtype)) return each(mixed_float)(dtype, dims, random);
  if (dtype == DataType::kBool) return choice({0, 1})(dtype, dims, random);
  return is_signed_integer(dtype) ? uniform(-10, 10)(dtype, dims, random) : uniform(0, 20)(dtype, dims, random);
}

Tensor special(DataType dtype, const Extents& dims, Random& random) {
  Tensor tensor = mixed(dtype, dims, random);
  const Status status = visit_type(dtype, AllTypes{}, [&]<class T>() {
    for (T& value : tensor.view().elements<T>()) {
      if (random.integer(0, 1) == 0) value = special_value<T>(random);
    }
    return Status();
  });
  EXPECT_TRUE(status.ok()) << status.message();
  return tensor;
}

Generator uniform(double low, double high) {
  return [=](DataType dtype, const Extents& dims, Random& random) {
    if (is_floating(dtype)) return each([=](Random& r) { return r.uniform(low, high); })(dtype, dims, random);
    const auto first = static_cast<int64_t>(std::ceil(low)), last = static_cast<int64_t>(std::floor(high));
    return each([=](Random& r) { return static_cast<double>(r.integer(first, last)); })(dtype, dims, random);
  };
}

Generator choice(std::vector<double> values) {
  return each([values = std::move(values)](Random& random) {
    return values[static_cast<size_t>(random.integer(0, static_cast<int64_t>(values.size()) - 1))];
  });
}

Generator indices(int64_t size) { return uniform(static_cast<double>(-size), static_cast<double>(size - 1)); }

Generator nonnegative_indices(int64_t size) { return uniform(0, static_cast<double>(size - 1)); }

Generator boxes(double extent) {
  return [=](DataType dtype, const Extents& dims, Random& random) {
    std::vector<double> values(static_cast<size_t>(count_of(dims)));
    for (double& value : values) value = random.uniform(0, extent);
    const size_t width = dims.empty() ? 0 : static_cast<size_t>(dims.back());
    for (size_t box = 0; width >= 4 && box + width <= values.size(); box += width) {
      if (values[box] > values[box + 2]) std::swap(values[box], values[box + 2]);
      if (values[box + 1] > values[box + 3]) std::swap(values[box + 1], values[box + 3]);
    }
    return tensor_from_doubles(dtype, dims, values);
  };
}

Tolerance default_tolerance(DataType dtype) {
  switch (dtype) {
    case DataType::kFloat64: return {1e-12, 1e-13};
    case DataType::kFloat32: return {2e-6, 1e-6};
    case DataType::kFloat16: return {2e-3, 1e-3};
    case DataType::kBFloat16: return {1.6e-2, 1e-2};
    default: return {};
  }
}

namespace {

::testing::AssertionResult same_type(const Tensor& actual, const Tensor& expected) {
  if (actual.dtype() != expected.dtype() || !(actual.dims() == expected.dims())) {
    return ::testing::AssertionFailure() << "is " << name_of(actual.dtype()) << to_string(actual.dims())
                                         << ", expected " << name_of(expected.dtype()) << to_string(expected.dims());
  }
  return ::testing::AssertionSuccess();
}

// How far `actual` is beyond what is allowed; <= 0: close.
double excess(double actual, double expected, Tolerance tolerance) {
  if (std::isnan(expected) || std::isnan(actual)) {
    return std::isnan(expected) == std::isnan(actual) ? 0 : std::numeric_limits<double>::infinity();
  }
  if (actual == expected) return 0;
  if (std::isinf(expected) || std::isinf(actual)) return std::numeric_limits<double>::infinity();
  return std::abs(actual - expected) - (tolerance.absolute + tolerance.relative * std::abs(expected));
}

}  // namespace

::testing::AssertionResult tensors_close(const Tensor& actual, const Tensor& expected, Tolerance tolerance) {
  if (auto same = same_type(actual, expected); !same) return same;
  if (!is_floating(actual.dtype())) return tensors_identical(actual, expected);
  const std::vector<double> a = to_doubles(actual), b = to_doubles(expected);
  size_t wrong = 0, worst = 0;
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double over = excess(a[i], b[i], tolerance);
    if (over <= 0) continue;
    ++wrong;
    if (over > most) {
      most = over;
      worst = i;
    }
  }
  if (wrong == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << wrong << " of " << a.size() << " elements of " << name_of(actual.dtype())
                                       << to_string(actual.dims()) << " differ; the worst is element " << worst << ": "
                                       << a[worst] << ", expected " << b[worst] << " (relative " << tolerance.relative
                                       << ", absolute " << tolerance.absolute << ")";
}

::testing::AssertionResult tensors_identical(const Tensor& actual, const Tensor& expected) {
  if (auto same = same_type(actual, expected); !same) return same;
  if (std::memcmp(actual.data(), expected.data(), actual.bytes()) == 0) return ::testing::AssertionSuccess();
  const std::vector<double> a = to_doubles(actual), b = to_doubles(expected);
  const size_t size = bytes_of(actual.dtype());
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(actual.data() + i * size, expected.data() + i * size, size) == 0) continue;
    return ::testing::AssertionFailure() << "element " << i << " of " << name_of(actual.dtype())
                                         << to_string(actual.dims()) << " is " << a[i] << ", expected " << b[i];
  }
  return ::testing::AssertionFailure() << "the bytes differ";
}

}  // namespace hone::test
