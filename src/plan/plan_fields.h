// The one list of what an engine file holds of each struct, in the file's order. Readers and writers both walk it;
// docs/engine-file.md repeats it for people, and a change here needs a new kEngineFormatVersion.
#pragma once

#include "plan/byte_archive.h"
#include "plan/plan.h"

namespace hone {

inline constexpr uint32_t kEngineFormatVersion = 1;

template <>
inline constexpr int kEnumeratorCount<DataType> = kDataTypeCount;
template <>
inline constexpr int kEnumeratorCount<PlanSymbol::Kind> = 4;
template <>
inline constexpr int kEnumeratorCount<PlanStorage::Kind> = 4;
template <>
inline constexpr int kEnumeratorCount<Step::Stage> = 2;
template <>
inline constexpr int kEnumeratorCount<DimRequirement::Kind> = 2;

template <>
struct Fields<std::pair<std::string, AttrValue>> {
  static void visit(auto& a, auto& attr) { a(attr.first, attr.second); }
};

template <>
struct Fields<TensorType> {
  static void visit(auto& a, auto& type) { a(type.dtype, type.shape); }
};

template <>
struct Fields<DimRequirement> {
  static void visit(auto& a, auto& need) { a(need.kind, need.a, need.b); }
};

template <>
struct Fields<Body::Step> {
  static void visit(auto& a, auto& step) { a(step.op, step.operands, step.types); }
};

template <>
struct Fields<Body> {
  static void visit(auto& a, auto& body) { a(body.num_inputs, body.constants, body.steps, body.results); }
};

template <>
struct Fields<DimRange> {
  static void visit(auto& a, auto& range) { a(range.min, range.opt, range.max); }
};

template <>
struct Fields<Profile> {
  static void visit(auto& a, auto& profile) { a(profile.inputs, profile.values); }
};

template <>
struct Fields<PlanSymbol> {
  static void visit(auto& a, auto& s) { a(s.name, s.kind, s.value, s.index, s.bound); }
};

template <>
struct Fields<PlanStorage> {
  static void visit(auto& a, auto& s) { a(s.kind, s.index, s.bytes); }
};

template <>
struct Fields<PlanValue> {
  static void visit(auto& a, auto& v) { a(v.name, v.type, v.storage, v.offset_bytes); }
};

template <>
struct Fields<PlanBinding> {
  static void visit(auto& a, auto& b) { a(b.name, b.is_input, b.value, b.is_shape_value); }
};

template <>
struct Fields<Step> {
  static void visit(auto& a, auto& s) {
    a(s.name, s.stage, s.op, s.body, s.inputs, s.outputs, s.backend, s.kernel, s.kernel_version, s.config,
      s.requirements, s.resolved, s.counted);
  }
};

template <>
struct Fields<TuningRecord> {
  static void visit(auto& a, auto& r) { a(r.step, r.kernel, r.time_us, r.max_error, r.refusal); }
};

template <>
struct Fields<Plan> {
  static void visit(auto& a, auto& p) { a(p.profile, p.symbols, p.storages, p.values, p.bindings, p.steps, p.tuning); }
};

template <>
struct Fields<DeviceInfo> {
  static void visit(auto& a, auto& d) { a(d.backend, d.name, d.isa, d.threads, d.memory_bytes); }
};

template <>
struct Fields<TunedPart> {
  static void visit(auto& a, auto& part) { a(part.target, part.plans); }
};

template <>
struct Fields<WeightBlock> {
  static void visit(auto& a, auto& block) { a(block.offset, block.bytes); }
};

}  // namespace hone
