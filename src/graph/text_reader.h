// Tokens of the graph's text form. The text may be hostile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hone/status.h"

namespace hone {

// Reads one token after the other. The first failure is kept with its line; from then on the text seems to be at its
// end, so that every loop over tokens stops.
class TextReader {
 public:
  enum class Kind : uint8_t { kEnd, kWord, kValue, kStep, kNumber, kString, kSign };

  explicit TextReader(std::string_view text) : text_(text) { advance(); }

  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  void fail(std::string_view message) { fail_at(last_line_, message); }  // about what was taken last
  // Keeps a status that another function found.
  void check(const Status& status) {
    if (!status.ok()) fail(status.message());
  }

  Kind kind() const { return kind_; }
  // Whether the next token is this word or sign.
  bool at(std::string_view token) const { return (kind_ == Kind::kWord || kind_ == Kind::kSign) && token_ == token; }
  // Takes the token if it is next.
  bool accept(std::string_view token);
  void expect(std::string_view token);

  // Take the next token, which must be of that kind.
  std::string take_string();   // STRING, unescaped
  std::string take_name();     // a word or a STRING
  std::string take_value();    // %name
  int32_t take_step_number();  // $number, not negative
  int64_t take_integer();
  std::string_view take_word(std::string_view what);  // `what`: for the message
  std::string_view take_number();                     // as written, with its sign
  // Whether the next token is a number that isn't an integer: it has a fraction or an exponent, or is inf or nan.
  bool at_fraction() const;

 private:
  void fail_at(size_t line, std::string_view message);
  void advance();
  void skip_blanks();
  bool at_negative() const;  // "-1", "-inf"
  // The length of the token that starts at position_, by its first character.
  size_t scan_string();
  size_t scan_number() const;
  size_t scan_while(bool (*belongs)(char), size_t from) const;
  std::string unescape(std::string_view raw);
  void unexpected(std::string_view wanted);

  std::string_view text_;
  size_t position_ = 0;
  size_t line_ = 1;       // of the next token
  size_t last_line_ = 1;  // of the token before
  Kind kind_ = Kind::kEnd;
  std::string_view token_;  // strings with their quotes, values and steps without their sign
  Status status_;
};

}  // namespace hone
