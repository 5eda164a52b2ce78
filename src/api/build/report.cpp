#include "api/build/report.h"

#include <nlohmann/json.hpp>

namespace hone {

namespace {

using Json = nlohmann::ordered_json;

Json profile_json(const Profile& profile) {
  Json json = Json::object();
  for (const auto& [name, dims] : profile.inputs) {
    Json& input = json[name] = {{"min", Json::array()}, {"opt", Json::array()}, {"max", Json::array()}};
    for (const DimRange& dim : dims) {
      input["min"].push_back(dim.min);
      input["opt"].push_back(dim.opt);
      input["max"].push_back(dim.max);
    }
  }
  return json;
}

Json candidate_json(const TuningRecord& record) {
  Json json = {{"kernel", record.kernel}};
  if (record.time_us > 0) json["time_us"] = record.time_us;
  if (record.time_us > 0) json["max_error"] = record.max_error;
  if (!record.refusal.empty()) json["refused"] = record.refusal;
  return json;
}

Json plan_json(const Plan& plan) {
  Json steps = Json::array();
  for (uint32_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    Json json = {{"name", step.name}, {"op", step.op->name()}};
    json["kernel"] = step.kernel.empty() ? "view" : step.backend + ":" + step.kernel;
    if (step.stage == Step::Stage::kShape) json["stage"] = "shape";
    for (const TuningRecord& record : plan.tuning) {
      if (record.step == i) json["candidates"].push_back(candidate_json(record));
    }
    steps.push_back(std::move(json));
  }
  return {{"profile", profile_json(plan.profile)}, {"steps", std::move(steps)}};
}

}  // namespace

std::string report_json(const BuildReport& report, const EngineImage& image, int64_t engine_bytes) {
  Json json = {
      {"seconds",
       {{"import", report.import_s}, {"passes", report.passes_s}, {"tune", report.tune_s}, {"total", report.total_s}}},
      {"nodes", {{"before", report.nodes_before}, {"after", report.nodes_after}}},
      {"rewrites", report.rewrites},
      {"weight_bytes", report.weight_bytes},
      {"engine_bytes", engine_bytes},
      {"targets", Json::array()},
  };
  for (const TunedPart& part : image.tuned) {
    Json target = {{"backend", part.target.backend},
                   {"isa", part.target.isa},
                   {"device", part.target.name},
                   {"threads", part.target.threads},
                   {"plans", Json::array()}};
    for (const Plan& plan : part.plans) target["plans"].push_back(plan_json(plan));
    json["targets"].push_back(std::move(target));
  }
  // Names come from files: bytes that aren't UTF-8 are replaced, not refused.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hone
