#include "passes/tensors.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/dispatch.h"

namespace hone {

namespace {

// To float towards zero, with the last bit set if that isn't exact ("round to odd"): rounding the result again to a
// type of at most 22 bits is then as good as rounding `value` to it.
float round_to_odd(double value) {
  float rounded = static_cast<float>(value);
  if (static_cast<double>(rounded) == value || std::isnan(value)) return rounded;
  auto bits = std::bit_cast<uint32_t>(rounded);
  if (std::fabs(static_cast<double>(rounded)) > std::fabs(value)) --bits;
  return std::bit_cast<float>(bits | 1);
}

template <class T>
T round_once(double value) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return T(round_to_odd(value));
  } else {
    return static_cast<T>(value);
  }
}

}  // namespace

const Tensor* constant_operand(const Node& node, size_t i) {
  const Value* value = node.input(i);
  return value != nullptr && value->is_constant() ? &value->constant() : nullptr;
}

std::optional<std::vector<double>> to_doubles(const Tensor& tensor) {
  std::vector<double> values;
  const Status status = visit_type(tensor.dtype(), AllTypes{}, [&]<class T>() {
    const auto elements = tensor.values<T>();
    values.reserve(elements.size());
    for (const T element : elements) values.push_back(static_cast<double>(element));
    return Status();
  });
  if (!status.ok()) return std::nullopt;
  return values;
}

Result<Tensor> from_doubles(DataType dtype, const Extents& dims, std::span<const double> values) {
  HONE_ASSIGN(Tensor tensor, Tensor::make(dtype, dims));
  HONE_TRY(visit_type(dtype, FloatTypes{}, [&]<class T>() {
    std::transform(values.begin(), values.end(), reinterpret_cast<T*>(tensor.mutable_data()), round_once<T>);
    return Status();
  }));
  return tensor;
}

bool all_equal(const Tensor& tensor, double number) {
  if (tensor.count() == 0) return false;
  bool equal = true;
  const Status status = visit_type(tensor.dtype(), AllTypes{}, [&]<class T>() {
    const auto elements = tensor.values<T>();
    equal = std::all_of(elements.begin(), elements.end(),
                        [&](T element) { return static_cast<double>(element) == number; });
    return Status();
  });
  return status.ok() && equal;
}

bool all_finite(DataType dtype, std::span<const double> values) {
  bool finite = true;
  const Status status = visit_type(dtype, FloatTypes{}, [&]<class T>() {
    finite = std::all_of(values.begin(), values.end(),
                         [](double value) { return std::isfinite(static_cast<double>(round_once<T>(value))); });
    return Status();
  });
  return status.ok() && finite;
}

}  // namespace hone
