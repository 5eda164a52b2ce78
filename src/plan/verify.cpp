#include <algorithm>
#include <functional>
#include <set>

#include "plan/plan.h"
#include "plan/verify_types.h"

namespace hone {

namespace {

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

// Calls f(expr) for every symbol in `dim`; false as soon as f is.
bool all_symbols(const Dim& dim, const std::function<bool(const DimExpr&)>& f) {
  if (dim.is_const()) return true;
  if (dim.expr()->kind == DimExpr::Kind::kSymbol) return f(*dim.expr());
  const std::vector<Dim>& args = dim.expr()->args;
  return std::all_of(args.begin(), args.end(), [&](const Dim& arg) { return all_symbols(arg, f); });
}

bool is_bare_symbol(const Dim& dim, SymbolId id) {
  return !dim.is_const() && dim.expr()->kind == DimExpr::Kind::kSymbol && dim.expr()->symbol == id;
}

class Verifier {
 public:
  Verifier(const Plan& plan, std::span<const WeightBlock> blocks) : plan_(plan), blocks_(blocks) {}

  Status run() {
    HONE_TRY(check_counts());
    for (size_t i = 0; i < plan_.symbols.size(); ++i) HONE_TRY(check_symbol(static_cast<SymbolId>(i)));
    for (size_t i = 0; i < plan_.storages.size(); ++i) HONE_TRY(check_storage(i));
    for (const PlanValue& value : plan_.values) {
      HONE_TRY(check_value(value).with_context("value " + quoted(value.name)));
    }
    HONE_TRY(check_bindings());
    HONE_TRY(check_profile());
    for (const Step& step : plan_.steps) HONE_TRY(check_step(step).with_context("step " + quoted(step.name)));
    HONE_TRY(check_owned_symbols());
    HONE_TRY(check_order());
    for (const TuningRecord& record : plan_.tuning) {
      if (record.step >= plan_.steps.size()) return corrupt_engine("a tuning record names a step that isn't there");
    }
    return {};
  }

 private:
  bool is_value(ValueId id) const { return id >= 0 && static_cast<size_t>(id) < plan_.values.size(); }
  const PlanValue& value(ValueId id) const { return plan_.values[static_cast<size_t>(id)]; }
  const PlanStorage& storage_of(ValueId id) const { return plan_.storages[value(id).storage]; }

  Status check_counts() const {
    for (const size_t size : {plan_.symbols.size(), plan_.storages.size(), plan_.values.size(), plan_.steps.size(),
                              plan_.bindings.size()}) {
      if (size > INT32_MAX) return corrupt_engine("the plan is too large");
    }
    return {};
  }

  // Valid, and every symbol in it exists and claims no more than it may.
  Status check_dim(const Dim& dim, std::string_view what) const {
    const bool fine = !dim.is_invalid() && all_symbols(dim, [&](const DimExpr& symbol) {
      if (symbol.symbol >= plan_.symbols.size()) return false;
      const PlanSymbol& known = plan_.symbols[symbol.symbol];
      if (!is_value(known.value)) return false;
      return !symbol.nonnegative || known.kind != PlanSymbol::Kind::kHostValue;
    });
    return fine ? Status() : corrupt_engine(std::string(what) + " uses a symbol that isn't there");
  }

  bool has_counted(const Dim& dim) const {
    return !all_symbols(
        dim, [&](const DimExpr& symbol) { return plan_.symbols[symbol.symbol].kind != PlanSymbol::Kind::kCounted; });
  }

  // With counted symbols replaced by their bounds; bounds only use symbols before their own.
  Dim bounded(const Dim& dim) const {
    if (!has_counted(dim)) return dim;
    return dim.substitute([&](SymbolId id) -> std::optional<Dim> {
      if (plan_.symbols[id].kind != PlanSymbol::Kind::kCounted) return std::nullopt;
      return bounds_[id];
    });
  }

  Status check_symbol(SymbolId id) {
    const PlanSymbol& symbol = plan_.symbols[id];
    const std::string what = "symbol " + quoted(symbol.name);
    bounds_.emplace_back(0);
    if (symbol.value == -1) return {};  // nothing uses it any more
    if (!is_value(symbol.value)) return corrupt_engine(what + " belongs to a value that isn't there");
    const TensorType& type = value(symbol.value).type;
    if (symbol.kind == PlanSymbol::Kind::kHostValue) {
      const std::optional<int64_t> count = element_count(type.shape).as_const();
      const bool fits = count && type.shape.size() <= 1 && static_cast<int64_t>(symbol.index) < *count;
      if (fits && (is_integer(type.dtype) || type.dtype == DataType::kBool)) return {};
      return corrupt_engine(what + " isn't an element of an integer value of known length");
    }
    if (symbol.index >= type.shape.size() || !is_bare_symbol(type.shape[symbol.index], id)) {
      return corrupt_engine(what + " isn't the dimension of its value that it claims to be");
    }
    if (symbol.kind != PlanSymbol::Kind::kCounted) return {};
    HONE_TRY(check_dim(symbol.bound, what));
    if (!all_symbols(symbol.bound, [&](const DimExpr& used) { return used.symbol < id; })) {
      return corrupt_engine(what + " has a bound that depends on itself or on later symbols");
    }
    bounds_[id] = bounded(symbol.bound);
    return {};
  }

  Status check_storage(size_t index) const {
    const PlanStorage& storage = plan_.storages[index];
    const std::string what = "storage " + std::to_string(index);
    HONE_TRY(check_dim(storage.bytes, what));
    if (storage.bytes.is_const() && storage.bytes.value() < 0) return corrupt_engine(what + " has a negative size");
    if (has_counted(storage.bytes)) return corrupt_engine(what + " has a size that is only counted while running");
    switch (storage.kind) {
      case PlanStorage::Kind::kArena: return {};
      case PlanStorage::Kind::kInput:
      case PlanStorage::Kind::kOutput: {
        const bool input = storage.kind == PlanStorage::Kind::kInput;
        const bool fits = storage.index < plan_.bindings.size() && plan_.bindings[storage.index].is_input == input;
        return fits ? Status() : corrupt_engine(what + " belongs to a binding that isn't there");
      }
      case PlanStorage::Kind::kConstant:
        if (storage.index >= blocks_.size() || !storage.bytes.is_const() ||
            static_cast<uint64_t>(storage.bytes.value()) > blocks_[storage.index].bytes) {
          return corrupt_engine(what + " is larger than its weight block");
        }
        return {};
    }
    return corrupt_engine(what + " is of an unknown kind");
  }

  Status check_value(const PlanValue& v) const {
    HONE_TRY(check_type(v.type));
    if (v.storage >= plan_.storages.size()) return corrupt_engine("its storage isn't there");
    const PlanStorage& storage = plan_.storages[v.storage];
    const int64_t element = static_cast<int64_t>(bytes_of(v.type.dtype));
    if (!v.offset_bytes.is_const() || v.offset_bytes.value() < 0 || v.offset_bytes.value() % element != 0) {
      return corrupt_engine("its offset isn't a multiple of the element's size");
    }
    if (storage.kind == PlanStorage::Kind::kConstant && !is_const(v.type.shape)) {
      return corrupt_engine("a constant's shape isn't known");
    }
    const Dim end = bounded(element_count(v.type.shape)) * Dim(element) + v.offset_bytes;
    const Dim room = storage.bytes - end;
    if (end.is_invalid() || room.is_invalid()) return corrupt_engine("its size in bytes exceeds 2^63 - 1");
    if (room.is_const() && room.value() < 0) return corrupt_engine("it lies outside its storage");
    return {};
  }

  Status check_type(const TensorType& type) const {
    if (!is_computable(type.dtype)) {
      return corrupt_engine("elements of type " + std::string(name_of(type.dtype)) + " can't be computed with");
    }
    if (type.shape.size() > kMaxRank) return corrupt_engine("its rank is above " + std::to_string(kMaxRank));
    for (const Dim& dim : type.shape) {
      HONE_TRY(check_dim(dim, "a dimension"));
      if (dim.is_const() && dim.value() < 0) return corrupt_engine("a dimension is negative");
    }
    return {};
  }

  Status check_bindings() const {
    std::set<std::pair<bool, std::string_view>> names;
    std::vector<bool> is_input_value(plan_.values.size(), false);
    bool outputs_begun = false;
    for (size_t i = 0; i < plan_.bindings.size(); ++i) {
      const PlanBinding& binding = plan_.bindings[i];
      const std::string what = "binding " + quoted(binding.name);
      if (!is_value(binding.value)) return corrupt_engine(what + " has a value that isn't there");
      if (!names.emplace(binding.is_input, binding.name).second) return corrupt_engine(what + " is listed twice");
      if (binding.is_input && outputs_begun) return corrupt_engine("inputs don't come before outputs");
      outputs_begun = !binding.is_input;
      if (!binding.is_input) {
        if (binding.is_shape_value) return corrupt_engine(what + " is an output and can't decide shapes");
        continue;
      }
      const PlanStorage& storage = storage_of(binding.value);
      if (storage.kind != PlanStorage::Kind::kInput || storage.index != i ||
          value(binding.value).offset_bytes != Dim(0)) {
        return corrupt_engine(what + " is an input whose value isn't in the user's buffer");
      }
    }
    return check_user_buffers();
  }

  // A user's buffer has its binding's size, so storages of that kind must be just that large, and there is one of each.
  Status check_user_buffers() const {
    std::vector<bool> seen(plan_.bindings.size(), false);
    for (size_t i = 0; i < plan_.storages.size(); ++i) {
      const PlanStorage& storage = plan_.storages[i];
      if (storage.kind != PlanStorage::Kind::kInput && storage.kind != PlanStorage::Kind::kOutput) continue;
      const PlanBinding& binding = plan_.bindings[storage.index];
      const PlanValue& bound = value(binding.value);
      const Dim bytes =
          bounded(element_count(bound.type.shape)) * Dim(static_cast<int64_t>(bytes_of(bound.type.dtype)));
      if (seen[storage.index] || bound.storage != i || bound.offset_bytes != Dim(0) || storage.bytes != bytes) {
        return corrupt_engine("the storage of binding " + quoted(binding.name) + " doesn't fit it");
      }
      seen[storage.index] = true;
    }
    return {};
  }

  const PlanBinding* find_input(std::string_view name) const {
    const auto it = std::find_if(plan_.bindings.begin(), plan_.bindings.end(),
                                 [&](const PlanBinding& b) { return b.is_input && b.name == name; });
    return it == plan_.bindings.end() ? nullptr : &*it;
  }

  Status check_profile() const {
    for (const auto& [name, ranges] : plan_.profile.inputs) {
      const PlanBinding* binding = find_input(name);
      if (binding == nullptr || value(binding->value).type.shape.size() != ranges.size()) {
        return corrupt_engine("the profile's input " + quoted(name) + " isn't there or has another rank");
      }
      for (const DimRange& range : ranges) {
        if (range.min < 0 || range.min > range.opt || range.opt > range.max) {
          return corrupt_engine("the profile's range of " + quoted(name) + " isn't min <= opt <= max");
        }
      }
    }
    for (const auto& [name, ranges] : plan_.profile.values) {
      const PlanBinding* binding = find_input(name);
      if (binding == nullptr || !binding->is_shape_value) {
        return corrupt_engine("the profile's value " + quoted(name) + " isn't an input that decides shapes");
      }
      for (const DimRange& range : ranges) {
        if (range.min > range.opt || range.opt > range.max) {
          return corrupt_engine("the profile's range of " + quoted(name) + " isn't min <= opt <= max");
        }
      }
    }
    return {};
  }

  Status check_step(const Step& step) const {
    if (step.op == nullptr) return corrupt_engine("it has no operator");
    if (step.outputs.empty()) return corrupt_engine("it has no outputs");
    for (const ValueId id : step.inputs) {
      if (id != -1 && !is_value(id)) return corrupt_engine("an operand isn't there");
    }
    for (const ValueId id : step.outputs) {
      if (!is_value(id)) return corrupt_engine("an output isn't there");
    }
    for (const DimRequirement& need : step.requirements) {
      HONE_TRY(check_dim(need.a, "a requirement"));
      HONE_TRY(check_dim(need.b, "a requirement"));
    }
    if (step.body != nullptr) HONE_TRY(check_body(step));
    return step.kernel.empty() ? check_view(step) : Status();
  }

  Status check_view(const Step& step) const {
    if (step.outputs.size() != 1 || step.inputs.empty() || step.inputs[0] < 0 || !step.counted.empty()) {
      return corrupt_engine("it has no kernel and isn't a view");
    }
    const PlanValue &from = value(step.inputs[0]), &to = value(step.outputs[0]);
    const Dim difference = element_count(from.type.shape) - element_count(to.type.shape);
    if (from.storage != to.storage || from.offset_bytes != to.offset_bytes || from.type.dtype != to.type.dtype ||
        (difference.is_const() && difference != Dim(0))) {
      return corrupt_engine("it has no kernel and its output isn't its operand in another shape");
    }
    return {};
  }

  Status check_body(const Step& step) const {
    const Body& body = *step.body;
    if (body.num_inputs != step.inputs.size() || body.results.size() != step.outputs.size()) {
      return corrupt_engine("its body has another number of operands or results");
    }
    size_t known = body.num_inputs + body.constants.size();
    for (const Tensor& constant : body.constants) {
      if (!is_computable(constant.dtype())) return corrupt_engine("a constant of its body can't be computed with");
    }
    for (const Body::Step& inner : body.steps) {
      if (inner.op == nullptr || inner.types.empty()) return corrupt_engine("its body has a step without operator");
      for (const int32_t id : inner.operands) {
        if (id < -1 || id >= static_cast<int64_t>(known))
          return corrupt_engine("its body reads a value before it is made");
      }
      for (const TensorType& type : inner.types) HONE_TRY(check_type(type));
      known += inner.types.size();
    }
    for (const int32_t id : body.results) {
      if (id < 0 || id >= static_cast<int64_t>(known)) return corrupt_engine("a result of its body isn't there");
    }
    return {};
  }

  // Each symbol that a step tells or counts is a dimension of one of its outputs, and is told once.
  Status check_owned_symbols() {
    std::vector<const Step*> producer(plan_.values.size(), nullptr);
    std::vector<bool> owned(plan_.symbols.size(), false);
    const auto own = [&](const Step& step, SymbolId id, PlanSymbol::Kind kind) -> Status {
      const bool fits = id < plan_.symbols.size() && plan_.symbols[id].kind == kind && !owned[id] &&
                        is_value(plan_.symbols[id].value) &&
                        producer[static_cast<size_t>(plan_.symbols[id].value)] == &step;
      if (!fits) return corrupt_engine("step " + quoted(step.name) + " tells a symbol that isn't its own");
      owned[id] = true;
      return {};
    };
    for (const Step& step : plan_.steps) {
      for (const ValueId id : step.outputs) {
        const Step*& maker = producer[static_cast<size_t>(id)];
        if (maker != nullptr) return corrupt_engine("value " + quoted(value(id).name) + " is computed twice");
        maker = &step;
      }
      for (const SymbolId id : step.resolved) HONE_TRY(own(step, id, PlanSymbol::Kind::kResolved));
      for (const SymbolId id : step.counted) HONE_TRY(own(step, id, PlanSymbol::Kind::kCounted));
    }
    for (size_t i = 0; i < owned.size(); ++i) {
      const PlanSymbol& symbol = plan_.symbols[i];
      if (symbol.value == -1) continue;
      const bool told = symbol.kind == PlanSymbol::Kind::kInputDim
                            ? storage_of(symbol.value).kind == PlanStorage::Kind::kInput
                            : symbol.kind == PlanSymbol::Kind::kHostValue || owned[i];
      if (!told) return corrupt_engine("nothing tells the symbol " + quoted(symbol.name));
    }
    return {};
  }

  // Walks the steps as the runtime will.
  Status check_order() {
    filled_.assign(plan_.storages.size(), false);
    known_.assign(plan_.symbols.size(), false);
    host_symbols_.assign(plan_.storages.size(), {});
    for (size_t i = 0; i < plan_.symbols.size(); ++i) {
      const PlanSymbol& symbol = plan_.symbols[i];
      known_[i] = symbol.kind == PlanSymbol::Kind::kInputDim;
      if (symbol.kind != PlanSymbol::Kind::kHostValue || symbol.value == -1) continue;
      host_symbols_[value(symbol.value).storage].push_back(static_cast<SymbolId>(i));
    }
    for (size_t i = 0; i < plan_.storages.size(); ++i) {
      const PlanStorage& storage = plan_.storages[i];
      const bool given = storage.kind == PlanStorage::Kind::kInput && plan_.bindings[storage.index].is_shape_value;
      if (given || storage.kind == PlanStorage::Kind::kConstant) fill(static_cast<StorageId>(i));
    }
    for (const Step& step : plan_.steps) {
      if (step.stage == Step::Stage::kShape) {
        HONE_TRY(walk_step(step).with_context("step " + quoted(step.name)));
      } else {
        note_resolved(step);
      }
    }
    for (size_t i = 0; i < plan_.storages.size(); ++i) {
      if (plan_.storages[i].kind == PlanStorage::Kind::kInput) fill(static_cast<StorageId>(i));
    }
    for (const Step& step : plan_.steps) {
      if (step.stage == Step::Stage::kRun) HONE_TRY(walk_step(step).with_context("step " + quoted(step.name)));
    }
    for (const PlanBinding& binding : plan_.bindings) {
      if (!filled_[value(binding.value).storage]) {
        return corrupt_engine("nothing computes the output " + quoted(binding.name));
      }
    }
    return {};
  }

  // A step of the run whose operands' shapes are known has its own resolved when shapes are set, in order with the
  // shape stage. (If contents that it needs come later, the runtime finds that out.)
  void note_resolved(const Step& step) {
    const bool shapes_known =
        std::all_of(step.inputs.begin(), step.inputs.end(), [&](ValueId id) { return id < 0 || check_known(id).ok(); });
    for (const SymbolId id : step.resolved) known_[id] = known_[id] || shapes_known;
  }

  Status walk_step(const Step& step) {
    const bool shape_only = step.op->name() == "Shape" || step.op->name() == "Size";
    for (const ValueId id : step.inputs) {
      if (id < 0) continue;
      const bool needs_contents = step.stage == Step::Stage::kRun || !shape_only;
      if (needs_contents && !filled_[value(id).storage]) {
        return corrupt_engine("it reads " + quoted(value(id).name) + " before anything wrote it");
      }
      HONE_TRY(check_known(id));
    }
    for (const SymbolId id : step.resolved) known_[id] = true;
    for (const SymbolId id : step.counted) known_[id] = true;
    for (const ValueId id : step.outputs) {
      HONE_TRY(check_known(id));
      if (step.kernel.empty()) continue;
      const PlanStorage::Kind kind = storage_of(id).kind;
      const bool writable = kind == PlanStorage::Kind::kArena || kind == PlanStorage::Kind::kOutput;
      if (!writable || filled_[value(id).storage]) {
        return corrupt_engine("it writes " + quoted(value(id).name) + " into memory that holds something else");
      }
      fill(value(id).storage);
    }
    return {};
  }

  Status check_known(ValueId id) const {
    for (const Dim& dim : value(id).type.shape) {
      if (!all_symbols(dim, [&](const DimExpr& symbol) { return known_[symbol.symbol]; })) {
        return corrupt_engine("the shape of " + quoted(value(id).name) + " isn't known there");
      }
    }
    return {};
  }

  // The storage has its contents now, and so the symbols that are elements of it are known.
  void fill(StorageId storage) {
    filled_[storage] = true;
    for (const SymbolId id : host_symbols_[storage]) known_[id] = true;
  }

  const Plan& plan_;
  std::span<const WeightBlock> blocks_;
  std::vector<Dim> bounds_;                          // of counted symbols, without counted symbols
  std::vector<std::vector<SymbolId>> host_symbols_;  // per storage
  std::vector<bool> filled_, known_;                 // per storage, per symbol
};

}  // namespace

Status verify(const Plan& plan, std::span<const WeightBlock> weight_blocks, std::span<const std::byte> weights) {
  HONE_TRY(Verifier(plan, weight_blocks).run());
  return verify_types(plan, weight_blocks, weights);
}

}  // namespace hone
