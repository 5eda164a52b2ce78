#include "base/escape.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace hone {

namespace {

struct Character {
  size_t bytes = 0;  // 0: not UTF-8
  uint32_t code = 0;
};

Character decode(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return {1, first};
  const size_t bytes = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (bytes == 0 || first >= 0xf5 || bytes > text.size()) return {};
  uint32_t code = first & (0x7f >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kSmallest[bytes] || code > 0x10ffff || surrogate) return {};
  return {bytes, code};
}

// Unicode's control, format and separator characters, and what isn't a character.
bool is_printable(uint32_t code) {
  constexpr struct {
    uint32_t first, last;
  } kHidden[] = {{0, 0x1f},        {0x7f, 0xa0},     {0xad, 0xad},     {0x600, 0x605},     {0x61c, 0x61c},
                 {0x6dd, 0x6dd},   {0x70f, 0x70f},   {0x180b, 0x180f}, {0x2000, 0x200f},   {0x2028, 0x202f},
                 {0x205f, 0x206f}, {0x3000, 0x3000}, {0x3164, 0x3164}, {0xe000, 0xf8ff},   {0xfe00, 0xfe0f},
                 {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xffff}, {0xe0000, 0x10ffff}};
  return std::none_of(std::begin(kHidden), std::end(kHidden),
                      [&](const auto& range) { return code >= range.first && code <= range.last; });
}

void append_escaped(std::string& out, char c) {
  constexpr char kDigits[] = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\t': out += "\\t"; return;
    case '\r': out += "\\r"; return;
    default: break;
  }
  const auto byte = static_cast<uint8_t>(c);
  out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

// Appends `text` with what isn't printable, and what `also` names, escaped.
void append(std::string& out, std::string_view text, std::string_view also) {
  while (!text.empty()) {
    const Character next = decode(text);
    const size_t bytes = std::max<size_t>(next.bytes, 1);
    const bool plain = next.bytes > 0 && is_printable(next.code) && also.find(text[0]) == std::string_view::npos;
    if (plain) {
      out += text.substr(0, bytes);
    } else {
      for (const char c : text.substr(0, bytes)) append_escaped(out, c);
    }
    text.remove_prefix(bytes);
  }
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append(out, text, "\"\\");
  return out + "\"";
}

std::string printable(std::string_view text) {
  std::string out;
  append(out, text, "");
  return out;
}

}  // namespace hone
