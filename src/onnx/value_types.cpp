#include "onnx/value_types.h"

namespace hone::onnx {

namespace {

std::string_view kind_name(ValueInfo::Kind kind) {
  switch (kind) {
    case ValueInfo::Kind::kUntyped: return "nothing that has a type";
    case ValueInfo::Kind::kTensor: return "a tensor";
    case ValueInfo::Kind::kSequence: return "a sequence";
    case ValueInfo::Kind::kOptional: return "an optional";
    case ValueInfo::Kind::kMap: return "a map";
    case ValueInfo::Kind::kSparseTensor: return "a sparse tensor";
    case ValueInfo::Kind::kOpaque: return "opaque";
  }
  return "unknown";
}

bool known_type(int64_t elem_type) { return elem_type > 0 && elem_type < kDataTypeCount; }

}  // namespace

Result<TensorType> InputTypes::read(const ValueInfo& input) {
  if (input.kind == ValueInfo::Kind::kUntyped) return invalid_model("has no type");
  if (input.kind != ValueInfo::Kind::kTensor) {
    return unsupported("is " + std::string(kind_name(input.kind)) + "; only tensors can be inputs");
  }
  if (!known_type(input.elem_type)) {
    return invalid_model("has the unknown element type " + std::to_string(input.elem_type));
  }
  if (!input.has_shape) {
    return unsupported("has no shape, not even a rank; declare one (dimensions may be names) and save the model again");
  }
  if (input.dims.size() > kMaxRank) {
    return unsupported("has rank " + std::to_string(input.dims.size()) + "; the limit is " + std::to_string(kMaxRank));
  }
  TensorType type{static_cast<DataType>(input.elem_type), {}};
  for (uint32_t axis = 0; axis < input.dims.size(); ++axis) {
    const OnnxDim& dim = input.dims[axis];
    if (dim.has_value && dim.value != -1) {
      if (dim.value < 0) return invalid_model("has the negative dimension " + std::to_string(dim.value));
      type.shape.push_back(dim.value);
      continue;
    }
    const auto known = named_.find(dim.param);
    if (!dim.param.empty() && known != named_.end()) {
      type.shape.push_back(known->second);
      continue;
    }
    std::string name(dim.param);
    if (name.empty()) name = std::string(input.name) + "_" + std::to_string(axis);
    const SymbolId id = graph_.add_symbol(
        {.name = name, .kind = Symbol::Kind::kInputDim, .value = std::string(input.name), .index = axis});
    type.shape.push_back(Dim::symbol(id, /*nonnegative=*/true));
    if (!dim.param.empty()) named_.emplace(dim.param, type.shape.back());
  }
  if (element_count(type.shape).is_invalid()) {
    return invalid_model("has more than 2^63 - 1 elements: " + graph_.to_string(type.shape));
  }
  return type;
}

Result<std::string> compare_with_declared(const Graph& graph, const Value& value, const ValueInfo& declared) {
  const std::string name(declared.name);
  if (declared.kind == ValueInfo::Kind::kUntyped) return std::string();
  if (declared.kind != ValueInfo::Kind::kTensor) {
    return invalid_model("output '" + name + "' is declared as " + std::string(kind_name(declared.kind)) +
                         ", but is a tensor");
  }
  if (declared.elem_type != 0 && declared.elem_type != static_cast<int64_t>(value.dtype())) {
    const std::string as = known_type(declared.elem_type)
                               ? std::string(name_of(static_cast<DataType>(declared.elem_type)))
                               : "of unknown type " + std::to_string(declared.elem_type);
    return invalid_model("output '" + name + "' is declared as " + as + ", but is " +
                         std::string(name_of(value.dtype())));
  }
  if (!declared.has_shape) return std::string();
  bool differs = declared.dims.size() != value.rank();
  for (size_t i = 0; !differs && i < value.rank(); ++i) {
    const OnnxDim& dim = declared.dims[i];
    differs = dim.has_value && dim.value >= 0 && value.shape()[i].is_const() && value.shape()[i].value() != dim.value;
  }
  if (!differs) return std::string();
  std::string text;
  for (const OnnxDim& dim : declared.dims) {
    text += (text.empty() ? "" : ",") + (dim.has_value ? std::to_string(dim.value) : std::string(dim.param));
  }
  return "output '" + name + "' is declared as [" + text + "], but is " + graph.to_string(value.shape());
}

}  // namespace hone::onnx
