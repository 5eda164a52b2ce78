// Pow and Mod.
#include <algorithm>

#include "backends/reference/elementwise.h"
#include "backends/reference/numbers.h"
#include "ops/elementwise.h"

namespace hone::reference {

namespace {

constexpr auto modulo = [](const Mod& op, auto x, auto y) {
  using T = decltype(x);
  if constexpr (std::is_floating_point_v<T>) {
    return std::fmod(x, y);
  } else {
    const T rest = int_rem(x, y);
    if constexpr (std::is_signed_v<T>) {
      if (!op.fmod && rest != 0 && (rest < 0) != (y < 0)) return static_cast<T>(rest + y);
    }
    return rest;
  }
};

// By repeated squaring, wrapping. A negative exponent truncates 1 / base^-exponent; 0 has no inverse and gives 0.
template <class T>
T int_power(T base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? T(1) : base == -1 ? static_cast<T>(exponent % 2 == 0 ? 1 : -1) : T(0);
  auto factor = static_cast<std::make_unsigned_t<T>>(base);
  std::make_unsigned_t<T> result = 1;
  for (; exponent != 0; exponent /= 2, factor *= factor) {
    if (exponent % 2 != 0) result *= factor;
  }
  return static_cast<T>(result);
}

template <class T, class E>
Stored<T> power(T base, E exponent) {
  if constexpr (kIsFloat<T>) {
    const double value = std::pow(static_cast<double>(base), static_cast<double>(exponent));
    return static_cast<T>(static_cast<Compute<T>>(value));
  } else if constexpr (std::is_floating_point_v<E>) {
    return saturate<T>(std::pow(static_cast<double>(base), exponent));
  } else {
    return int_power(base, exponent);
  }
}

// The exponents that a stretch of a row needs, of whatever type, as E: double or int64 (uint64 beyond it stays at
// its largest, with the parity kept).
constexpr int64_t kStretch = 256;

template <class E>
void load_exponents(const TensorView& view, int64_t first, int64_t count, E* out) {
  // The types are those that inference allows.
  static_cast<void>(visit_type(view.dtype, NumberTypes{}, [&]<class T>() {
    const T* in = read<T>(view) + first;
    for (int64_t i = 0; i < count; ++i) {
      if constexpr (std::is_same_v<T, uint64_t> && std::is_same_v<E, int64_t>) {
        out[i] = in[i] <= INT64_MAX ? static_cast<E>(in[i]) : INT64_MAX - (in[i] % 2 == 0 ? 1 : 0);
      } else {
        out[i] = static_cast<E>(static_cast<Compute<T>>(in[i]));
      }
    }
    return Status();
  }));
}

template <class T, class E>
void power_rows(const KernelArgs& args) {
  const TensorView &base = args.inputs[0], &exponent = args.inputs[1], &out = args.outputs[0];
  const BroadcastPlan plan(out.dims, {base.dims, exponent.dims});
  const int64_t base_step = plan.step(0), exponent_step = plan.step(1);
  plan.for_each_row(args.device->threads, [&](int64_t to, const int64_t* from, int64_t count) {
    E exponents[kStretch];
    for (int64_t begin = 0; begin < count; begin += kStretch) {
      const int64_t size = std::min(kStretch, count - begin);
      const T* x = read<T>(base) + from[0] + begin * base_step;
      T* o = write<T>(out) + to + begin;
      load_exponents(exponent, from[1] + begin * exponent_step, exponent_step == 0 ? 1 : size, exponents);
      for (int64_t i = 0; i < size; ++i) o[i] = power<T, E>(x[i * base_step], exponents[i * exponent_step]);
    }
  });
}

Status pow(const Pow&, const KernelArgs& args) {
  using BaseTypes = TypeList<float, double, Half, BFloat16, int32_t, int64_t>;
  return visit_type(args.inputs[0].dtype, BaseTypes{}, [&]<class T>() {
    if (kIsFloat<T> || is_floating(args.inputs[1].dtype)) {
      power_rows<T, double>(args);
    } else if constexpr (!kIsFloat<T>) {
      power_rows<T, int64_t>(args);
    }
    return Status();
  });
}

}  // namespace

const KernelDef kPow = kReferenceKernel<Pow, pow>;
const KernelDef kMod = kReferenceKernel<Mod, run_binary<Mod, NumberTypes, modulo>>;

}  // namespace hone::reference
