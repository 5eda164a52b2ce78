#include "support/op_inference.h"

#include <gtest/gtest.h>

#include <cmath>

#include "backends/reference/infer.h"
#include "ops/operand.h"

namespace hone::test {

namespace {

// Counted dimensions stand alone: they aren't part of an expression.
Status check_counted(const reference::OutputTypes& outputs) {
  for (size_t i = 0; i < outputs.types.size(); ++i) {
    if (outputs.types[i].dtype == DataType::kUndefined) return invalid_model("an output has no type");
    HONE_TRY(outputs.dims(i, outputs.bounds).status());
    for (const Dim& dim : outputs.types[i].shape) {
      if (!dim.is_const() && dim.expr()->kind != DimExpr::Kind::kSymbol) {
        return invalid_model("a counted dimension is used in an expression");
      }
    }
  }
  return {};
}

}  // namespace

std::vector<TensorType> CaseTypes::with_counts(std::span<const int64_t> counts) const {
  std::vector<TensorType> types = outputs;
  for (TensorType& type : types) {
    for (Dim& dim : type.shape) dim = dim.eval(counts).value_or(0);
  }
  return types;
}

Result<CaseTypes> infer_case(const Op& op, const Body* body, std::span<const Tensor> inputs, size_t num_outputs) {
  std::vector<InferOperand> operands;
  for (const Tensor& tensor : inputs) operands.push_back(tensor.defined() ? known_operand(tensor) : InferOperand{});
  CaseTypes types;
  if (body != nullptr) {
    HONE_ASSIGN(types.outputs, infer_concrete(op, body, operands, num_outputs));
    return types;
  }
  HONE_ASSIGN(reference::OutputTypes outputs, reference::infer_types(op, operands, num_outputs));
  HONE_TRY(check_counted(outputs));
  types.outputs = std::move(outputs.types);
  types.count_bounds = std::move(outputs.bounds);
  return types;
}

namespace {

// What an inference is told.
struct Knowledge {
  const char* name;
  bool data_dims;   // sizes of large and floating operands
  bool small_dims;  // sizes of operands that may hold shapes: int32 and int64 of rank 0 and 1
  bool contents;    // contents of all operands
  bool elements;    // contents of small integer operands, as symbols
};

constexpr Knowledge kMixtures[] = {
    {"nothing known", false, false, false, false},
    {"sizes of shape operands known", false, true, false, false},
    {"contents known", false, true, true, false},
    {"contents followed", true, true, false, true},
};

// Makes symbols and remembers what they will be.
class CaseSymbols final : public SymbolSource {
 public:
  CaseSymbols(std::span<const Tensor> inputs, std::vector<InferOperand>& operands)
      : inputs_(inputs), operands_(operands) {}

  Dim make(int64_t value, bool nonnegative) {
    values.push_back(value);
    return Dim::symbol(static_cast<SymbolId>(values.size() - 1), nonnegative);
  }
  std::optional<std::vector<Dim>> elements(size_t input) override {
    const InferOperand& operand = operands_[input];
    const std::optional<std::vector<Dim>> numbers = followed_elements(inputs_[input]);
    if (!numbers || !is_const(operand.type.shape)) return std::nullopt;
    std::vector<Dim> symbols;
    for (const Dim& number : *numbers) symbols.push_back(make(number.value(), /*nonnegative=*/false));
    operands_[input].elements = symbols;
    return symbols;
  }
  void need_contents(size_t) override {}
  // Told at run time: has no value here.
  Dim resolved_later(std::string_view) override { return make(Dim::kUnbound, /*nonnegative=*/true); }
  Dim counted(const Dim&, std::string_view) override { return make(Dim::kUnbound, /*nonnegative=*/true); }

  std::vector<int64_t> values;

 private:
  std::span<const Tensor> inputs_;
  std::vector<InferOperand>& operands_;
};

bool may_hold_shape(const Tensor& tensor) {
  return tensor.dims().size() <= 1 && (tensor.dtype() == DataType::kInt32 || tensor.dtype() == DataType::kInt64);
}

// Contents as followed expressions are for numbers of a size that shapes have: beyond that they may overflow where
// the kernel wraps.
bool has_huge_contents(std::span<const Tensor> inputs) {
  constexpr int64_t kHuge = int64_t{1} << 30;
  for (const Tensor& tensor : inputs) {
    if (!tensor.defined() || !may_hold_shape(tensor)) continue;
    for (const double value : to_doubles(tensor)) {
      if (std::abs(value) > kHuge) return true;
    }
  }
  return false;
}

bool is_bare_unknown(const Dim& dim, const std::vector<int64_t>& values) {
  return dim.expr() != nullptr && dim.expr()->kind == DimExpr::Kind::kSymbol &&
         values[dim.expr()->symbol] == Dim::kUnbound;
}

std::vector<InferOperand> make_operands(std::span<const Tensor> inputs, const Knowledge& known) {
  std::vector<InferOperand> operands;
  for (const Tensor& tensor : inputs) {
    operands.push_back(tensor.defined() ? known_operand(tensor) : InferOperand{});
    if (known.contents) continue;
    operands.back().constant = nullptr;
    operands.back().elements.reset();
  }
  return operands;
}

void replace_by_symbols(std::span<const Tensor> inputs, const Knowledge& known, std::vector<InferOperand>& operands,
                        CaseSymbols& symbols) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) continue;
    const bool keep = may_hold_shape(inputs[i]) ? known.small_dims : known.data_dims;
    if (!keep) {
      // A constant's size is known with it.
      if (known.contents) operands[i].constant = nullptr;
      for (Dim& dim : operands[i].type.shape) dim = symbols.make(dim.value(), /*nonnegative=*/true);
    }
    if (known.elements && may_hold_shape(inputs[i])) static_cast<void>(symbols.elements(i));
  }
}

void check_shape(const Shape& shape, const Tensor& actual, const std::vector<int64_t>& values) {
  ASSERT_EQ(shape.size(), actual.dims().size());
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (is_bare_unknown(shape[axis], values)) continue;
    const std::optional<int64_t> value = shape[axis].eval(values);
    ASSERT_TRUE(value.has_value()) << "dimension " << axis << " is invalid, or an expression of one told later";
    EXPECT_EQ(*value, actual.dims()[axis]) << "dimension " << axis;
  }
}

void check_elements(const std::vector<Dim>& elements, const Tensor& actual, const std::vector<int64_t>& values) {
  const std::optional<std::vector<Dim>> numbers = followed_elements(actual);
  ASSERT_TRUE(numbers.has_value()) << "contents are given for a tensor whose contents can't be followed";
  ASSERT_EQ(elements.size(), numbers->size());
  for (size_t i = 0; i < elements.size(); ++i) {
    const std::optional<int64_t> value = elements[i].eval(values);
    ASSERT_TRUE(value.has_value()) << "element " << i << " is invalid";
    EXPECT_EQ(*value, (*numbers)[i].value()) << "element " << i;
  }
}

void check_requirements(const InferContext& ctx, const std::vector<int64_t>& values) {
  for (const DimRequirement& requirement : ctx.requirements()) {
    const std::optional<int64_t> a = requirement.a.eval(values), b = requirement.b.eval(values);
    if (!a || !b) continue;
    const bool broadcasts = requirement.kind == DimRequirement::Kind::kBroadcastable && (*a == 1 || *b == 1);
    EXPECT_TRUE(*a == *b || broadcasts) << "a requirement that legal operands don't meet: " << *a << " and " << *b;
  }
}

}  // namespace

void check_inference(const Op& op, std::span<const Tensor> inputs, std::span<const Tensor> outputs) {
  for (const Knowledge& known : kMixtures) {
    if (known.elements && has_huge_contents(inputs)) continue;
    SCOPED_TRACE(std::string("inference with ") + known.name);
    std::vector<InferOperand> operands = make_operands(inputs, known);
    CaseSymbols symbols(inputs, operands);
    replace_by_symbols(inputs, known, operands, symbols);
    InferContext ctx(operands, outputs.size(), &symbols);
    const Status status = op.infer(ctx);
    if (status.code() == Code::kUnsupported) continue;
    ASSERT_TRUE(status.ok()) << status.message();
    check_requirements(ctx, symbols.values);
    for (size_t i = 0; i < outputs.size(); ++i) {
      SCOPED_TRACE("output " + std::to_string(i));
      const InferResult& result = ctx.outputs()[i];
      EXPECT_EQ(result.type.dtype, outputs[i].dtype());
      check_shape(result.type.shape, outputs[i], symbols.values);
      if (result.elements) check_elements(*result.elements, outputs[i], symbols.values);
    }
  }
}

}  // namespace hone::test
