// For tests: runs an operator's inference on operands of any degree of knowledge and tells the result as text.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ops/op_list.h"
#include "ops/operand.h"

namespace hone::probe {

// Sizes, and a run-time value of unknown sign.
inline const Dim N = Dim::symbol(0, true), M = Dim::symbol(1, true), H = Dim::symbol(2, true), W = Dim::symbol(3, true),
                 V = Dim::symbol(4, false);
inline constexpr SymbolId kFirstValue = 100, kFirstLater = 200, kFirstCount = 300;

// v0, v1 ... are elements that inference asked for, ? dimensions that are told later, # counted ones.
inline std::string symbol_name(SymbolId id) {
  if (id >= kFirstCount) return "#";
  if (id >= kFirstLater) return "?";
  if (id >= kFirstValue) return "v" + std::to_string(id - kFirstValue);
  return std::string(1, "NMHWV"[id]);
}

inline std::string text(const std::vector<Dim>& dims) {
  std::string list = "[";
  for (const Dim& dim : dims) list += (list.size() > 1 ? ", " : "") + dim.to_string(symbol_name);
  return list + "]";
}

// A tensor of which only type and shape are known.
inline InferOperand shaped(Shape shape, DataType dtype = DataType::kFloat32) {
  return {.present = true, .type = {dtype, std::move(shape)}, .constant = nullptr, .elements = std::nullopt};
}
// A list whose contents come from shapes.
inline InferOperand list(std::vector<Dim> elements, DataType dtype = DataType::kInt64) {
  const auto size = static_cast<int64_t>(elements.size());
  return {.present = true, .type = {dtype, {size}}, .constant = nullptr, .elements = std::move(elements)};
}
inline InferOperand scalar(Dim element, DataType dtype = DataType::kInt64) {
  return {.present = true, .type = {dtype, {}}, .constant = nullptr, .elements = std::vector<Dim>{std::move(element)}};
}
// A list given at run time.
inline InferOperand runtime_list(Dim size, DataType dtype = DataType::kInt64) {
  return shaped({std::move(size)}, dtype);
}
inline InferOperand absent() { return {}; }

class ProbeSymbols final : public SymbolSource {
 public:
  explicit ProbeSymbols(const std::vector<InferOperand>& operands) : operands_(operands) {}

  std::optional<std::vector<Dim>> elements(size_t input) override {
    asked.push_back(input);
    const std::optional<int64_t> count = element_count(operands_[input].type.shape).as_const();
    if (!count || operands_[input].type.shape.size() > 1) return std::nullopt;
    std::vector<Dim> symbols;
    for (int64_t i = 0; i < *count; ++i) symbols.push_back(Dim::symbol(next_value_++, false));
    return symbols;
  }
  void need_contents(size_t input) override { asked.push_back(input); }
  Dim resolved_later(std::string_view) override { return Dim::symbol(next_later_++, true); }
  Dim counted(const Dim& bound, std::string_view) override {
    bounds.push_back(bound);
    return Dim::symbol(next_count_++, true);
  }

  std::vector<size_t> asked;
  std::vector<Dim> bounds;

 private:
  const std::vector<InferOperand>& operands_;
  SymbolId next_value_ = kFirstValue, next_later_ = kFirstLater, next_count_ = kFirstCount;
};

struct Inferred {
  Status status;
  std::vector<InferResult> outputs;
  std::vector<DimRequirement> requirements;
  std::vector<size_t> asked;  // operands whose contents were asked for
  std::vector<Dim> bounds;    // of counted dimensions

  // Output i's shape, or why there is none.
  std::string shape(size_t i = 0) const { return status.ok() ? text(outputs[i].type.shape) : status.message(); }
  // Output i's contents; "unknown".
  std::string elements(size_t i = 0) const {
    if (!status.ok()) return status.message();
    return outputs[i].elements ? text(*outputs[i].elements) : "unknown";
  }
  // "a = b; c ~ d" (equal; broadcastable).
  std::string requires_text() const {
    std::string all;
    for (const DimRequirement& r : requirements) {
      all += (all.empty() ? "" : "; ") + r.a.to_string(symbol_name) +
             (r.kind == DimRequirement::Kind::kEqual ? " = " : " ~ ") + r.b.to_string(symbol_name);
    }
    return all;
  }
  // The outputs as operands of the next operator.
  InferOperand operand(size_t i = 0) const {
    return {.present = true, .type = outputs[i].type, .constant = nullptr, .elements = outputs[i].elements};
  }
};

inline Inferred infer(std::string_view name, const std::vector<InferOperand>& operands, const AttrMap& attrs = {},
                      size_t num_outputs = 1) {
  const Result<OpPtr> op = make_op(name, attrs);
  if (!op.ok()) return {.status = op.status(), .outputs = {}, .requirements = {}, .asked = {}, .bounds = {}};
  ProbeSymbols symbols(operands);
  InferContext ctx(operands, num_outputs, &symbols);
  Status status = (*op)->infer(ctx);
  return {.status = std::move(status),
          .outputs = ctx.outputs(),
          .requirements = ctx.requirements(),
          .asked = symbols.asked,
          .bounds = symbols.bounds};
}

// What inference says at run time: shapes are numbers, contents known where a tensor is given, no symbols.
inline std::string infer_at_run_time(std::string_view name, const std::vector<InferOperand>& operands,
                                     const AttrMap& attrs = {}, size_t num_outputs = 1) {
  const Result<OpPtr> op = make_op(name, attrs);
  if (!op.ok()) return op.status().message();
  const Result<std::vector<TensorType>> types = infer_concrete(**op, nullptr, operands, num_outputs);
  if (!types.ok()) return types.status().message();
  std::string all;
  for (const TensorType& type : *types) all += text(type.shape);
  return all;
}

}  // namespace hone::probe
