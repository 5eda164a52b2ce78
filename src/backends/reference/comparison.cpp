#include "backends/reference/elementwise.h"
#include "ops/logic.h"

namespace hone::reference {

namespace {

// Bytes that stand for the same bool may differ.
constexpr auto equal = [](auto x, auto y) { return x == y; };
constexpr auto less = [](auto x, auto y) { return x < y; };
constexpr auto less_or_equal = [](auto x, auto y) { return x <= y; };
constexpr auto greater = [](auto x, auto y) { return x > y; };
constexpr auto greater_or_equal = [](auto x, auto y) { return x >= y; };

Status run_equal(const Equal& op, const KernelArgs& args) {
  if (args.inputs[0].dtype != DataType::kBool) return run_binary<Equal, NumberTypes, equal, bool>(op, args);
  constexpr auto same_truth = [](uint8_t x, uint8_t y) { return (x != 0) == (y != 0); };
  return run_binary<Equal, TypeList<bool>, same_truth, bool>(op, args);
}

template <class OpT, auto F>
constexpr KernelDef kComparison = kReferenceKernel<OpT, run_binary<OpT, NumberTypes, F, bool>>;

}  // namespace

const KernelDef kEqual = kReferenceKernel<Equal, run_equal>;
const KernelDef kLess = kComparison<Less, less>;
const KernelDef kLessOrEqual = kComparison<LessOrEqual, less_or_equal>;
const KernelDef kGreater = kComparison<Greater, greater>;
const KernelDef kGreaterOrEqual = kComparison<GreaterOrEqual, greater_or_equal>;

}  // namespace hone::reference
