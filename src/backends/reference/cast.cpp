#include "ops/cast.h"

#include "backends/reference/elementwise.h"
#include "backends/reference/numbers.h"

namespace hone::reference {

namespace {

// The float next to `value` whose last mantissa bit is 1 unless it is exact: rounding that again to a shorter type
// gives what rounding `value` itself would (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
float round_to_odd(double value) {
  const auto rounded = static_cast<float>(value);
  if (static_cast<double>(rounded) == value || value != value || std::isinf(rounded)) return rounded;
  const auto bits = std::bit_cast<uint32_t>(rounded);
  if ((bits & 1) != 0) return rounded;
  // One step towards `value`: up in magnitude if rounding went down.
  const bool went_down = std::fabs(static_cast<double>(rounded)) < std::fabs(value);
  return std::bit_cast<float>(went_down ? bits + 1 : bits - 1);
}

template <class Out, class In>
Stored<Out> convert(In value) {
  if constexpr (std::is_same_v<Out, bool>) {
    return value != 0;
  } else if constexpr (std::is_same_v<Out, Half> || std::is_same_v<Out, BFloat16>) {
    return Out(std::is_same_v<In, float> ? static_cast<float>(value) : round_to_odd(static_cast<double>(value)));
  } else if constexpr (std::is_floating_point_v<In> && std::is_integral_v<Out>) {
    return saturate<Out>(static_cast<double>(value));
  } else {
    return static_cast<Out>(value);
  }
}

Status cast_elements(const KernelArgs& args) {
  return visit_type(args.inputs[0].dtype, AllTypes{}, [&]<class In>() {
    return visit_type(args.outputs[0].dtype, AllTypes{}, [&]<class Out>() {
      map<In, Out>(args, [](auto x) {
        if constexpr (std::is_same_v<In, bool>) {
          return convert<Out>(static_cast<uint8_t>(x != 0));
        } else {
          return convert<Out>(x);
        }
      });
      return Status();
    });
  });
}

Status cast(const Cast&, const KernelArgs& args) { return cast_elements(args); }
Status cast_like(const CastLike&, const KernelArgs& args) { return cast_elements(args); }

}  // namespace

const KernelDef kCast = kReferenceKernel<Cast, cast>;
const KernelDef kCastLike = kReferenceKernel<CastLike, cast_like>;

}  // namespace hone::reference
