// Protobuf's wire format, field by field: the only reader of bytes that a stranger wrote.
#pragma once

#include <cstdint>
#include <protozero/pbf_reader.hpp>
#include <string_view>

#include "hone/status.h"

namespace hone::onnx {

// Walks the fields of one message. Never throws and never reads outside of `message`: the first malformed field ends
// the walk, and finish() tells what and where. Accessors return zero or nothing after an error.
//
//   WireReader reader(message, file_start);
//   while (reader.next()) {
//     switch (reader.field()) { case 1: name = reader.bytes(); break; ... }
//   }
//   return reader.finish();
class WireReader {
 public:
  // `file_start` is the first byte of the file, for the offsets in messages.
  WireReader(std::string_view message, const char* file_start)
      : reader_(message.data(), message.size()), file_start_(file_start) {}

  // Steps to the next field; false at the end and after an error. Fields that nobody looks at are skipped.
  bool next();
  uint32_t field() const { return field_; }

  // The current field as an integer (any varint), a float, a string or sub-message. Another wire type is an error.
  int64_t integer();
  float single();
  std::string_view bytes();
  // Encoded size of the current field's contents: what bytes() returns, or a single number.
  size_t payload_bytes() const;
  // Tag and length in front of bytes().
  size_t header_bytes() const { return header_bytes_; }

  // Elements of a repeated field, packed or not: call until false.
  bool next_integer(int64_t& value);
  bool next_single(float& value);
  bool next_double(double& value);

  // Success if all fields up to the end were well-formed and read as what they are.
  Status finish() && { return std::move(status_); }

 private:
  enum class Payload : uint8_t { kNone, kVarint, kFixed32, kFixed64, kBytes };
  void read_payload();
  template <class T>
  bool next_fixed(T& value, Payload alone);
  void fail(std::string_view what);
  void expect(Payload payload, std::string_view kind);

  protozero::pbf_reader reader_;
  const char* file_start_;
  const char* field_start_ = nullptr;
  uint32_t field_ = 0;  // protozero forgets it when the contents are read
  Payload payload_ = Payload::kNone;
  uint64_t number_ = 0;     // kVarint, kFixed32, kFixed64: the bits
  std::string_view bytes_;  // kBytes
  size_t header_bytes_ = 0;
  Status status_;
};

}  // namespace hone::onnx
