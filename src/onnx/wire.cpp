#include "onnx/wire.h"

#include <cstring>
#include <limits>
#include <string>

namespace hone::onnx {

void WireReader::fail(std::string_view what) {
  if (!status_.ok()) return;
  std::string where = "at byte " + std::to_string(field_start_ - file_start_);
  if (field_ != 0) where += ", field " + std::to_string(field_);
  status_ = invalid_model("malformed protobuf " + where + ": " + std::string(what));
  payload_ = Payload::kNone;
  bytes_ = {};
}

bool WireReader::next() {
  if (!status_.ok()) return false;
  field_start_ = reader_.data().data();
  field_ = 0;
  try {
    if (!reader_.next()) return false;
    field_ = reader_.tag();
    read_payload();
  } catch (const protozero::exception& error) {
    fail(error.what());
  }
  return status_.ok();
}

// protozero narrows lengths to 32 bits, so they are looked at first.
void WireReader::read_payload() {
  switch (reader_.wire_type()) {
    case protozero::pbf_wire_type::varint:
      payload_ = Payload::kVarint;
      number_ = reader_.get_uint64();
      return;
    case protozero::pbf_wire_type::fixed32:
      payload_ = Payload::kFixed32;
      number_ = reader_.get_fixed32();
      return;
    case protozero::pbf_wire_type::fixed64:
      payload_ = Payload::kFixed64;
      number_ = reader_.get_fixed64();
      return;
    default: break;
  }
  const protozero::data_view rest = reader_.data();
  const char* position = rest.data();
  const uint64_t length = protozero::decode_varint(&position, rest.data() + rest.size());
  const uint64_t left = rest.size() - static_cast<size_t>(position - rest.data());
  if (length > left) {
    return fail("it claims " + std::to_string(length) + " bytes, but only " + std::to_string(left) + " follow");
  }
  if (length > std::numeric_limits<uint32_t>::max()) {
    return fail("it is " + std::to_string(length) +
                " bytes long; a field must be below 4 GiB (keep large weights as "
                "external data)");
  }
  payload_ = Payload::kBytes;
  header_bytes_ = static_cast<size_t>(position - field_start_);
  const protozero::data_view view = reader_.get_view();
  bytes_ = {view.data(), view.size()};
}

void WireReader::expect(Payload payload, std::string_view kind) {
  if (payload_ != payload) fail("expected " + std::string(kind));
}

int64_t WireReader::integer() {
  expect(Payload::kVarint, "an integer");
  return status_.ok() ? static_cast<int64_t>(number_) : 0;
}

float WireReader::single() {
  float value = 0;
  if (payload_ == Payload::kBytes || !next_single(value)) fail("expected a float");
  return value;
}

std::string_view WireReader::bytes() {
  expect(Payload::kBytes, "a length-delimited field");
  return bytes_;
}

size_t WireReader::payload_bytes() const {
  switch (payload_) {
    case Payload::kNone: return 0;
    case Payload::kVarint: return 1;  // at least
    case Payload::kFixed32: return 4;
    case Payload::kFixed64: return 8;
    case Payload::kBytes: return bytes_.size();
  }
  return 0;
}

bool WireReader::next_integer(int64_t& value) {
  if (payload_ == Payload::kVarint) {
    value = static_cast<int64_t>(number_);
    payload_ = Payload::kNone;
    return true;
  }
  if (payload_ == Payload::kFixed32 || payload_ == Payload::kFixed64) fail("expected integers");
  if (payload_ != Payload::kBytes || bytes_.empty()) return false;
  const char* position = bytes_.data();
  try {
    value = static_cast<int64_t>(protozero::decode_varint(&position, bytes_.data() + bytes_.size()));
  } catch (const protozero::exception& error) {
    fail(error.what());
    return false;
  }
  bytes_.remove_prefix(static_cast<size_t>(position - bytes_.data()));
  return true;
}

template <class T>
bool WireReader::next_fixed(T& value, Payload alone) {
  if (payload_ == alone) {
    std::memcpy(&value, &number_, sizeof(T));
    payload_ = Payload::kNone;
    return true;
  }
  if (payload_ == Payload::kNone) return false;
  expect(Payload::kBytes, sizeof(T) == sizeof(float) ? "floats" : "doubles");
  if (bytes_.empty()) return false;
  if (bytes_.size() < sizeof(T)) {
    fail("a packed list is cut in the middle of an element");
    return false;
  }
  std::memcpy(&value, bytes_.data(), sizeof(T));
  bytes_.remove_prefix(sizeof(T));
  return true;
}

bool WireReader::next_single(float& value) { return next_fixed(value, Payload::kFixed32); }

bool WireReader::next_double(double& value) { return next_fixed(value, Payload::kFixed64); }

}  // namespace hone::onnx
