#include "ops/type_set.h"

#include <string>

namespace hone {

namespace {

std::string list_of(TypeSet types) {
  std::string text;
  for (int i = 0; i < kDataTypeCount; ++i) {
    const auto type = static_cast<DataType>(i);
    if (types.has(type)) text += (text.empty() ? "" : ", ") + std::string(name_of(type));
  }
  return text;
}

}  // namespace

Status expect_types(const InferContext& ctx, size_t i, TypeSet allowed) {
  const DataType type = ctx.dtype(i);
  if (allowed.has(type)) return {};
  const std::string message = "operand " + std::to_string(i) + " has the type " + std::string(name_of(type)) +
                              "; allowed are: " + list_of(allowed);
  return is_computable(type) ? invalid_model(message) : unsupported(message);
}

}  // namespace hone
