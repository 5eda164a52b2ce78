#include "tools/hone/help.h"

namespace hone::cli {

namespace {

constexpr size_t kLeftColumn = 30, kLineWidth = 100;

}  // namespace

std::string two_columns(const std::string& left, const std::string& right) {
  std::string out = "  " + left;
  std::string line = out.size() + 2 > kLeftColumn ? "" : out + std::string(kLeftColumn - out.size(), ' ');
  if (line.empty()) {
    out += "\n";
    line = std::string(kLeftColumn, ' ');
  } else {
    out.clear();
  }
  for (size_t at = 0; at < right.size();) {
    const size_t end = std::min(right.find(' ', at), right.size());
    const std::string word = right.substr(at, end - at);
    if (line.size() + 1 + word.size() > kLineWidth && line.size() > kLeftColumn) {
      out += line + "\n";
      line = std::string(kLeftColumn, ' ');
    }
    line += (line.size() > kLeftColumn ? " " : "") + word;
    at = end + 1;
  }
  return out + line + "\n";
}

std::string HelpFormatter::make_group(std::string group, bool is_positional,
                                      std::vector<const CLI::Option*> options) const {
  std::string out = "\n" + (is_positional ? std::string("Arguments") : group) + ":\n";
  for (const CLI::Option* option : options) out += make_option(option, is_positional);
  return out;
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  const std::string& text = option->get_option_text();
  std::string left = is_positional ? text : option->get_name(false, true);
  for (size_t comma = left.find(','); !is_positional && comma != std::string::npos; comma = left.find(',', comma + 2)) {
    left.insert(comma + 1, " ");
  }
  if (!is_positional && !text.empty()) left += " " + text;
  std::string right = option->get_description();
  if (!option->get_default_str().empty()) right += " (default " + option->get_default_str() + ")";
  return two_columns(left, right);
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return two_columns(command->get_name(), command->get_description());
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  std::string usage = "\nUsage: " + name;
  for (const CLI::Option* option : app->get_options([](const CLI::Option* o) { return o->get_positional(); })) {
    usage += " " + option->get_option_text();
  }
  const bool has_commands = !app->get_subcommands([](const CLI::App*) { return true; }).empty();
  return usage + (has_commands ? " COMMAND [OPTIONS]" : " [OPTIONS]") + "\n";
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  std::string help = CLI::Formatter::make_help(app, std::move(name), mode);
  for (size_t at = help.find("\n\n\n"); at != std::string::npos; at = help.find("\n\n\n", at)) help.erase(at, 1);
  return help;
}

}  // namespace hone::cli
