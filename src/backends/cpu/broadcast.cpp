#include "backends/cpu/broadcast.h"

namespace hone::cpu {

namespace {

// Strides over `out`, 0 where the operand repeats.
Extents broadcast_strides(const Extents& out, const Extents& operand) {
  const Extents own = row_major_strides(operand);
  const size_t missing = out.size() - operand.size();
  Extents strides = Extents::filled(out.size(), 0);
  for (size_t i = 0; i < operand.size(); ++i) {
    if (operand[i] != 1) strides[missing + i] = own[i];
  }
  return strides;
}

}  // namespace

BroadcastRows::BroadcastRows(const Extents& out, const Extents& a, const Extents& b) {
  const Extents a_all = broadcast_strides(out, a), b_all = broadcast_strides(out, b);
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] == 1) continue;
    // An axis joins the one before if both operands pass from one to the other without a jump.
    const bool joins = !dims.empty() && a_strides.back() == a_all[i] * out[i] && b_strides.back() == b_all[i] * out[i];
    if (joins) {
      dims.back() *= out[i];
      a_strides.back() = a_all[i];
      b_strides.back() = b_all[i];
    } else {
      dims.push_back(out[i]);
      a_strides.push_back(a_all[i]);
      b_strides.push_back(b_all[i]);
    }
  }
  if (dims.empty()) {
    dims.push_back(1);
    a_strides.push_back(0);
    b_strides.push_back(0);
  }
  row = dims.back();
  a_step = a_strides.back();
  b_step = b_strides.back();
  for (size_t i = 0; i + 1 < dims.size(); ++i) rows *= dims[i];
}

BroadcastRows::Start BroadcastRows::start(int64_t i) const {
  Start at;
  for (size_t axis = dims.size() - 1; axis-- > 0;) {
    const int64_t position = i % dims[axis];
    i /= dims[axis];
    at.a += position * a_strides[axis];
    at.b += position * b_strides[axis];
  }
  return at;
}

}  // namespace hone::cpu
