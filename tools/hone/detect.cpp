#include "tools/hone/shell.h"

namespace hone::cli {

void add_detect(CLI::App&, Shell&) {}

}  // namespace hone::cli
