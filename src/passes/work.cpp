#include "passes/work.h"

#include <algorithm>
#include <string_view>

namespace hone {

namespace {

double count_of(const TensorType& type) {
  double count = 1;
  for (const Dim& dim : type.shape) count *= static_cast<double>(dim.value());
  return count;
}

double largest_dim(const TensorType& type) {
  double largest = 1;
  for (const Dim& dim : type.shape) largest = std::max(largest, static_cast<double>(dim.value()));
  return largest;
}

double kernel_area(const Op& op) {
  double area = 1;
  for (const auto& [name, value] : op.describe()) {
    const Ints* list = name == "kernel_shape" ? std::get_if<Ints>(&value) : nullptr;
    for (size_t i = 0; list != nullptr && i < list->size(); ++i) area *= static_cast<double>((*list)[i]);
  }
  return area;
}

}  // namespace

double evaluation_work(const Op& op, const Body* body, std::span<const InferOperand> operands,
                       std::span<const TensorType> results) {
  double inputs = 0, outputs = 0;
  for (const InferOperand& operand : operands) inputs += operand.present ? count_of(operand.type) : 0;
  for (const TensorType& type : results) outputs += count_of(type);
  const auto count = [&](size_t i) {
    return i < operands.size() && operands[i].present ? std::max(1.0, count_of(operands[i].type)) : 1.0;
  };
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), op.name()) != names.end();
  };
  // Each output element costs some more than one step.
  if (body != nullptr) return (inputs + outputs) * static_cast<double>(body->steps.size());
  if (is({"MatMul", "Gemm"})) return inputs + outputs * largest_dim(operands[0].type);
  if (is({"Conv"})) return inputs + outputs * count(1);
  if (is({"ConvTranspose"})) return outputs + count(0) * count(1);
  if (is({"MaxPool", "AveragePool", "LpPool"})) return inputs + outputs * kernel_area(op);
  if (is({"Resize", "GridSample", "TopK"})) return (inputs + outputs) * 64;
  // Loops over pairs: of boxes, of the operands' elements, of a window that the contents decide.
  constexpr std::string_view kPairs[] = {"NonMaxSuppression",     "EfficientNMS_TRT", "BatchedNMS_TRT",
                                         "BatchedNMSDynamic_TRT", "RoiAlign",         "LRN"};
  if (std::find(std::begin(kPairs), std::end(kPairs), op.name()) != std::end(kPairs)) return inputs * inputs + outputs;
  if (is({"Einsum"})) {
    double product = outputs;
    for (size_t i = 0; i < operands.size(); ++i) product *= count(i);
    return product;
  }
  return inputs + outputs;
}

}  // namespace hone
