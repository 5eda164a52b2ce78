#include "backend/backend.h"

namespace hone {

Status Kernel::sample(const KernelArgs&, std::span<const int64_t>, std::span<double>) const {
  return unsupported("this kernel has no sampled form");
}

CandidateList find_candidates(const Backend& backend, const Problem& problem, const DeviceInfo& device,
                              bool allocation_free) {
  CandidateList list;
  for (const KernelDef* def : backend.kernels) {
    const bool serves = def->op == nullptr ? problem.body != nullptr : problem.op->name() == def->op;
    if (!serves) continue;
    if (allocation_free && def->run_allocates) {
      list.refusals.push_back({def, "its run allocates memory inside a library, which this build forbids"});
      continue;
    }
    Result<std::vector<Config>> configs = def->candidates(problem, device);
    if (!configs.ok()) {
      list.refusals.push_back({def, configs.status().message()});
      continue;
    }
    for (Config& config : *configs) list.candidates.push_back({def, std::move(config)});
  }
  return list;
}

const KernelDef* find_kernel(const Backend& backend, std::string_view name) {
  for (const KernelDef* def : backend.kernels) {
    if (def->name == name) return def;
  }
  return nullptr;
}

}  // namespace hone
