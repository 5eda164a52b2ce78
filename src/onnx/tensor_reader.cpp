#include "onnx/tensor_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "onnx/wire.h"

namespace hone::onnx {

namespace {

// Numbers of TensorProto's fields.
enum Field : uint32_t {
  kDims = 1,
  kDataType = 2,
  kSegment = 3,
  kFloatData = 4,
  kInt32Data = 5,
  kStringData = 6,
  kInt64Data = 7,
  kName = 8,
  kRawData = 9,
  kDoubleData = 10,
  kUint64Data = 11,
  kExternalData = 13,
  kDataLocation = 14,
};

constexpr int64_t kExternal = 1;  // TensorProto.DataLocation

// The field that holds a type's contents when they aren't raw.
uint32_t typed_field(DataType dtype) {
  switch (dtype) {
    case DataType::kFloat32:
    case DataType::kComplex64: return kFloatData;
    case DataType::kFloat64:
    case DataType::kComplex128: return kDoubleData;
    case DataType::kInt64: return kInt64Data;
    case DataType::kUint32:
    case DataType::kUint64: return kUint64Data;
    case DataType::kString: return kStringData;
    default: return kInt32Data;
  }
}

std::string_view field_name(uint32_t field) {
  switch (field) {
    case kFloatData: return "float_data";
    case kInt32Data: return "int32_data";
    case kStringData: return "string_data";
    case kInt64Data: return "int64_data";
    case kDoubleData: return "double_data";
    case kUint64Data: return "uint64_data";
    default: return "raw_data";
  }
}

size_t alignment_of(DataType dtype) { return std::clamp<size_t>(bytes_of(dtype), 1, 8); }

Status read_entry(std::string_view message, const char* file_start, ExternalLocation& where) {
  std::string_view key, value;
  WireReader reader(message, file_start);
  while (reader.next()) {
    if (reader.field() == 1) key = reader.bytes();
    if (reader.field() == 2) value = reader.bytes();
  }
  HONE_TRY(std::move(reader).finish());
  if (key == "location") where.location = value;
  if (key != "offset" && key != "length") return {};
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < 0) {
    return invalid_model("external data: " + std::string(key) + " '" + std::string(value.substr(0, 40)) +
                         "' isn't a number from 0 to 2^63 - 1");
  }
  (key == "offset" ? where.offset : where.length) = number;
  return {};
}

// Bool bytes other than 0 and 1 would be undefined to read as bool.
Result<Tensor> with_clean_bools(Tensor tensor) {
  if (tensor.dtype() != DataType::kBool) return tensor;
  const std::span<const std::byte> bytes(tensor.data(), tensor.bytes());
  const auto dirty = [](std::byte b) { return b > std::byte{1}; };
  if (std::none_of(bytes.begin(), bytes.end(), dirty)) return tensor;
  HONE_ASSIGN(Tensor clean, Tensor::make(DataType::kBool, tensor.dims()));
  std::transform(bytes.begin(), bytes.end(), clean.mutable_data(),
                 [](std::byte b) { return b == std::byte{0} ? b : std::byte{1}; });
  return clean;
}

Status wrong_number(uint32_t field, uint64_t expected, bool more) {
  return invalid_model(std::string(field_name(field)) + " holds " + (more ? "more" : "less") + " than the " +
                       std::to_string(expected) + " values that the dims ask for");
}

// Copies the integers of `field` into `out`; each must fit T, read as signed or unsigned.
template <class T>
Status fill_integers(WireReader& reader, uint32_t field, std::span<T> out) {
  constexpr int kBits = 8 * sizeof(T);
  size_t n = 0;
  int64_t value = 0;
  while (reader.next()) {
    if (reader.field() != field) continue;
    while (reader.next_integer(value)) {
      if (n == out.size()) return wrong_number(field, out.size(), true);
      if constexpr (kBits < 64) {
        if (value < -(int64_t{1} << (kBits - 1)) || value >= int64_t{1} << kBits) {
          return invalid_model(std::string(field_name(field)) + " holds " + std::to_string(value) +
                               ", which doesn't fit " + std::to_string(kBits) + " bits");
        }
      }
      out[n++] = static_cast<T>(value);
    }
  }
  return n < out.size() ? wrong_number(field, out.size(), false) : Status();
}

Status fill_floats(WireReader& reader, std::span<float> out) {
  size_t n = 0;
  float value = 0;
  while (reader.next()) {
    if (reader.field() != kFloatData) continue;
    while (reader.next_single(value)) {
      if (n == out.size()) return wrong_number(kFloatData, out.size(), true);
      out[n++] = value;
    }
  }
  return n < out.size() ? wrong_number(kFloatData, out.size(), false) : Status();
}

Status fill_doubles(WireReader& reader, std::span<double> out) {
  size_t n = 0;
  double value = 0;
  while (reader.next()) {
    if (reader.field() != kDoubleData) continue;
    while (reader.next_double(value)) {
      if (n == out.size()) return wrong_number(kDoubleData, out.size(), true);
      out[n++] = value;
    }
  }
  return n < out.size() ? wrong_number(kDoubleData, out.size(), false) : Status();
}

template <class T>
std::span<T> as(std::byte* data, size_t bytes) {
  return {reinterpret_cast<T*>(data), bytes / sizeof(T)};
}

Status fill(WireReader& reader, uint32_t field, DataType dtype, std::byte* data, size_t bytes) {
  if (field == kFloatData) return fill_floats(reader, as<float>(data, bytes));
  if (field == kDoubleData) return fill_doubles(reader, as<double>(data, bytes));
  switch (bits_of(dtype)) {
    case 64: return fill_integers(reader, field, as<uint64_t>(data, bytes));
    case 32: return fill_integers(reader, field, as<uint32_t>(data, bytes));
    case 16: return fill_integers(reader, field, as<uint16_t>(data, bytes));
    default: return fill_integers(reader, field, as<uint8_t>(data, bytes));  // packed types: a byte per value
  }
}

}  // namespace

struct TensorReader::Fields {
  std::string_view message, name;
  Extents dims;
  size_t rank = 0;  // dims.size(), or more than it can hold
  int64_t data_type = 0;
  std::optional<std::string_view> raw;
  size_t raw_header = 0;
  uint32_t typed = 0;      // bit n: field n has contents
  size_t typed_bytes = 0;  // encoded
  bool external = false, segment = false;
  ExternalLocation where;

  DataType dtype() const { return static_cast<DataType>(data_type); }
};

Result<TensorReader::Fields> TensorReader::read_fields(std::string_view message) const {
  const char* start = reinterpret_cast<const char*>(file_.bytes.data());
  Fields fields{.message = message};
  WireReader reader(message, start);
  while (reader.next()) {
    switch (const uint32_t field = reader.field()) {
      case kDims:
        for (int64_t dim = 0; reader.next_integer(dim); ++fields.rank) {
          if (fields.rank < kMaxRank) fields.dims.push_back(dim);
        }
        break;
      case kDataType: fields.data_type = reader.integer(); break;
      case kSegment: fields.segment = true; break;
      case kName: fields.name = reader.bytes(); break;
      case kRawData:
        fields.raw = reader.bytes();
        fields.raw_header = reader.header_bytes();
        break;
      case kFloatData:
      case kInt32Data:
      case kStringData:
      case kInt64Data:
      case kDoubleData:
      case kUint64Data: {
        const size_t bytes = reader.payload_bytes();
        // An empty packed list is as good as none; an empty string is a string.
        if (bytes > 0 || field == kStringData) fields.typed |= 1u << field;
        fields.typed_bytes += bytes;
        break;
      }
      case kExternalData: HONE_TRY(read_entry(reader.bytes(), start, fields.where)); break;
      case kDataLocation: fields.external = reader.integer() == kExternal; break;
      default: break;
    }
  }
  HONE_TRY(std::move(reader).finish().with_context("tensor '" + std::string(fields.name) + "'"));
  return fields;
}

Status TensorReader::check(const Fields& fields, bool allow_external) const {
  if (fields.data_type <= 0 || fields.data_type >= kDataTypeCount) {
    return invalid_model(fields.data_type == 0 ? std::string("has no data_type")
                                               : "has the unknown data_type " + std::to_string(fields.data_type));
  }
  if (fields.rank > kMaxRank) {
    return unsupported("has rank " + std::to_string(fields.rank) + "; the limit is " + std::to_string(kMaxRank));
  }
  if (fields.segment) return unsupported("is split into segments");
  const int sources = (fields.raw ? 1 : 0) + __builtin_popcount(fields.typed) + (fields.external ? 1 : 0);
  if (sources > 1) {
    return invalid_model("has its contents in more than one place (raw_data, typed data or external data)");
  }
  if (!fields.external) return {};
  if (!allow_external) return invalid_model("refers to external data, which only initializers may");
  if (external_ == nullptr) {
    return invalid_argument(
        "refers to external data, but the model was given as bytes; give the folder that holds "
        "its data files, or load the model by its path");
  }
  return {};
}

Result<NamedTensor> TensorReader::read(std::string_view message, bool allow_external) {
  HONE_ASSIGN(const Fields fields, read_fields(message));
  const std::string where =
      fields.name.empty() ? "a tensor without a name" : "tensor '" + std::string(fields.name) + "'";
  HONE_TRY(check(fields, allow_external).with_context(where));
  HONE_ASSIGN(Tensor tensor, contents(fields).with_context(where));
  HONE_ASSIGN(tensor, with_clean_bools(std::move(tensor)));
  return NamedTensor{fields.name, std::move(tensor)};
}

Result<Tensor> TensorReader::contents(const Fields& fields) {
  Result<int64_t> count = checked_count(fields.dims);
  if (!count.ok()) return invalid_model(count.status().message());
  if (fields.dtype() == DataType::kString) return string_contents(fields, *count);
  Result<size_t> bytes = checked_bytes(fields.dtype(), *count);
  if (!bytes.ok()) return invalid_model(bytes.status().message());
  if (fields.external) return external_->read(fields.where, fields.dtype(), fields.dims, *bytes);
  if (fields.raw) return raw_contents(fields, *bytes);
  return typed_contents(fields, *count);
}

Result<Tensor> TensorReader::raw_contents(const Fields& fields, size_t bytes) {
  if (fields.raw->size() != bytes) {
    return invalid_model("raw_data has " + std::to_string(fields.raw->size()) + " bytes, but " +
                         std::string(name_of(fields.dtype())) + to_string(fields.dims) + " needs " +
                         std::to_string(bytes));
  }
  const auto* data = reinterpret_cast<const std::byte*>(fields.raw->data());
  const size_t shift = reinterpret_cast<uintptr_t>(data) % alignment_of(fields.dtype());
  if (shift == 0) return Tensor::share(fields.dtype(), fields.dims, data, file_.owner);
  if (file_.exclusive && shift <= fields.raw_header) {
    // Over the tag and length in front, which have been read.
    auto* moved = const_cast<std::byte*>(data) - shift;
    std::memmove(moved, data, bytes);
    return Tensor::share(fields.dtype(), fields.dims, moved, file_.owner);
  }
  HONE_TRY(budget_.charge(bytes, "an aligned copy"));
  HONE_ASSIGN(Tensor tensor, Tensor::make(fields.dtype(), fields.dims));
  if (bytes > 0) std::memcpy(tensor.mutable_data(), data, bytes);
  return tensor;
}

Result<Tensor> TensorReader::typed_contents(const Fields& fields, int64_t count) {
  const uint32_t field = typed_field(fields.dtype());
  if (fields.typed != 0 && fields.typed != 1u << field) {
    const auto found = static_cast<uint32_t>(__builtin_ctz(fields.typed));
    return invalid_model("is of type " + std::string(name_of(fields.dtype())) + ", whose contents belong into " +
                         std::string(field_name(field)) + " or raw_data, but has " + std::string(field_name(found)));
  }
  HONE_ASSIGN(const size_t bytes, checked_bytes(fields.dtype(), count));
  // Each value takes at least one encoded byte, so a small file can't ask for much memory.
  const size_t values = bits_of(fields.dtype()) < 8 ? bytes : static_cast<size_t>(count);
  if (values > fields.typed_bytes) {
    if (fields.typed == 0) return invalid_model("has no contents, but its dims are " + to_string(fields.dims));
    return wrong_number(field, values, false);
  }
  HONE_TRY(budget_.charge(bytes, "its contents"));
  HONE_ASSIGN(Tensor tensor, Tensor::make(fields.dtype(), fields.dims));
  WireReader reader(fields.message, reinterpret_cast<const char*>(file_.bytes.data()));
  HONE_TRY(fill(reader, field, fields.dtype(), tensor.mutable_data(), bytes));
  HONE_TRY(std::move(reader).finish());
  return tensor;
}

Result<Tensor> TensorReader::string_contents(const Fields& fields, int64_t count) {
  if (fields.raw || fields.external || (fields.typed != 0 && fields.typed != 1u << kStringData)) {
    return invalid_model("is of type string, whose contents belong into string_data");
  }
  std::vector<std::string> strings;
  WireReader reader(fields.message, reinterpret_cast<const char*>(file_.bytes.data()));
  while (reader.next()) {
    if (reader.field() != kStringData) continue;
    const std::string_view text = reader.bytes();
    HONE_TRY(budget_.charge(2 * sizeof(std::string) + text.size(), "its strings"));
    strings.emplace_back(text);
  }
  HONE_TRY(std::move(reader).finish());
  if (strings.size() != static_cast<uint64_t>(count)) {
    return wrong_number(kStringData, static_cast<uint64_t>(count), strings.size() > static_cast<uint64_t>(count));
  }
  return Tensor::of_strings(fields.dims, std::move(strings));
}

}  // namespace hone::onnx
