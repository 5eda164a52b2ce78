// For tests: writes ONNX messages field by field, wrong ones too.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "onnx/import.h"

namespace hone::onnx::test {

// A message being written. Later fields stand behind earlier ones; each call returns the message.
class Message {
 public:
  Message& integer(uint32_t field, int64_t value) {
    protozero::pbf_writer(bytes_).add_int64(field, value);
    return *this;
  }
  Message& single(uint32_t field, float value) {
    protozero::pbf_writer(bytes_).add_float(field, value);
    return *this;
  }
  Message& text(uint32_t field, std::string_view value) {
    protozero::pbf_writer(bytes_).add_string(field, value.data(), value.size());
    return *this;
  }
  Message& message(uint32_t field, const Message& value) { return text(field, value.bytes_); }
  template <class T>
  Message& packed_integers(uint32_t field, const std::vector<T>& values) {
    protozero::pbf_writer(bytes_).add_packed_int64(field, values.begin(), values.end());
    return *this;
  }
  Message& packed_singles(uint32_t field, const std::vector<float>& values) {
    protozero::pbf_writer(bytes_).add_packed_float(field, values.begin(), values.end());
    return *this;
  }
  Message& packed_doubles(uint32_t field, const std::vector<double>& values) {
    protozero::pbf_writer(bytes_).add_packed_double(field, values.begin(), values.end());
    return *this;
  }
  Message& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

inline Message tensor(std::string_view name, DataType dtype, const std::vector<int64_t>& dims) {
  return Message().packed_integers(1, dims).integer(2, static_cast<int64_t>(dtype)).text(8, name);
}

template <class T>
std::string bytes_of_values(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

inline Message floats(std::string_view name, const std::vector<int64_t>& dims, const std::vector<float>& values) {
  return tensor(name, DataType::kFloat32, dims).text(9, bytes_of_values(values));
}

inline Message ints(std::string_view name, const std::vector<int64_t>& dims, const std::vector<int64_t>& values) {
  return tensor(name, DataType::kInt64, dims).text(9, bytes_of_values(values));
}

// Attributes, with their type.
inline Message attribute(std::string_view name, int type) { return Message().text(1, name).integer(20, type); }
inline Message attr(std::string_view name, int64_t value) { return attribute(name, 2).integer(3, value); }
inline Message attr(std::string_view name, int value) { return attr(name, int64_t{value}); }
inline Message attr(std::string_view name, float value) { return attribute(name, 1).single(2, value); }
inline Message attr(std::string_view name, const char* value) { return attribute(name, 3).text(4, value); }
inline Message attr(std::string_view name, const Message& tensor) { return attribute(name, 4).message(5, tensor); }
inline Message attr(std::string_view name, const std::vector<int64_t>& values) {
  return attribute(name, 7).packed_integers(8, values);
}
inline Message attr(std::string_view name, const std::vector<float>& values) {
  return attribute(name, 6).packed_singles(7, values);
}
inline Message reference(std::string_view name, int type, std::string_view of) {
  return attribute(name, type).text(21, of);
}

inline Message node(std::string_view op, const std::vector<std::string>& inputs,
                    const std::vector<std::string>& outputs, const std::vector<Message>& attributes = {},
                    std::string_view name = "", std::string_view domain = "") {
  Message message;
  for (const std::string& input : inputs) message.text(1, input);
  for (const std::string& output : outputs) message.text(2, output);
  if (!name.empty()) message.text(3, name);
  message.text(4, op);
  for (const Message& attribute : attributes) message.message(5, attribute);
  if (!domain.empty()) message.text(7, domain);
  return message;
}

using TestDim = std::variant<int, std::string>;  // "": no value and no name

inline Message dims_of(const std::vector<TestDim>& dims) {
  Message shape;
  for (const TestDim& dim : dims) {
    Message message;
    if (const int* number = std::get_if<int>(&dim)) message.integer(1, *number);
    if (const auto* text = std::get_if<std::string>(&dim); text && !text->empty()) message.text(2, *text);
    shape.message(1, message);
  }
  return shape;
}

inline Message value(std::string_view name, const std::vector<TestDim>& dims, DataType dtype = DataType::kFloat32) {
  const Message type = Message().integer(1, static_cast<int64_t>(dtype)).message(2, dims_of(dims));
  return Message().text(1, name).message(2, Message().message(1, type));
}

// Without a shape.
inline Message untyped(std::string_view name) { return Message().text(1, name); }

struct TestGraph {
  std::vector<Message> nodes, initializers, inputs, outputs;

  Message message() const {
    Message graph;
    for (const Message& node : nodes) graph.message(1, node);
    graph.text(2, "test");
    for (const Message& tensor : initializers) graph.message(5, tensor);
    for (const Message& input : inputs) graph.message(11, input);
    for (const Message& output : outputs) graph.message(12, output);
    return graph;
  }
};

inline Message opset(std::string_view domain, int64_t version) { return Message().text(1, domain).integer(2, version); }

struct TestModel {
  TestGraph graph;
  int64_t version = 17;
  int64_t ir = 8;
  std::vector<Message> functions;
  std::vector<Message> more_opsets;

  std::string bytes() const {
    Message model;
    model.integer(1, ir).text(2, "pytest").text(3, "1.0").message(7, graph.message()).message(8, opset("", version));
    for (const Message& other : more_opsets) model.message(8, other);
    for (const Message& function : functions) model.message(25, function);
    model.message(14, Message().text(1, "classes").text(2, "cat"));
    return model.bytes();
  }
};

// Imports bytes that the graph then owns, shifted by `offset` in memory.
inline Result<Graph> import_bytes(const std::string& bytes, const ImportOptions& options = {},
                                  const std::optional<std::string>& base_dir = std::nullopt, size_t offset = 0) {
  auto owner = std::make_shared<std::vector<std::byte>>(bytes.size() + offset);
  if (!bytes.empty()) std::memcpy(owner->data() + offset, bytes.data(), bytes.size());
  return import_onnx(std::span(*owner).subspan(offset), owner, base_dir, options);
}

inline Result<Graph> import_model(const TestModel& model, const ImportOptions& options = {}) {
  return import_bytes(model.bytes(), options);
}

// One node from the inputs given to an output "y", everything else as small as can be.
inline TestModel one_node(int64_t version, const Message& made, const std::vector<Message>& inputs,
                          const std::vector<Message>& initializers = {},
                          const std::vector<std::string>& outputs = {"y"}) {
  TestModel model;
  model.version = version;
  model.graph.nodes = {made};
  model.graph.inputs = inputs;
  model.graph.initializers = initializers;
  for (const std::string& output : outputs) model.graph.outputs.push_back(untyped(output));
  return model;
}

// The message of an import that must fail, or "no error".
inline std::string error_of(const Result<Graph>& graph) { return graph.ok() ? "no error" : graph.status().message(); }

}  // namespace hone::onnx::test
