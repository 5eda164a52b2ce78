// Oracle for operators that move elements: where each output element comes from.
#pragma once

#include <functional>
#include <optional>

#include "ops/naive.h"
#include "support/op_case.h"

namespace hone::test {

// The position in operand 0 that output position `at` shows; nothing: `filling`.
using Origin = std::function<std::optional<Extents>(const Extents& at)>;

inline Independent moved(Extents out, Origin origin, double filling = 0) {
  return [out, origin = std::move(origin), filling](std::span<const Tensor> inputs) {
    const Array x(inputs[0]);
    Array y(out);
    for_each_position(out, [&](const Extents& at) {
      const std::optional<Extents> from = origin(at);
      y[at] = from ? x[*from] : filling;
    });
    return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
  };
}

// The same elements in the same order.
inline Independent same_order(Extents out) {
  return [out](std::span<const Tensor> inputs) {
    return std::vector<Tensor>{tensor_from_doubles(inputs[0].dtype(), out, to_doubles(inputs[0]))};
  };
}

inline CaseOperand int_list(std::initializer_list<int64_t> values) { return given(Tensor::vector<int64_t>(values)); }

// One type of each width, and the ones that are easily forgotten.
inline constexpr DataType kMovedTypes[] = {DataType::kFloat32,  DataType::kFloat64, DataType::kFloat16,
                                           DataType::kBFloat16, DataType::kInt8,    DataType::kInt64,
                                           DataType::kBool};

}  // namespace hone::test
