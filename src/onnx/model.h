// An ONNX file as it was written: its messages as plain structs, nothing interpreted but tensors.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hone/op.h"
#include "hone/tensor.h"

namespace hone::onnx {

// Texts point into the file's bytes, which outlive the model.
using Names = std::vector<std::string_view>;

struct Attribute {
  // ONNX's AttributeProto.AttributeType.
  enum class Type : int32_t {
    kUndefined = 0,
    kFloat = 1,
    kInt = 2,
    kString = 3,
    kTensor = 4,
    kGraph = 5,
    kFloats = 6,
    kInts = 7,
    kStrings = 8,
    kTensors = 9,
    kGraphs = 10,
    kSparseTensor = 11,
    kSparseTensors = 12,
    kTypeProto = 13,
    kTypeProtos = 14,
  };
  std::string_view name;
  std::string_view reference;  // ref_attr_name: in functions, the attribute of the call that gives the value
  Type type = Type::kUndefined;
  AttrValue value;  // for the types an AttrValue can hold; graphs and the like are only known to be there
};

// "kInts" as ONNX spells it: "INTS".
std::string_view name_of(Attribute::Type type);
// Whether an AttrValue can hold it.
bool has_value(Attribute::Type type);

struct OnnxNode {
  std::string_view name, op_type, domain, overload;
  Names inputs, outputs;  // empty: left out
  std::vector<Attribute> attributes;
};

struct OnnxDim {
  std::string_view param;
  int64_t value = -1;
  bool has_value = false;
};

// A graph input or output.
struct ValueInfo {
  enum class Kind : uint8_t { kUntyped, kTensor, kSequence, kOptional, kMap, kSparseTensor, kOpaque };
  std::string_view name;
  Kind kind = Kind::kUntyped;
  int64_t elem_type = 0;  // kTensor
  bool has_shape = false;
  std::vector<OnnxDim> dims;
};

struct Initializer {
  std::string_view name;
  Tensor tensor;
};

using Opsets = std::map<std::string_view, int64_t>;  // domain ("" for ai.onnx) -> version

struct Function {
  std::string_view domain, name, overload;
  Names inputs, outputs;
  Names attributes;  // those without a default
  std::vector<Attribute> defaults;
  std::vector<OnnxNode> nodes;
  Opsets opsets;
};

struct OnnxGraph {
  std::string_view name;
  std::vector<OnnxNode> nodes;
  std::vector<Initializer> initializers;
  std::vector<ValueInfo> inputs, outputs;
};

struct Model {
  int64_t ir_version = 0;
  int64_t model_version = 0;
  std::string_view producer_name, producer_version, domain;
  OnnxGraph graph;
  Opsets opsets;
  std::vector<Function> functions;
  std::vector<std::pair<std::string_view, std::string_view>> metadata;
  bool has_training_info = false;
};

}  // namespace hone::onnx
