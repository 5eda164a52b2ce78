#include "backends/cpu/backend.h"

namespace hone::cpu {

const Backend& backend() {
  static constexpr Backend kBackend = {"cpu", {}};
  return kBackend;
}

}  // namespace hone::cpu
