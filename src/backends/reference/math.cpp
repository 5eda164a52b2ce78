// Mathematical functions and roundings: what the C++ library says, 16-bit floats by way of float.
#include "backends/reference/elementwise.h"
#include "ops/activation.h"

namespace hone::reference {

namespace {

template <class OpT, auto F>
constexpr KernelDef kMath = kReferenceKernel<OpT, run_unary<OpT, FloatTypes, F>>;

constexpr auto exp = [](auto x) { return std::exp(x); };
constexpr auto log = [](auto x) { return std::log(x); };
constexpr auto sqrt = [](auto x) { return std::sqrt(x); };
constexpr auto reciprocal = [](auto x) { return 1 / x; };
constexpr auto erf = [](auto x) { return std::erf(x); };
constexpr auto sin = [](auto x) { return std::sin(x); };
constexpr auto cos = [](auto x) { return std::cos(x); };
constexpr auto tan = [](auto x) { return std::tan(x); };
constexpr auto asin = [](auto x) { return std::asin(x); };
constexpr auto acos = [](auto x) { return std::acos(x); };
constexpr auto atan = [](auto x) { return std::atan(x); };
constexpr auto sinh = [](auto x) { return std::sinh(x); };
constexpr auto cosh = [](auto x) { return std::cosh(x); };
constexpr auto tanh = [](auto x) { return std::tanh(x); };
constexpr auto asinh = [](auto x) { return std::asinh(x); };
constexpr auto acosh = [](auto x) { return std::acosh(x); };
constexpr auto atanh = [](auto x) { return std::atanh(x); };
constexpr auto floor = [](auto x) { return std::floor(x); };
constexpr auto ceil = [](auto x) { return std::ceil(x); };
constexpr auto round = [](auto x) { return std::rint(x); };

}  // namespace

const KernelDef kExp = kMath<Exp, exp>;
const KernelDef kLog = kMath<Log, log>;
const KernelDef kSqrt = kMath<Sqrt, sqrt>;
const KernelDef kReciprocal = kMath<Reciprocal, reciprocal>;
const KernelDef kErf = kMath<Erf, erf>;
const KernelDef kSin = kMath<Sin, sin>;
const KernelDef kCos = kMath<Cos, cos>;
const KernelDef kTan = kMath<Tan, tan>;
const KernelDef kAsin = kMath<Asin, asin>;
const KernelDef kAcos = kMath<Acos, acos>;
const KernelDef kAtan = kMath<Atan, atan>;
const KernelDef kSinh = kMath<Sinh, sinh>;
const KernelDef kCosh = kMath<Cosh, cosh>;
const KernelDef kTanh = kMath<Tanh, tanh>;
const KernelDef kAsinh = kMath<Asinh, asinh>;
const KernelDef kAcosh = kMath<Acosh, acosh>;
const KernelDef kAtanh = kMath<Atanh, atanh>;
const KernelDef kFloor = kMath<Floor, floor>;
const KernelDef kCeil = kMath<Ceil, ceil>;
const KernelDef kRound = kMath<Round, round>;

}  // namespace hone::reference
