#include "graph/text_literal.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "base/dispatch.h"
#include "base/escape.h"
#include "graph/text.h"

namespace hone {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool all_of(std::string_view name, std::string_view more) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return is_letter(c) || is_digit(c) || more.find(c) != std::string_view::npos;
  });
}

std::string hex(uint64_t bits, int digits) {
  std::string text(static_cast<size_t>(digits), '0');
  for (size_t i = text.size(); i-- > 0; bits >>= 4) text[i] = "0123456789abcdef"[bits & 15];
  return text;
}

template <class F>
std::string print_finite(F value) {
  char buffer[40];
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

template <class F, class Bits>
std::string print_any(F value, Bits quiet_nan) {
  if (!std::isnan(value)) return print_finite(value);
  const Bits bits = std::bit_cast<Bits>(value);
  return bits == quiet_nan ? "nan" : "nan(0x" + hex(bits, sizeof(Bits) * 2) + ")";
}

// Elements of the 16-bit types print as the float they stand for; a NaN's bits are those of 16.
template <class T>
std::string print_short(T value, uint16_t quiet_nan) {
  if (!std::isnan(static_cast<float>(value))) return print_finite(static_cast<float>(value));
  return value.bits == quiet_nan ? "nan" : "nan(0x" + hex(value.bits, 4) + ")";
}

std::string print_element(float value) { return print_float(value); }
std::string print_element(double value) { return print_float(value); }
std::string print_element(Half value) { return print_short(value, 0x7e00); }
std::string print_element(BFloat16 value) { return print_short(value, 0x7fc0); }
std::string print_element(std::integral auto value) { return std::to_string(value); }

std::string print_bytes(const Tensor& tensor) {
  std::string text = "x\"";
  for (size_t i = 0; i < tensor.bytes(); ++i) text += hex(static_cast<uint64_t>(tensor.data()[i]), 2);
  return text + "\"";
}

template <class List, class Print>
std::string print_list(const List& list, Print print) {
  std::string text;
  for (const auto& item : list) text += (text.empty() ? "" : ", ") + print(item);
  return text;
}

template <class T>
std::string print_bracketed(const std::vector<T>& list, const char* word) {
  if (list.empty()) return std::string(word) + "[]";
  std::string text;
  for (const T& item : list) {
    text += text.empty() ? '[' : ',';
    text += print_attribute(item);
  }
  return text + "]";
}

}  // namespace

bool is_bare_value(std::string_view name) { return all_of(name, "./-"); }

bool is_bare_name(std::string_view name) { return all_of(name, ".") && is_letter(name[0]) && name != "_"; }

bool is_dim_word(std::string_view name) {
  constexpr std::string_view kWords[] = {"floordiv", "ceildiv", "mod", "min", "max", "broadcast", "invalid"};
  return std::find(std::begin(kWords), std::end(kWords), name) != std::end(kWords);
}

bool is_bare_symbol(std::string_view name) {
  return all_of(name, ".#") && is_letter(name[0]) && name != "_" && !is_dim_word(name);
}

std::string print_float(float value) { return print_any(value, uint32_t{0x7fc00000}); }
std::string print_float(double value) { return print_any(value, uint64_t{0x7ff8000000000000}); }

std::string print_tensor_type(const Tensor& tensor) {
  return std::string(name_of(tensor.dtype())) + to_string(tensor.dims());
}

std::string print_tensor(const Tensor& tensor) {
  std::string contents;
  if (tensor.dtype() == DataType::kString) {
    contents = print_list(tensor.strings(), quoted);
  } else if (tensor.dtype() == DataType::kBool) {
    contents = print_list(std::span(reinterpret_cast<const uint8_t*>(tensor.data()), tensor.bytes()),
                          [](uint8_t value) { return std::to_string(value); });
  } else {
    const Status numbers = visit_type(tensor.dtype(), NumberTypes{}, [&]<class T>() {
      contents = print_list(tensor.values<T>(), [](T value) { return print_element(value); });
      return Status();
    });
    if (!numbers.ok()) contents = print_bytes(tensor);
  }
  return print_tensor_type(tensor) + "(" + contents + ")";
}

std::string print_attribute(const AttrValue& value) {
  struct Printer {
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(float v) const { return print_float(v); }
    std::string operator()(const std::string& v) const { return quoted(v); }
    std::string operator()(const Ints& v) const { return print_bracketed(v, "ints"); }
    std::string operator()(const Floats& v) const { return print_bracketed(v, "floats"); }
    std::string operator()(const Strings& v) const { return print_bracketed(v, "strings"); }
    std::string operator()(const Tensor& v) const { return print_tensor(v); }
  };
  return std::visit(Printer{}, value);
}

std::string print_attributes(const AttrMap& attributes) {
  std::string text;
  for (const auto& [name, value] : attributes) {
    text += text.empty() ? "{" : ", ";
    text += (is_bare_name(name) ? name : quoted(name)) + "=" + print_attribute(value);
  }
  return text.empty() ? text : text + "}";
}

}  // namespace hone
