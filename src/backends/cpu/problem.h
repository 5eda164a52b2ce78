// What candidates() and create() of the CPU kernels ask of a problem.
#pragma once

#include <span>
#include <vector>

#include "hone/kernel.h"

namespace hone::cpu {

// The kernel takes the problem in one way.
inline std::vector<Config> one_way() { return std::vector<Config>(1); }

// Every operand that is present, and every output, is of type `dtype`.
inline Status expect_all(const Problem& problem, DataType dtype) {
  const auto wrong = [&](const ProblemOperand& operand) { return operand.present && operand.type.dtype != dtype; };
  for (const auto* list : {&problem.inputs, &problem.outputs}) {
    for (const ProblemOperand& operand : *list) {
      if (wrong(operand)) {
        return unsupported("takes " + std::string(name_of(dtype)) + " only, not " +
                           std::string(name_of(operand.type.dtype)));
      }
    }
  }
  return {};
}

inline bool has_input(const Problem& problem, size_t i) {
  return i < problem.inputs.size() && problem.inputs[i].present;
}
inline bool has_input(const KernelArgs& args, size_t i) { return i < args.inputs.size() && args.inputs[i].present(); }

// The dimensions of a type that are all numbers, as kernels for fixed shapes are given.
inline Result<Extents> fixed_dims(const TensorType& type) {
  if (type.shape.size() > kMaxRank || !is_const(type.shape)) return unsupported("needs fixed dimensions");
  Extents dims;
  for (const Dim& dim : type.shape) dims.push_back(dim.value());
  HONE_TRY(checked_count(dims).status());
  return dims;
}

}  // namespace hone::cpu
