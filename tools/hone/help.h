// How --help looks.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace hone::cli {

// `left` and `right` side by side; `right` is wrapped, and begins on a line of its own where `left` is too long.
std::string two_columns(const std::string& left, const std::string& right);

// Two columns with wrapped descriptions; defaults after the description, groups apart by one empty line. What an option
// or argument takes is its option_text().
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_group(std::string group, bool is_positional, std::vector<const CLI::Option*> options) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
};

}  // namespace hone::cli
