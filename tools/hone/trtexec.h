// hone trtexec: its arguments are trtexec's own, so it parses them itself.
#pragma once

#include <span>
#include <string>

namespace hone::cli {

// `program`: what the report calls the command, such as "trtexec". Returns the exit code: 0 passed, 1 failed, 130 or
// 143 when a signal ended the measurement. Needs install_signal_handlers().
int run_trtexec(std::span<const std::string> arguments, const std::string& program);

}  // namespace hone::cli
