#include "plan/verify_types.h"

#include <map>

#include "ops/operand.h"

namespace hone {

namespace {

using Elements = std::optional<std::vector<Dim>>;
using HostSymbols = std::multimap<ValueId, SymbolId>;

// Answers an inference's questions with the plan's host-value symbols where there are such, else with new ones.
class PlanSymbols final : public SymbolSource {
 public:
  PlanSymbols(const Plan& plan, const HostSymbols& host, const Step& step, std::vector<Elements>& elements,
              SymbolId& next)
      : plan_(plan), host_(host), step_(step), elements_(elements), next_(next) {}

  Elements elements(size_t input) override {
    const auto id = static_cast<size_t>(step_.inputs[input]);
    if (elements_[id]) return elements_[id];
    const TensorType& type = plan_.values[id].type;
    const std::optional<int64_t> count = element_count(type.shape).as_const();
    if (type.shape.size() > 1 || !is_integer(type.dtype) || !count || *count > kMaxFollowedElements) return {};
    std::vector<Dim> made;
    for (int64_t i = 0; i < *count; ++i) made.push_back(fresh(false));
    for (auto [at, end] = host_.equal_range(step_.inputs[input]); at != end; ++at) {
      made[plan_.symbols[at->second].index] = Dim::symbol(at->second, false);
    }
    elements_[id] = made;
    return made;
  }
  void need_contents(size_t) override {}
  Dim resolved_later(std::string_view) override { return fresh(true); }
  Dim counted(const Dim&, std::string_view) override { return fresh(true); }

 private:
  Dim fresh(bool nonnegative) { return Dim::symbol(next_++, nonnegative); }

  const Plan& plan_;
  const HostSymbols& host_;
  const Step& step_;
  std::vector<Elements>& elements_;  // per value, what is known of its contents
  SymbolId& next_;
};

class TypeVerifier {
 public:
  TypeVerifier(const Plan& plan, std::span<const WeightBlock> blocks, std::span<const std::byte> weights)
      : plan_(plan),
        constants_(plan.values.size()),
        elements_(plan.values.size()),
        next_(static_cast<SymbolId>(plan.symbols.size())) {
    for (size_t i = 0; i < plan.symbols.size(); ++i) {
      if (plan.symbols[i].kind != PlanSymbol::Kind::kHostValue) continue;
      host_symbols_.emplace(plan.symbols[i].value, static_cast<SymbolId>(i));
    }
    for (size_t i = 0; i < plan.values.size(); ++i) {
      const PlanValue& value = plan.values[i];
      const PlanStorage& storage = plan.storages[value.storage];
      if (storage.kind != PlanStorage::Kind::kConstant) continue;
      const WeightBlock& block = blocks[storage.index];
      // verify() has checked the value against its block; a caller that gives no weights gives no contents.
      if (block.offset > weights.size() || block.bytes > weights.size() - block.offset) continue;
      Extents dims;
      for (const Dim& dim : value.type.shape) dims.push_back(dim.value());
      const std::byte* data = weights.data() + block.offset + value.offset_bytes.value();
      constants_[i] = Tensor::share(value.type.dtype, dims, data, nullptr);
    }
  }

  Status run() {
    for (const Step::Stage stage : {Step::Stage::kShape, Step::Stage::kRun}) {
      for (const Step& step : plan_.steps) {
        if (step.stage == stage) HONE_TRY(check(step).with_context("step '" + step.name + "'"));
      }
    }
    return {};
  }

 private:
  InferOperand operand(ValueId id) const {
    if (id < 0) return {};
    const auto index = static_cast<size_t>(id);
    if (constants_[index].defined()) return known_operand(constants_[index]);
    return {.present = true, .type = plan_.values[index].type, .constant = nullptr, .elements = elements_[index]};
  }

  Status check(const Step& step) {
    std::vector<InferOperand> operands;
    for (const ValueId id : step.inputs) operands.push_back(operand(id));
    if (step.body != nullptr) {
      std::vector<TensorType> types;
      for (const InferOperand& each : operands) types.push_back(each.type);
      Result<std::vector<TensorType>> results = body_result_types(*step.body, types);
      if (!results.ok()) return corrupt_engine(results.status().message());
      for (size_t i = 0; i < step.outputs.size(); ++i) HONE_TRY(compare(step.outputs[i], (*results)[i]));
      return {};
    }
    PlanSymbols symbols(plan_, host_symbols_, step, elements_, next_);
    InferContext ctx(operands, step.outputs.size(), &symbols);
    if (const Status status = step.op->infer(ctx); !status.ok()) return corrupt_engine(status.message());
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      HONE_TRY(compare(step.outputs[i], ctx.outputs()[i].type));
      Elements& known = elements_[static_cast<size_t>(step.outputs[i])];
      Elements& result = ctx.outputs()[i].elements;
      if (result && result->size() <= static_cast<size_t>(kMaxFollowedElements)) known = std::move(result);
    }
    return {};
  }

  Status compare(ValueId id, const TensorType& inferred) const {
    const PlanValue& value = plan_.values[static_cast<size_t>(id)];
    if (inferred.dtype != value.type.dtype || inferred.shape.size() != value.type.shape.size()) {
      return corrupt_engine("the planned type of '" + value.name + "' isn't the one that the operator gives");
    }
    for (size_t i = 0; i < inferred.shape.size(); ++i) {
      const Dim difference = inferred.shape[i] - value.type.shape[i];
      if (difference.is_const() && difference != Dim(0)) {
        return corrupt_engine("dimension " + std::to_string(i) + " of '" + value.name +
                              "' isn't the one that the operator gives");
      }
    }
    return {};
  }

  const Plan& plan_;
  std::vector<Tensor> constants_;  // per value; defined for those in constant storages
  std::vector<Elements> elements_;
  HostSymbols host_symbols_;
  SymbolId next_;
};

}  // namespace

Status verify_types(const Plan& plan, std::span<const WeightBlock> weight_blocks, std::span<const std::byte> weights) {
  return TypeVerifier(plan, weight_blocks, weights).run();
}

}  // namespace hone
