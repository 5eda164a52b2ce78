// Loops over elements, for the kernels of elementwise operators: each is a function of elements handed to one of
// the templates here.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "backends/reference/broadcast.h"
#include "backends/reference/kernels.h"
#include "base/dispatch.h"
#include "base/parallel.h"

namespace hone::reference {

// The type in which one element of T is computed: float for the 16-bit floats, T itself for all others. Bools are
// read as bytes, of which any but 0 is true: operands may come from anyone.
template <class T>
struct ComputeOf {
  using type = T;
};
template <>
struct ComputeOf<Half> {
  using type = float;
};
template <>
struct ComputeOf<BFloat16> {
  using type = float;
};
template <class T>
using Compute = typename ComputeOf<T>::type;

template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

template <class T>
inline constexpr bool kIsFloat = std::is_floating_point_v<Compute<T>>;

template <class T>
const Stored<T>* read(const TensorView& view) {
  return reinterpret_cast<const Stored<T>*>(view.data);
}
template <class T>
Stored<T>* write(const TensorView& view) {
  return reinterpret_cast<Stored<T>*>(view.data);
}

// out[i] = f(in[i]), computed in Compute<In>.
template <class In, class Out, class F>
void map(const KernelArgs& args, F f) {
  constexpr int64_t kGrain = 8192;
  const auto* in = read<In>(args.inputs[0]);
  auto* out = write<Out>(args.outputs[0]);
  parallel_for(args.device->threads, args.outputs[0].count(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      out[i] = static_cast<Stored<Out>>(f(static_cast<Compute<Stored<In>>>(in[i])));
    }
  });
}

// f of an element, or of the operator and an element.
template <auto F, class OpT, class... X>
auto call(const OpT& op, X... x) {
  if constexpr (std::is_invocable_v<decltype(F), const OpT&, X...>) {
    return F(op, x...);
  } else {
    return F(x...);
  }
}

// run() of an operator of one operand, whose output has its type: F(x) or F(op, x) gives an element.
template <class OpT, class Types, auto F>
Status run_unary(const OpT& op, const KernelArgs& args) {
  return visit_type(args.inputs[0].dtype, Types{}, [&]<class T>() {
    map<T, T>(args, [&](auto x) { return call<F>(op, x); });
    return Status();
  });
}

// out = f(a, b) with both operands broadcast to `dims`. `out` may be the same memory as an operand of its shape.
template <class O, class A, class B, class F>
void broadcast(int threads, const Extents& dims, O* out, const A* a, const Extents& a_dims, const B* b,
               const Extents& b_dims, F f) {
  const BroadcastPlan plan(dims, {a_dims, b_dims});
  const int64_t a_step = plan.step(0), b_step = plan.step(1);
  plan.for_each_row(threads, [&](int64_t to, const int64_t* from, int64_t count) {
    O* const o = out + to;
    const A* const x = a + from[0];
    const B* const y = b + from[1];
    if (a_step == 1 && b_step == 1) {
      for (int64_t i = 0; i < count; ++i) o[i] = static_cast<O>(f(Compute<A>(x[i]), Compute<B>(y[i])));
    } else if (a_step == 1) {
      const Compute<B> right(*y);
      for (int64_t i = 0; i < count; ++i) o[i] = static_cast<O>(f(Compute<A>(x[i]), right));
    } else if (b_step == 1) {
      const Compute<A> left(*x);
      for (int64_t i = 0; i < count; ++i) o[i] = static_cast<O>(f(left, Compute<B>(y[i])));
    } else {
      std::fill_n(o, count, static_cast<O>(f(Compute<A>(*x), Compute<B>(*y))));
    }
  });
}

// run() of an operator of two operands of one type; F(x, y) or F(op, x, y) gives an element, of the operands' type
// or of Out.
template <class OpT, class Types, auto F, class Out = void>
Status run_binary(const OpT& op, const KernelArgs& args) {
  return visit_type(args.inputs[0].dtype, Types{}, [&]<class T>() {
    using O = std::conditional_t<std::is_void_v<Out>, T, Out>;
    const TensorView &a = args.inputs[0], &b = args.inputs[1], &out = args.outputs[0];
    broadcast(args.device->threads, out.dims, write<O>(out), read<T>(a), a.dims, read<T>(b), b.dims,
              [&](auto x, auto y) { return call<F>(op, x, y); });
    return Status();
  });
}

// An unsigned type in which T's arithmetic wraps without being promoted to int.
template <class T>
using Wrapping = std::conditional_t<(sizeof(T) < sizeof(uint32_t)), uint32_t, std::make_unsigned_t<T>>;

// a / b and what remains, truncating; 0 for b = 0; -(lowest) wraps.
template <class T>
T int_div(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(a));
  }
  return static_cast<T>(a / b);
}
template <class T>
T int_rem(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return 0;
  }
  return static_cast<T>(a % b);
}

// The larger and the smaller, NaN if either is.
template <class T>
T larger(T a, T b) {
  return a > b || a != a ? a : b;
}
template <class T>
T smaller(T a, T b) {
  return a < b || a != a ? a : b;
}

}  // namespace hone::reference
