#include "onnx/model_reader.h"

#include <optional>

#include "onnx/wire.h"

namespace hone::onnx {

namespace {

class ModelReader {
 public:
  ModelReader(const FileBytes& file, MemoryBudget& budget, const ExternalData* external)
      : start_(reinterpret_cast<const char*>(file.bytes.data())), budget_(budget), tensors_(file, budget, external) {}

  Status read(std::string_view message, Model& model);

 private:
  Status read_graph(std::string_view message, OnnxGraph& graph);
  Status read_node(std::string_view message, OnnxNode& node);
  Status read_attribute(std::string_view message, Attribute& attribute);
  Status read_attribute_fields(std::string_view message, Attribute& attribute, struct AttributeFields& fields);
  Status read_function(std::string_view message, Function& function);
  Status read_value_info(std::string_view message, ValueInfo& info);
  Status read_type(std::string_view message, ValueInfo& info);
  Status read_tensor_type(std::string_view message, ValueInfo& info);
  Status read_shape(std::string_view message, ValueInfo& info);
  Status read_dim(std::string_view message, OnnxDim& dim);
  Status read_opset(std::string_view message, Opsets& opsets);
  Status read_metadata(std::string_view message, Model& model);

  // A new element at the end, paid for (twice, since vectors grow by doubling).
  template <class T>
  Result<T*> append(std::vector<T>& list) {
    HONE_TRY(budget_.charge(2 * sizeof(T), "the model's structure"));
    return &list.emplace_back();
  }
  Status append_name(Names& names, std::string_view name) {
    HONE_ASSIGN(std::string_view * slot, append(names));
    *slot = name;
    return {};
  }

  const char* start_;
  MemoryBudget& budget_;
  TensorReader tensors_;
};

// The value fields of an AttributeProto, before its type says which one counts.
struct AttributeFields {
  std::optional<float> f;
  std::optional<int64_t> i;
  std::optional<std::string_view> s;
  std::optional<Tensor> t;
  Floats floats;
  Ints ints;
  Strings strings;
  uint32_t present = 0;  // bit n: the field of Attribute::Type n
};

// "ai.onnx" is another name of the default domain.
std::string_view canonical_domain(std::string_view domain) { return domain == "ai.onnx" ? "" : domain; }

uint32_t bit(Attribute::Type type) { return 1u << static_cast<int>(type); }

Status ModelReader::read(std::string_view message, Model& model) {
  bool has_graph = false;
  WireReader reader(message, start_);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: model.ir_version = reader.integer(); break;
      case 2: model.producer_name = reader.bytes(); break;
      case 3: model.producer_version = reader.bytes(); break;
      case 4: model.domain = reader.bytes(); break;
      case 5: model.model_version = reader.integer(); break;
      case 7:
        if (has_graph) return invalid_model("the model has two graphs");
        has_graph = true;
        HONE_TRY(read_graph(reader.bytes(), model.graph));
        break;
      case 8: HONE_TRY(read_opset(reader.bytes(), model.opsets)); break;
      case 14: HONE_TRY(read_metadata(reader.bytes(), model)); break;
      case 20: model.has_training_info = true; break;
      case 25: {
        HONE_ASSIGN(Function * function, append(model.functions));
        HONE_TRY(read_function(reader.bytes(), *function));
        break;
      }
      default: break;
    }
  }
  HONE_TRY(std::move(reader).finish());
  if (!has_graph) return invalid_model("there is no graph in it: not an ONNX model, or cut short");
  return {};
}

Status ModelReader::read_graph(std::string_view message, OnnxGraph& graph) {
  WireReader reader(message, start_);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: {
        HONE_ASSIGN(OnnxNode * node, append(graph.nodes));
        HONE_TRY(read_node(reader.bytes(), *node));
        break;
      }
      case 2: graph.name = reader.bytes(); break;
      case 5: {
        HONE_ASSIGN(NamedTensor tensor, tensors_.read(reader.bytes(), /*allow_external=*/true));
        HONE_ASSIGN(Initializer * initializer, append(graph.initializers));
        *initializer = {tensor.name, std::move(tensor.tensor)};
        break;
      }
      case 11: {
        HONE_ASSIGN(ValueInfo * info, append(graph.inputs));
        HONE_TRY(read_value_info(reader.bytes(), *info));
        break;
      }
      case 12: {
        HONE_ASSIGN(ValueInfo * info, append(graph.outputs));
        HONE_TRY(read_value_info(reader.bytes(), *info));
        break;
      }
      case 15: return unsupported("the model has sparse initializers; store them dense");
      default: break;
    }
  }
  return std::move(reader).finish();
}

Status ModelReader::read_node(std::string_view message, OnnxNode& node) {
  WireReader reader(message, start_);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: HONE_TRY(append_name(node.inputs, reader.bytes())); break;
      case 2: HONE_TRY(append_name(node.outputs, reader.bytes())); break;
      case 3: node.name = reader.bytes(); break;
      case 4: node.op_type = reader.bytes(); break;
      case 5: {
        HONE_ASSIGN(Attribute * attribute, append(node.attributes));
        HONE_TRY(read_attribute(reader.bytes(), *attribute).with_context("node '" + std::string(node.name) + "'"));
        break;
      }
      case 7: node.domain = canonical_domain(reader.bytes()); break;
      case 8: node.overload = reader.bytes(); break;
      default: break;
    }
  }
  return std::move(reader).finish();
}

Status ModelReader::read_attribute_fields(std::string_view message, Attribute& attribute, AttributeFields& fields) {
  using Type = Attribute::Type;
  WireReader reader(message, start_);
  const auto note = [&](Type type) { fields.present |= bit(type); };
  while (reader.next()) {
    switch (reader.field()) {
      case 1: attribute.name = reader.bytes(); break;
      case 2:
        fields.f = reader.single();
        note(Type::kFloat);
        break;
      case 3:
        fields.i = reader.integer();
        note(Type::kInt);
        break;
      case 4:
        fields.s = reader.bytes();
        note(Type::kString);
        break;
      case 5: {
        HONE_ASSIGN(NamedTensor tensor, tensors_.read(reader.bytes(), /*allow_external=*/false));
        fields.t = std::move(tensor.tensor);
        note(Type::kTensor);
        break;
      }
      case 6: note(Type::kGraph); break;
      case 7: {
        HONE_TRY(budget_.charge(2 * reader.payload_bytes(), "an attribute"));
        for (float value = 0; reader.next_single(value);) fields.floats.push_back(value);
        note(Type::kFloats);
        break;
      }
      case 8: {
        HONE_TRY(budget_.charge(2 * sizeof(int64_t) * reader.payload_bytes(), "an attribute"));
        for (int64_t value = 0; reader.next_integer(value);) fields.ints.push_back(value);
        note(Type::kInts);
        break;
      }
      case 9: {
        HONE_TRY(budget_.charge(2 * sizeof(std::string) + reader.payload_bytes(), "an attribute"));
        fields.strings.emplace_back(reader.bytes());
        note(Type::kStrings);
        break;
      }
      case 10: note(Type::kTensors); break;
      case 11: note(Type::kGraphs); break;
      case 14: note(Type::kTypeProto); break;
      case 15: note(Type::kTypeProtos); break;
      case 20: attribute.type = static_cast<Type>(reader.integer()); break;
      case 21: attribute.reference = reader.bytes(); break;
      case 22: note(Type::kSparseTensor); break;
      case 23: note(Type::kSparseTensors); break;
      default: break;
    }
  }
  return std::move(reader).finish();
}

// Old files leave the type out: then the field that is there tells.
Status settle_type(const AttributeFields& fields, Attribute& attribute) {
  using Type = Attribute::Type;
  if (attribute.type == Type::kUndefined) {
    if (__builtin_popcount(fields.present) != 1) return invalid_model("has neither a type nor exactly one value");
    attribute.type = static_cast<Type>(__builtin_ctz(fields.present));
  }
  if (attribute.type < Type::kFloat || attribute.type > Type::kTypeProtos) {
    return invalid_model("has the unknown type " + std::to_string(static_cast<int>(attribute.type)));
  }
  if (const uint32_t others = fields.present & ~bit(attribute.type); others != 0) {
    return invalid_model("says it is of type " + std::string(name_of(attribute.type)) + ", but has a value of type " +
                         std::string(name_of(static_cast<Type>(__builtin_ctz(others)))));
  }
  return {};
}

Status ModelReader::read_attribute(std::string_view message, Attribute& attribute) {
  using Type = Attribute::Type;
  AttributeFields fields;
  HONE_TRY(read_attribute_fields(message, attribute, fields)
               .with_context("attribute '" + std::string(attribute.name) + "'"));
  const std::string where = "attribute '" + std::string(attribute.name) + "'";
  if (!attribute.reference.empty()) {
    if (fields.present != 0) return invalid_model(where + " has both a value and a reference");
    return {};
  }
  HONE_TRY(settle_type(fields, attribute).with_context(where));
  switch (attribute.type) {
    // A zero that protobuf leaves out is a value too.
    case Type::kFloat: attribute.value = fields.f.value_or(0.0f); break;
    case Type::kInt: attribute.value = fields.i.value_or(0); break;
    case Type::kString: attribute.value = std::string(fields.s.value_or("")); break;
    case Type::kTensor:
      if (!fields.t) return invalid_model(where + " is of type TENSOR, but holds none");
      attribute.value = std::move(*fields.t);
      break;
    case Type::kFloats: attribute.value = std::move(fields.floats); break;
    case Type::kInts: attribute.value = std::move(fields.ints); break;
    case Type::kStrings: attribute.value = std::move(fields.strings); break;
    default: break;
  }
  return {};
}

Status ModelReader::read_function(std::string_view message, Function& function) {
  WireReader reader(message, start_);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: function.name = reader.bytes(); break;
      case 4: HONE_TRY(append_name(function.inputs, reader.bytes())); break;
      case 5: HONE_TRY(append_name(function.outputs, reader.bytes())); break;
      case 6: HONE_TRY(append_name(function.attributes, reader.bytes())); break;
      case 7: {
        HONE_ASSIGN(OnnxNode * node, append(function.nodes));
        HONE_TRY(read_node(reader.bytes(), *node).with_context("function '" + std::string(function.name) + "'"));
        break;
      }
      case 9: HONE_TRY(read_opset(reader.bytes(), function.opsets)); break;
      case 10: function.domain = canonical_domain(reader.bytes()); break;
      case 11: {
        HONE_ASSIGN(Attribute * attribute, append(function.defaults));
        HONE_TRY(
            read_attribute(reader.bytes(), *attribute).with_context("function '" + std::string(function.name) + "'"));
        break;
      }
      case 13: function.overload = reader.bytes(); break;
      default: break;
    }
  }
  return std::move(reader).finish();
}

Status ModelReader::read_value_info(std::string_view message, ValueInfo& info) {
  WireReader reader(message, start_);
  while (reader.next()) {
    if (reader.field() == 1) info.name = reader.bytes();
    if (reader.field() == 2) HONE_TRY(read_type(reader.bytes(), info));
  }
  return std::move(reader).finish();
}

Status ModelReader::read_type(std::string_view message, ValueInfo& info) {
  using Kind = ValueInfo::Kind;
  WireReader reader(message, start_);
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        info.kind = Kind::kTensor;
        HONE_TRY(read_tensor_type(reader.bytes(), info));
        break;
      case 4: info.kind = Kind::kSequence; break;
      case 5: info.kind = Kind::kMap; break;
      case 7: info.kind = Kind::kOpaque; break;
      case 8: info.kind = Kind::kSparseTensor; break;
      case 9: info.kind = Kind::kOptional; break;
      default: break;
    }
  }
  return std::move(reader).finish();
}

Status ModelReader::read_tensor_type(std::string_view message, ValueInfo& info) {
  WireReader reader(message, start_);
  while (reader.next()) {
    if (reader.field() == 1) info.elem_type = reader.integer();
    if (reader.field() == 2) {
      info.has_shape = true;
      HONE_TRY(read_shape(reader.bytes(), info));
    }
  }
  return std::move(reader).finish();
}

Status ModelReader::read_shape(std::string_view message, ValueInfo& info) {
  WireReader reader(message, start_);
  while (reader.next()) {
    if (reader.field() != 1) continue;
    HONE_ASSIGN(OnnxDim * dim, append(info.dims));
    HONE_TRY(read_dim(reader.bytes(), *dim));
  }
  return std::move(reader).finish();
}

Status ModelReader::read_dim(std::string_view message, OnnxDim& dim) {
  WireReader reader(message, start_);
  while (reader.next()) {
    if (reader.field() == 1) {
      dim.value = reader.integer();
      dim.has_value = true;
    }
    if (reader.field() == 2) dim.param = reader.bytes();
  }
  return std::move(reader).finish();
}

Status ModelReader::read_opset(std::string_view message, Opsets& opsets) {
  std::string_view domain;
  int64_t version = 0;
  WireReader reader(message, start_);
  while (reader.next()) {
    if (reader.field() == 1) domain = reader.bytes();
    if (reader.field() == 2) version = reader.integer();
  }
  HONE_TRY(std::move(reader).finish());
  HONE_TRY(budget_.charge(128, "an opset import"));
  const auto [it, inserted] = opsets.emplace(canonical_domain(domain), version);
  if (!inserted && it->second != version) {
    return invalid_model("opset_import gives domain '" + std::string(domain) + "' two versions, " +
                         std::to_string(it->second) + " and " + std::to_string(version));
  }
  return {};
}

Status ModelReader::read_metadata(std::string_view message, Model& model) {
  HONE_ASSIGN(auto* entry, append(model.metadata));
  WireReader reader(message, start_);
  while (reader.next()) {
    if (reader.field() == 1) entry->first = reader.bytes();
    if (reader.field() == 2) entry->second = reader.bytes();
  }
  return std::move(reader).finish();
}

}  // namespace

std::string_view name_of(Attribute::Type type) {
  constexpr std::string_view kNames[] = {
      "UNDEFINED", "FLOAT",   "INT",    "STRING",        "TENSOR",         "GRAPH",      "FLOATS",     "INTS",
      "STRINGS",   "TENSORS", "GRAPHS", "SPARSE_TENSOR", "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS"};
  const auto index = static_cast<size_t>(type);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

bool has_value(Attribute::Type type) {
  using Type = Attribute::Type;
  return (type >= Type::kFloat && type <= Type::kTensor) || (type >= Type::kFloats && type <= Type::kStrings);
}

Result<Model> read_model(const FileBytes& file, MemoryBudget& budget, const ExternalData* external) {
  Model model;
  ModelReader reader(file, budget, external);
  const std::string_view message(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
  HONE_TRY(reader.read(message, model));
  return model;
}

}  // namespace hone::onnx
