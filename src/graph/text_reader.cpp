#include "graph/text_reader.h"

#include <algorithm>
#include <charconv>

#include "base/escape.h"

namespace hone {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_word(char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '#'; }
bool in_value(char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '/' || c == '-'; }
bool in_number(char c) { return is_letter(c) || is_digit(c) || c == '.'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

constexpr size_t kMaxShownBytes = 40;  // of a token in a message

}  // namespace

void TextReader::fail_at(size_t line, std::string_view message) {
  if (status_.ok()) {
    status_ = invalid_model("line " + std::to_string(line) + " of the graph's text: " + std::string(message));
  }
  kind_ = Kind::kEnd;
  token_ = {};
  position_ = text_.size();
}

void TextReader::unexpected(std::string_view wanted) {
  const std::string found = kind_ == Kind::kEnd ? "the end" : quoted(token_.substr(0, kMaxShownBytes));
  fail_at(line_, "expected " + std::string(wanted) + ", found " + found);
}

void TextReader::skip_blanks() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == '/' && text_.substr(position_, 2) == "//") {
      position_ = std::min(text_.find('\n', position_), text_.size());
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      line_ += c == '\n';
      ++position_;
    } else {
      return;
    }
  }
}

size_t TextReader::scan_while(bool (*belongs)(char), size_t from) const {
  size_t end = from;
  while (end < text_.size() && belongs(text_[end])) ++end;
  return end - position_;
}

size_t TextReader::scan_number() const {
  const bool hexadecimal = text_.substr(position_, 2) == "0x";
  size_t end = position_ + 1;  // past the sign or the first digit
  while (end < text_.size()) {
    const bool exponent_sign = (text_[end] == '+' || text_[end] == '-') && text_[end - 1] == 'e' && !hexadecimal;
    if (!in_number(text_[end]) && !exponent_sign) break;
    ++end;
  }
  return end - position_;
}

size_t TextReader::scan_string() {
  for (size_t end = position_ + 1; end < text_.size() && text_[end] != '\n'; ++end) {
    if (text_[end] == '"') return end + 1 - position_;
    if (text_[end] == '\\') ++end;
  }
  fail_at(line_, "a string has no closing quote");
  return 0;
}

bool TextReader::at_negative() const {
  const std::string_view next = text_.substr(position_, 4);
  return next.size() > 1 && next[0] == '-' && (is_digit(next[1]) || next == "-inf");
}

void TextReader::advance() {
  last_line_ = line_;
  skip_blanks();
  token_ = {};
  if (position_ == text_.size()) {
    kind_ = Kind::kEnd;
    return;
  }
  const char c = text_[position_];
  size_t length = 1;
  if (c == '"') {
    kind_ = Kind::kString;
    length = scan_string();
    if (!ok()) return;
  } else if (c == '%' || c == '$') {
    kind_ = c == '%' ? Kind::kValue : Kind::kStep;
    ++position_;
    const bool in_quotes = c == '%' && position_ < text_.size() && text_[position_] == '"';
    length = in_quotes ? scan_string() : scan_while(c == '%' ? in_value : is_digit, position_);
    if (!ok()) return;
  } else if (is_letter(c)) {
    kind_ = Kind::kWord;
    length = scan_while(in_word, position_);
  } else if (is_digit(c) || at_negative()) {
    kind_ = Kind::kNumber;
    length = scan_number();
  } else {
    kind_ = Kind::kSign;
    for (const std::string_view sign : {"...", "<=", "=="}) {
      if (text_.substr(position_, sign.size()) == sign) length = sign.size();
    }
  }
  token_ = text_.substr(position_, length);
  position_ += length;
}

bool TextReader::accept(std::string_view token) {
  if (!at(token)) return false;
  advance();
  return true;
}

void TextReader::expect(std::string_view token) {
  if (!accept(token)) unexpected("'" + std::string(token) + "'");
}

std::string TextReader::unescape(std::string_view raw) {
  std::string out;
  for (size_t i = 1; i + 1 < raw.size(); ++i) {
    if (raw[i] != '\\') {
      out += raw[i];
      continue;
    }
    const char c = raw[++i];
    constexpr std::string_view kLetters = "nrt\"\\", kMeanings = "\n\r\t\"\\";
    const size_t letter = kLetters.find(c);
    const int high = c == 'x' && i + 2 < raw.size() ? hex_digit(raw[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(raw[i + 2]) : -1;
    if (letter != std::string_view::npos) {
      out += kMeanings[letter];
    } else if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      fail_at(line_, "a string has an unknown escape after '\\'");
      return {};
    }
  }
  return out;
}

std::string TextReader::take_string() {
  if (kind_ != Kind::kString) {
    unexpected("a string in quotes");
    return {};
  }
  std::string text = unescape(token_);
  if (ok()) advance();
  return text;
}

std::string TextReader::take_name() {
  return kind_ == Kind::kString ? take_string() : std::string(take_word("a name"));
}

std::string_view TextReader::take_word(std::string_view what) {
  const std::string_view word = token_;
  if (kind_ != Kind::kWord) {
    unexpected(what);
    return {};
  }
  advance();
  return word;
}

std::string TextReader::take_value() {
  if (kind_ != Kind::kValue || token_.empty()) {
    unexpected("a value (%name)");
    return {};
  }
  std::string name = token_[0] == '"' ? unescape(token_) : std::string(token_);
  if (name.empty()) fail("a value's name is empty");
  if (ok()) advance();
  return name;
}

int32_t TextReader::take_step_number() {
  int32_t number = 0;
  const auto [end, error] = std::from_chars(token_.data(), token_.data() + token_.size(), number);
  if (kind_ != Kind::kStep || error != std::errc() || end != token_.data() + token_.size()) {
    unexpected("a number of the body ($0)");
    return 0;
  }
  advance();
  return number;
}

std::string_view TextReader::take_number() {
  const std::string_view number = token_;
  if (kind_ != Kind::kNumber) {
    unexpected("a number");
    return {};
  }
  advance();
  return number;
}

bool TextReader::at_fraction() const {
  if (at("inf") || at("nan")) return true;
  return kind_ == Kind::kNumber && token_.substr(0, 2) != "0x" && token_.find_first_of(".ei") != std::string_view::npos;
}

int64_t TextReader::take_integer() {
  const std::string_view digits = take_number();
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (ok() && (error != std::errc() || end != digits.data() + digits.size())) {
    fail("'" + std::string(digits.substr(0, kMaxShownBytes)) + "' isn't a 64-bit integer");
  }
  return ok() ? value : 0;
}

}  // namespace hone
