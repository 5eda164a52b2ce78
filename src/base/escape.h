// Text of unknown origin made safe to print and to read back.
#pragma once

#include <string>
#include <string_view>

namespace hone {

// `text` in double quotes. Quotes, backslashes, control characters, bytes that aren't UTF-8, and characters that
// change how a terminal or an editor shows what is around them (C1 controls, direction marks, zero-width and line
// separators, tags) are escaped as \" \\ \n \t \r and \xHH, byte by byte. Nothing is lost.
std::string quoted(std::string_view text);

// `text` for a terminal or a log: the same, but without the quotes around it, and with quotes and backslashes as they
// are. For messages that hold names from files.
std::string printable(std::string_view text);

}  // namespace hone
