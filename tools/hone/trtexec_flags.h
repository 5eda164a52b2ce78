// The table of trtexec's flags, of every generation.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hone/status.h"
#include "tools/hone/trtexec_options.h"

namespace hone::cli {

// What the flags gather before it is checked as a whole.
struct FlagState {
  TrtexecOptions options;
  struct Shapes {
    NamedShapes min, opt, max;
  };
  std::map<int, Shapes> profiles;
  int profile = 0;  // that --minShapes and its like go to
  bool help = false;
};

// A flag that means something here.
struct Flag {
  std::string_view name;
  std::string_view value;  // what follows '=', in words; empty: nothing does
  std::string_view group, help;
  // Stores the value; errors say what is wrong with it, without the flag's name.
  Status (*apply)(FlagState&, const std::string& value);
  bool repeatable = false;
};
std::span<const Flag> used_flags();

// Flags that are taken, with a line that says why nothing comes of them.
struct IgnoredFlags {
  std::string_view reason;
  std::vector<std::string_view> names;
};
std::span<const IgnoredFlags> ignored_flags();

// Flags that ask for what Hone doesn't do, and where silence would mislead.
std::span<const IgnoredFlags> refused_flags();

}  // namespace hone::cli
