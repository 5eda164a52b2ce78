#include "ops/op_list.h"

#include <unordered_map>

#include "ops/activation.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/conv.h"
#include "ops/einsum.h"
#include "ops/elementwise.h"
#include "ops/expand.h"
#include "ops/gather.h"
#include "ops/generate.h"
#include "ops/logic.h"
#include "ops/matmul.h"
#include "ops/nms.h"
#include "ops/normalize.h"
#include "ops/pad.h"
#include "ops/pool.h"
#include "ops/rearrange.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/resize.h"
#include "ops/sampling.h"
#include "ops/scan.h"
#include "ops/scatter.h"
#include "ops/select.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/topk.h"

namespace hone {

namespace {

template <class T>
std::unique_ptr<Op> make() {
  return std::make_unique<T>();
}

constexpr OpFactory kOps[] = {
#define HONE_OP(T) {T::kName, make<T>},
#include "ops/op_list.inc"
#undef HONE_OP
};

}  // namespace

std::span<const OpFactory> builtin_ops() { return kOps; }

std::unique_ptr<Op> make_op(std::string_view name) {
  static const auto* const kByName = [] {
    auto* map = new std::unordered_map<std::string_view, const OpFactory*>;
    for (const OpFactory& factory : kOps) map->emplace(factory.name, &factory);
    return map;
  }();
  const auto it = kByName->find(name);
  return it == kByName->end() ? nullptr : it->second->make();
}

Result<OpPtr> make_op(std::string_view name, const AttrMap& attrs) {
  std::unique_ptr<Op> op = make_op(name);
  if (op == nullptr) return unsupported("there is no operator '" + std::string(name) + "'");
  HONE_TRY(op->read(attrs).with_context(name));
  return OpPtr(std::move(op));
}

}  // namespace hone
