// Operators on bools and bits, selection, and tests of floats.
#include "ops/logic.h"

#include "backends/reference/elementwise.h"

namespace hone::reference {

namespace {

using Bool = TypeList<bool>;

constexpr auto both = [](auto x, auto y) { return x != 0 && y != 0; };
constexpr auto either = [](auto x, auto y) { return x != 0 || y != 0; };
constexpr auto one_of = [](auto x, auto y) { return (x != 0) != (y != 0); };
constexpr auto negation = [](auto x) { return x == 0; };

constexpr auto bits_and = [](auto x, auto y) { return x & y; };
constexpr auto bits_or = [](auto x, auto y) { return x | y; };
constexpr auto bits_xor = [](auto x, auto y) { return x ^ y; };
constexpr auto bits_not = [](auto x) { return ~x; };
constexpr auto shift = [](const BitShift& op, auto x, auto y) {
  using T = decltype(x);
  if (y >= sizeof(T) * 8) return T(0);
  return static_cast<T>(op.direction == ShiftDirection::kLeft ? uint64_t{x} << y : x >> y);
};

// run() of a test of one floating operand.
template <class OpT, auto F>
Status run_test(const OpT& op, const KernelArgs& args) {
  return visit_type(args.inputs[0].dtype, FloatTypes{}, [&]<class T>() {
    map<T, bool>(args, [&](auto x) { return call<F>(op, x); });
    return Status();
  });
}

constexpr auto is_nan = [](auto x) { return x != x; };
constexpr auto is_inf = [](const IsInf& op, auto x) {
  return std::isinf(x) && (x > 0 ? op.detect_positive : op.detect_negative);
};

Status where(const Where&, const KernelArgs& args) {
  const TensorView &condition = args.inputs[0], &x = args.inputs[1], &y = args.inputs[2], &out = args.outputs[0];
  return visit_width(out.dtype, [&]<class T>() {
    const auto* const choice = read<uint8_t>(condition);
    const auto* const left = read<T>(x);
    const auto* const right = read<T>(y);
    auto* const to = write<T>(out);
    const BroadcastPlan plan(out.dims, {condition.dims, x.dims, y.dims});
    const int64_t choice_step = plan.step(0), left_step = plan.step(1), right_step = plan.step(2);
    plan.for_each_row(args.device->threads, [&](int64_t at, const int64_t* from, int64_t count) {
      for (int64_t i = 0; i < count; ++i) {
        const T chosen = left[from[1] + i * left_step], other = right[from[2] + i * right_step];
        to[at + i] = choice[from[0] + i * choice_step] != 0 ? chosen : other;
      }
    });
    return Status();
  });
}

}  // namespace

const KernelDef kAnd = kReferenceKernel<And, run_binary<And, Bool, both>>;
const KernelDef kOr = kReferenceKernel<Or, run_binary<Or, Bool, either>>;
const KernelDef kXor = kReferenceKernel<Xor, run_binary<Xor, Bool, one_of>>;
const KernelDef kNot = kReferenceKernel<Not, run_unary<Not, Bool, negation>>;
const KernelDef kIsNaN = kReferenceKernel<IsNaN, run_test<IsNaN, is_nan>>;
const KernelDef kIsInf = kReferenceKernel<IsInf, run_test<IsInf, is_inf>>;
const KernelDef kWhere = kReferenceKernel<Where, where>;
const KernelDef kBitwiseAnd = kReferenceKernel<BitwiseAnd, run_binary<BitwiseAnd, IntTypes, bits_and>>;
const KernelDef kBitwiseOr = kReferenceKernel<BitwiseOr, run_binary<BitwiseOr, IntTypes, bits_or>>;
const KernelDef kBitwiseXor = kReferenceKernel<BitwiseXor, run_binary<BitwiseXor, IntTypes, bits_xor>>;
const KernelDef kBitwiseNot = kReferenceKernel<BitwiseNot, run_unary<BitwiseNot, IntTypes, bits_not>>;
const KernelDef kBitShift =
    kReferenceKernel<BitShift, run_binary<BitShift, TypeList<uint8_t, uint16_t, uint32_t, uint64_t>, shift>>;

}  // namespace hone::reference
