// hone run: one inference with arrays from files.
#include <cmath>
#include <limits>
#include <memory>

#include "hone/file.h"
#include "tools/hone/npy.h"
#include "tools/hone/options.h"
#include "tools/hone/shell.h"
#include "tools/hone/statistics.h"
#include "tools/hone/text.h"

namespace hone::cli {

namespace {

struct RunArguments {
  std::string model, output;
  bool compress = false;
  EngineArguments engine;
  FeedArguments feed;
};

Json to_json(const std::string& name, const Tensor& tensor, const ValueSummary& summary) {
  Json entry = {{"name", name},
                {"type", name_of(tensor.dtype())},
                {"shape", std::vector<int64_t>(tensor.dims().begin(), tensor.dims().end())}};
  if (summary.count > 0) {
    entry["min"] = json_number(summary.min);
    entry["max"] = json_number(summary.max);
    entry["mean"] = json_number(summary.mean);
    entry["not_finite"] = summary.not_finite;
  }
  return entry;
}

Status save_outputs(const RunArguments& arguments, const std::vector<NamedTensor>& outputs) {
  const std::string& path = arguments.output;
  if (path.ends_with(".npy")) {
    if (outputs.size() != 1) {
      return invalid_argument("--output " + path + ": a .npy file holds one array, the model has " +
                              std::to_string(outputs.size()) + " outputs; name a .npz file");
    }
    HONE_ASSIGN(const std::vector<std::byte> bytes, write_npy(outputs[0].tensor));
    return write_file_atomically(path, bytes);
  }
  HONE_ASSIGN(const std::vector<std::byte> bytes, write_npz(outputs, arguments.compress));
  return write_file_atomically(path, bytes);
}

Status run(RunArguments& arguments, Shell& shell) {
  const std::string& path = arguments.output;
  if (!path.empty() && !path.ends_with(".npz") && !path.ends_with(".npy")) {
    return invalid_argument("--output " + path + ": the name must end in .npz or .npy");
  }
  HONE_ASSIGN(const Engine engine, open_model(arguments.model, arguments.engine, shell));
  using Inputs = std::map<std::string, Tensor>;
  HONE_ASSIGN(const Inputs inputs, feed(engine, arguments.feed));
  HONE_ASSIGN(ExecutionContext context, prepared_context(engine, arguments.feed.profile, inputs));
  HONE_TRY(context.run());
  std::vector<NamedTensor> outputs;
  Table table({"output", "type", "min", "mean", "max", ""},
              {Table::Align::kLeft, Table::Align::kLeft, Table::Align::kRight, Table::Align::kRight,
               Table::Align::kRight, Table::Align::kLeft});
  Json list = Json::array();
  for (const Binding& binding : engine.bindings()) {
    if (binding.is_input) continue;
    HONE_ASSIGN(const TensorView view, context.output(binding.name));
    // The context's memory outlives the writing below.
    const Tensor tensor = Tensor::share(view.dtype, view.dims, view.data, nullptr);
    outputs.push_back({binding.name, tensor});
    const ValueSummary summary = summarize(tensor);
    table.add({printable(binding.name), std::string(name_of(view.dtype)) + shape_text(view.dims),
               number_text(summary, summary.min), number_text(summary, summary.mean), number_text(summary, summary.max),
               summary.not_finite > 0 ? grouped(summary.not_finite) + " not finite" : ""});
    list.push_back(to_json(binding.name, tensor, summary));
  }
  if (!path.empty()) HONE_TRY(save_outputs(arguments, outputs));
  shell.print(table.text());
  Json result = {{"outputs", std::move(list)}};
  if (!path.empty()) result["file"] = path;
  shell.print_json(result);
  return {};
}

}  // namespace

void add_run(CLI::App& app, Shell& shell) {
  auto arguments = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("run", "Run a model once on arrays from files")->group("Engines");
  command->footer(
      "Examples:\n"
      "  hone run model.hone --input x=x.npy --output results.npz\n"
      "  hone run model.onnx --input images=data.npz:pictures --input threshold=t.npy\n"
      "  hone run model.onnx --input x=random --shape x=2x3x224x224");
  command->add_option("model", arguments->model, "An ONNX model or an engine file")->required()->option_text("MODEL");
  add_feed_options(*command, arguments->feed);
  add_engine_options(*command, arguments->engine);
  command->add_option("-o,--output", arguments->output, "Where results go: .npz, or .npy for a single one")
      ->option_text("FILE")
      ->group("Output");
  command->add_flag("--compress", arguments->compress, "Write a compressed .npz")->group("Output");
  shell.add_output_flags(*command);
  shell.set_action(*command, [arguments](Shell& used) { return run(*arguments, used); });
}

}  // namespace hone::cli
