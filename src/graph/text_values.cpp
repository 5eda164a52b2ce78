#include "graph/text_values.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/dispatch.h"

namespace hone {

namespace {

// No operator has nearly as many.
constexpr size_t kMaxAttributes = 256;

// The bits of a NaN written as nan(0x...); the type's quiet one without them.
uint64_t read_nan_bits(TextReader& reader, uint64_t quiet) {
  if (!reader.accept("(")) return quiet;
  const std::string_view text = reader.take_number();
  reader.expect(")");
  uint64_t bits = 0;
  const bool hexadecimal = text.substr(0, 2) == "0x";
  const auto [end, error] = std::from_chars(text.data() + (hexadecimal ? 2 : 0), text.data() + text.size(), bits, 16);
  if (reader.ok() && (!hexadecimal || error != std::errc() || end != text.data() + text.size())) {
    reader.fail("a NaN's bits must be hexadecimal, as in nan(0x7fc00001)");
  }
  return bits;
}

template <class F>
F read_decimal(TextReader& reader) {
  if (reader.accept("inf")) return std::numeric_limits<F>::infinity();
  const std::string_view text = reader.take_number();
  F value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (reader.ok() && (error != std::errc() || end != text.data() + text.size())) reader.fail("a float is malformed");
  return value;
}

// T: float or double, and Half or BFloat16, which are written as the float they stand for.
template <class T, class Bits>
T read_floating(TextReader& reader, Bits quiet_nan) {
  using Number = std::conditional_t<std::is_same_v<T, double>, double, float>;
  if (!reader.accept("nan")) return T(read_decimal<Number>(reader));
  const uint64_t bits = read_nan_bits(reader, quiet_nan);
  const T value = std::bit_cast<T>(static_cast<Bits>(bits));
  if (reader.ok() && (!std::in_range<Bits>(bits) || !std::isnan(static_cast<Number>(value)))) {
    reader.fail("these bits aren't those of a NaN of this type");
  }
  return value;
}

template <class T>
T read_element(TextReader& reader) {
  if constexpr (std::is_same_v<T, float>) {
    return read_floating<T>(reader, uint32_t{0x7fc00000});
  } else if constexpr (std::is_same_v<T, double>) {
    return read_floating<T>(reader, uint64_t{0x7ff8000000000000});
  } else if constexpr (std::is_same_v<T, Half>) {
    return read_floating<T>(reader, uint16_t{0x7e00});
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return read_floating<T>(reader, uint16_t{0x7fc0});
  } else if constexpr (std::is_same_v<T, uint64_t>) {
    const std::string_view text = reader.take_number();
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (reader.ok() && (error != std::errc() || end != text.data() + text.size())) reader.fail("not a uint64");
    return value;
  } else {
    const int64_t value = reader.take_integer();
    if (!std::in_range<T>(value)) reader.fail(std::to_string(value) + " is out of the element type's range");
    return static_cast<T>(value);
  }
}

// Calls `read_item` for each item up to `close`.
template <class F>
void read_list(TextReader& reader, std::string_view close, F read_item) {
  if (reader.accept(close)) return;
  do {
    read_item();
  } while (reader.accept(","));
  reader.expect(close);
}

template <class T>
std::vector<std::byte> read_elements(TextReader& reader) {
  std::vector<std::byte> bytes;
  read_list(reader, ")", [&] {
    const T value = read_element<T>(reader);
    const auto* raw = reinterpret_cast<const std::byte*>(&value);
    bytes.insert(bytes.end(), raw, raw + sizeof(T));
  });
  return bytes;
}

// x"0f3a" up to the closing parenthesis.
std::vector<std::byte> read_hexadecimal(TextReader& reader) {
  reader.expect("x");
  const std::string text = reader.take_string();
  reader.expect(")");
  std::vector<std::byte> bytes;
  for (size_t i = 0; i < text.size() && reader.ok(); i += 2) {
    uint8_t value = 0;
    const char* end = text.data() + std::min(i + 2, text.size());
    const auto [stop, error] = std::from_chars(text.data() + i, end, value, 16);
    if (error != std::errc() || stop != text.data() + i + 2) reader.fail("hexadecimal bytes are malformed");
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

std::vector<std::byte> read_contents(TextReader& reader, DataType dtype) {
  std::vector<std::byte> bytes;
  if (dtype == DataType::kBool) {
    bytes = read_elements<uint8_t>(reader);
    for (const std::byte value : bytes) {
      if (value > std::byte{1}) reader.fail("a bool must be 0 or 1");
    }
    return bytes;
  }
  const Status numbers = visit_type(dtype, NumberTypes{}, [&]<class T>() {
    bytes = read_elements<T>(reader);
    return Status();
  });
  return numbers.ok() ? bytes : read_hexadecimal(reader);
}

Tensor read_strings(TextReader& reader, const Extents& dims, int64_t count) {
  Strings strings;
  read_list(reader, ")", [&] { strings.push_back(reader.take_string()); });
  if (reader.ok() && static_cast<int64_t>(strings.size()) != count)
    reader.fail("the shape asks for another number of strings");
  return reader.ok() ? Tensor::of_strings(dims, std::move(strings)) : Tensor();
}

Tensor read_inline(TextReader& reader, DataType dtype, const Extents& dims, size_t wanted_bytes) {
  if (reader.at("...")) {
    reader.fail("the contents of a constant were left out: this text was printed for reading only");
    return {};
  }
  const std::vector<std::byte> bytes = read_contents(reader, dtype);
  if (reader.ok() && bytes.size() != wanted_bytes) {
    reader.fail("a tensor of " + to_string(dims) + " " + std::string(name_of(dtype)) + " has contents of " +
                std::to_string(bytes.size()) + " bytes instead of " + std::to_string(wanted_bytes));
  }
  if (!reader.ok()) return {};
  Result<Tensor> tensor = Tensor::make(dtype, dims);
  reader.check(tensor.status());
  if (!reader.ok()) return {};
  std::copy(bytes.begin(), bytes.end(), tensor->mutable_data());
  return *std::move(tensor);
}

Tensor read_reference(TextReader& reader, DataType dtype, const Extents& dims, size_t wanted_bytes,
                      const TextWeights& weights) {
  const int64_t offset = reader.take_integer();
  reader.expect(":");
  const int64_t bytes = reader.take_integer();
  if (!reader.ok()) return {};
  const uint64_t size = weights.bytes.size();
  if (offset < 0 || bytes < 0 || static_cast<uint64_t>(offset) > size || static_cast<uint64_t>(bytes) > size - offset) {
    reader.fail("a constant lies outside the weights, which have " + std::to_string(size) + " bytes");
    return {};
  }
  const std::byte* data = weights.bytes.data() + offset;
  const size_t alignment = std::max<size_t>(bytes_of(dtype), 1);
  if (static_cast<size_t>(bytes) != wanted_bytes || reinterpret_cast<uintptr_t>(data) % alignment != 0) {
    reader.fail("a constant's place in the weights doesn't fit its type");
    return {};
  }
  return Tensor::share(dtype, dims, data, weights.owner);
}

Extents read_dims(TextReader& reader) {
  std::vector<int64_t> dims;
  reader.expect("[");
  read_list(reader, "]", [&] { dims.push_back(reader.take_integer()); });
  if (dims.size() > kMaxRank) reader.fail("a tensor's rank is above " + std::to_string(kMaxRank));
  return reader.ok() ? Extents(dims) : Extents();
}

}  // namespace

Tensor read_tensor(TextReader& reader, const TextWeights& weights) {
  const std::string_view name = reader.take_word("an element type");
  const std::optional<DataType> dtype = data_type_from_name(name);
  if (!dtype) reader.fail("'" + std::string(name) + "' isn't an element type");
  const Extents dims = read_dims(reader);
  const Result<int64_t> count = checked_count(dims);
  reader.check(count.status());
  if (!reader.ok()) return {};
  const bool reference = reader.accept("@");
  if (!reference) reader.expect("(");
  if (*dtype == DataType::kString) {
    if (reference) reader.fail("strings can't lie in the weights");
    return read_strings(reader, dims, *count);
  }
  const Result<size_t> bytes = checked_bytes(*dtype, *count);
  reader.check(bytes.status());
  if (!reader.ok()) return {};
  return reference ? read_reference(reader, *dtype, dims, *bytes, weights) : read_inline(reader, *dtype, dims, *bytes);
}

namespace {

// The items after an opening bracket.
template <class T, class F>
std::vector<T> read_items(TextReader& reader, F read_item) {
  std::vector<T> items;
  read_list(reader, "]", [&] { items.push_back(read_item()); });
  return items;
}

AttrValue read_attribute_list(TextReader& reader, std::string_view word) {
  const auto string = [&] { return reader.take_string(); };
  const auto number = [&] { return read_element<float>(reader); };
  const auto integer = [&] { return reader.take_integer(); };
  reader.expect("[");
  if (word == "strings" || reader.kind() == TextReader::Kind::kString) return read_items<std::string>(reader, string);
  if (word == "floats" || reader.at_fraction()) return read_items<float>(reader, number);
  return read_items<int64_t>(reader, integer);
}

AttrValue read_attribute(TextReader& reader, const TextWeights& weights) {
  if (reader.at("[")) return read_attribute_list(reader, "");
  for (const std::string_view word : {"ints", "floats", "strings"}) {
    if (reader.accept(word)) return read_attribute_list(reader, word);
  }
  if (reader.kind() == TextReader::Kind::kString) return reader.take_string();
  if (reader.at_fraction()) return read_element<float>(reader);
  if (reader.kind() == TextReader::Kind::kNumber) return reader.take_integer();
  return read_tensor(reader, weights);
}

}  // namespace

AttrMap read_attributes(TextReader& reader, const TextWeights& weights) {
  AttrMap attributes;
  if (!reader.accept("{")) return attributes;
  read_list(reader, "}", [&] {
    std::string name = reader.take_name();
    const bool repeated = std::any_of(attributes.begin(), attributes.end(),
                                      [&](const auto& attribute) { return attribute.first == name; });
    if (repeated) reader.fail("an attribute is given twice");
    if (attributes.size() == kMaxAttributes) reader.fail("a node has too many attributes");
    reader.expect("=");
    attributes.emplace_back(std::move(name), read_attribute(reader, weights));
  });
  return attributes;
}

}  // namespace hone
