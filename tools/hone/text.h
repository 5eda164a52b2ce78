// Text for terminals: names from files made harmless, numbers with units, aligned tables.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone::cli {

// The text with everything that could move a terminal's cursor or mislead a reader written as \xNN or \uNNNN: control
// characters, escapes, invalid UTF-8 and the marks that reverse the direction of writing. For whatever comes out of a
// file. `keep_lines`: line feeds and tabs stay.
std::string printable(std::string_view text, bool keep_lines = false);

// "0 B", "731 B", "14.0 KiB", "2.31 GiB".
std::string human_bytes(int64_t bytes);
// "1,234,567".
std::string grouped(int64_t number);
// `digits` after the point: "12.50".
std::string fixed(double value, int digits);
// Six significant digits, as a stream prints them: "0.0362824", "7e-05".
std::string significant(double value);
// The same without an exponent: "0.00007".
std::string plain(double value);
// "[1,3,640,640]"
std::string shape_text(std::span<const int64_t> dims);

// Rows of cells, aligned when printed; columns are separated by two blanks.
class Table {
 public:
  enum class Align { kLeft, kRight };
  // An empty header line is left out.
  Table(std::vector<std::string> header, std::vector<Align> align)
      : align_(std::move(align)), rows_{std::move(header)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() == 1; }
  // Each line begins with `indent` and ends with a line feed. Cells longer than `max_cell` characters are cut.
  std::string text(std::string_view indent = "", size_t max_cell = 60) const;

 private:
  std::vector<Align> align_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace hone::cli
