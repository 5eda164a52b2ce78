// hone detect: boxes in pictures.
#include <glob.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <set>

#include "hone/file.h"
#include "pipelines/common/codec.h"
#include "pipelines/common/draw.h"
#include "pipelines/yolo/detector.h"
#include "pipelines/yolo/results.h"
#include "tools/hone/options.h"
#include "tools/hone/shell.h"
#include "tools/hone/text.h"

namespace hone::cli {

namespace {

namespace fs = std::filesystem;

struct DetectArguments {
  std::string model, pictures, output, json_file, on_error = "skip";
  EngineArguments engine;
  DetectorOptions detector;
  DetectOptions limits;
  bool rgb = false, bgr = false, agnostic = false, save_text = false, no_scores = false;
  std::vector<std::string> classes;
};

bool is_pattern(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

// The pictures that FILE, FOLDER or GLOB stands for, by name.
Result<std::vector<std::string>> find_pictures(const std::string& source) {
  std::vector<std::string> found;
  std::error_code error;
  if (fs::is_directory(source, error)) {
    for (const auto& entry : fs::directory_iterator(source, error)) {
      if (has_image_extension(entry.path().string())) found.push_back(entry.path().string());
    }
  } else if (fs::exists(source, error) || !is_pattern(source)) {
    found.push_back(source);
  } else {
    glob_t matches{};
    if (::glob(source.c_str(), 0, nullptr, &matches) == 0)
      found.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
    ::globfree(&matches);
  }
  std::sort(found.begin(), found.end());
  if (found.empty()) return Status(Code::kNotFound, "there are no pictures (.jpg, .jpeg, .png) in '" + source + "'");
  return found;
}

// Where each picture's result goes: one picture to a file of that name, several into a folder.
class OutputPlan {
 public:
  static Result<OutputPlan> make(const std::string& output, const std::vector<std::string>& pictures, bool many) {
    OutputPlan plan;
    plan.output_ = output;
    std::error_code error;
    plan.folder_ = many || fs::is_directory(output, error) || output.ends_with('/');
    if (output.empty()) return plan;
    if (!plan.folder_) {
      if (!has_image_extension(output)) {
        return invalid_argument("--output " + output + ": a picture's name must end in .jpg, .jpeg or .png");
      }
      return plan;
    }
    fs::create_directories(output, error);
    if (error) return resource_error("can't make the folder '" + output + "': " + error.message());
    for (const std::string& picture : pictures) {
      if (fs::equivalent(picture, plan.path_for(picture), error)) {
        return invalid_argument("--output " + output + " is the pictures' own folder; name another one");
      }
    }
    return plan;
  }

  bool wanted() const { return !output_.empty(); }
  std::string path_for(const std::string& picture) const {
    return folder_ ? (fs::path(output_) / fs::path(picture).filename()).string() : output_;
  }
  std::string text_path_for(const std::string& picture) const {
    fs::path path = output_.empty() ? fs::path(picture) : fs::path(path_for(picture));
    return path.replace_extension(".txt").string();
  }

 private:
  std::string output_;
  bool folder_ = false;
};

// Class numbers, or names that the model knows.
Result<std::vector<int>> chosen_classes(const std::vector<std::string>& wanted,
                                        const std::vector<std::string>& labels) {
  std::vector<int> classes;
  for (const std::string& text : wanted) {
    const bool number = !text.empty() && text.size() < 7 && text.find_first_not_of("0123456789") == std::string::npos;
    const auto label = std::find(labels.begin(), labels.end(), text);
    if (number) {
      classes.push_back(std::stoi(text));
    } else if (label != labels.end()) {
      classes.push_back(static_cast<int>(label - labels.begin()));
    } else {
      return invalid_argument("--classes: the model has no class '" + text + "'");
    }
  }
  return classes;
}

std::string line_for(const PictureResult& result) {
  std::string line = printable(result.path) + ": ";
  if (!result.status.ok()) return line + "FAILED";
  if (result.detections.empty()) line += "nothing found";
  std::vector<std::pair<std::string, int>> counts;  // in the order of the best of each
  for (const Detection& detection : result.detections) {
    const auto it =
        std::find_if(counts.begin(), counts.end(), [&](const auto& c) { return c.first == detection.label; });
    if (it == counts.end()) {
      counts.emplace_back(detection.label, 1);
    } else {
      ++it->second;
    }
  }
  for (size_t i = 0; i < counts.size(); ++i) {
    line += (i == 0 ? "" : ", ") + std::to_string(counts[i].second) + " " + printable(counts[i].first);
  }
  const DetectTiming& timing = result.timing;
  return line + "  (" + fixed(timing.pre_ms + timing.infer_ms + timing.post_ms, 1) + " ms)";
}

std::string boxes_table(const PictureResult& result) {
  Table table({}, {Table::Align::kRight, Table::Align::kLeft, Table::Align::kRight, Table::Align::kRight,
                   Table::Align::kRight, Table::Align::kRight});
  for (const Detection& detection : result.detections) {
    table.add({fixed(detection.score, 3), printable(detection.label), fixed(detection.box.x0, 1),
               fixed(detection.box.y0, 1), fixed(detection.box.x1, 1), fixed(detection.box.y1, 1)});
  }
  return table.text("  ");
}

class PictureJob {
 public:
  PictureJob(const DetectArguments& arguments, Detector& detector, const OutputPlan& outputs)
      : arguments_(arguments), detector_(detector), outputs_(outputs) {}

  PictureResult run(const std::string& path) {
    PictureResult result{.path = path};
    result.status = process(path, result);
    return result;
  }

 private:
  Status process(const std::string& path, PictureResult& result) {
    HONE_ASSIGN(Image image, load_image(path));
    result.width = image.width();
    result.height = image.height();
    HONE_ASSIGN(result.detections, detector_.detect(image.view(), arguments_.limits));
    result.timing = detector_.timing();
    if (arguments_.save_text) {
      const std::string text = results_to_yolo_text(result.detections, result.width, result.height);
      HONE_TRY(write_file_atomically(outputs_.text_path_for(path), text));
    }
    if (!outputs_.wanted()) return {};
    draw_detections(image, result.detections, {.scores = !arguments_.no_scores});
    return save_image(image.view(), outputs_.path_for(path));
  }

  const DetectArguments& arguments_;
  Detector& detector_;
  const OutputPlan& outputs_;
};

Result<Detector> open_detector(DetectArguments& arguments, Shell& shell) {
  if (arguments.bgr && arguments.rgb) return invalid_argument("--bgr and --rgb contradict each other");
  DetectorOptions& options = arguments.detector;
  if (arguments.bgr || arguments.rgb) options.head.bgr = arguments.bgr;
  options.engine.device = arguments.engine.device;
  options.engine.threads = arguments.engine.threads;
  options.engine.tune = !arguments.engine.no_tune;
  options.engine.use_cache = !arguments.engine.no_cache;
  options.engine.log = shell.log();
  options.engine.progress = shell.progress();
  Result<Detector> detector = Detector::open(arguments.model, options);
  shell.end_progress();
  return detector;
}

// What is left of a run that a signal or an error ended is handed over like a whole one.
Status hand_over(const DetectArguments& arguments, const std::vector<PictureResult>& results, Shell& shell) {
  const std::string json = results_to_json(results);
  if (!arguments.json_file.empty()) HONE_TRY(write_file_atomically(arguments.json_file, json + "\n"));
  shell.print_json(Json::parse(json, nullptr, /*allow_exceptions=*/false));
  return {};
}

Status detect(DetectArguments& arguments, Shell& shell) {
  HONE_ASSIGN(const std::vector<std::string> pictures, find_pictures(arguments.pictures));
  std::error_code error;
  const bool many = pictures.size() > 1 || fs::is_directory(arguments.pictures, error);
  HONE_ASSIGN(const OutputPlan outputs, OutputPlan::make(arguments.output, pictures, many));
  HONE_ASSIGN(Detector detector, open_detector(arguments, shell));
  shell.note(detector.description());
  HONE_ASSIGN(arguments.limits.classes, chosen_classes(arguments.classes, detector.labels()));
  if (arguments.agnostic) arguments.limits.class_agnostic = true;
  PictureJob job(arguments, detector, outputs);
  std::vector<PictureResult> results;
  Status failure;
  const GracefulInterrupt graceful;
  for (const std::string& path : pictures) {
    if (interrupted() != 0) break;
    results.push_back(job.run(path));
    const PictureResult& result = results.back();
    shell.print(line_for(result) + "\n");
    if (!many && result.status.ok()) shell.print(boxes_table(result));
    if (result.status.ok()) continue;
    if (many) shell.warn(result.status.message());
    if (failure.ok()) failure = result.status;
    if (arguments.on_error == "fail") break;
  }
  // One bad picture among many is reported in the results; a run of which nothing came is a failure.
  const bool any_good = std::any_of(results.begin(), results.end(), [](const auto& r) { return r.status.ok(); });
  if (any_good && arguments.on_error == "skip") failure = {};
  if (failure.ok() || many) HONE_TRY(hand_over(arguments, results, shell));
  HONE_TRY(failure);
  shell.set_exit_code(interrupted());
  return {};
}

void add_model_options(CLI::App& command, DetectArguments& arguments) {
  DetectorOptions& options = arguments.detector;
  const auto option = [&](const char* name, auto& target, const char* help) {
    return command.add_option(name, target, help)->group("Model (what its metadata doesn't say)");
  };
  std::string known;
  for (const std::string& family : families()) known += (known.empty() ? "" : ", ") + family;
  option("--family", options.head.family, ("Which detector it is: " + known).c_str())
      ->check(CLI::IsMember(families()))
      ->option_text("NAME");
  option("--norm", options.head.norm, "Range of its pixels: 0-1, 0-255 or imagenet")
      ->check(CLI::IsMember({"0-1", "0-255", "imagenet"}))
      ->option_text("RANGE");
  option("--labels", options.labels_file, "Class names, one a line")->option_text("FILE");
  option("--anchors", options.head.anchors, "Anchors of raw maps: w,h,w,h,... in pixels, small to large")
      ->option_text("LIST");
  option("--width", options.width, "Input width, for models that take any")
      ->check(CLI::Range(1, 16384))
      ->option_text("N");
  option("--height", options.height, "Input height, for models that take any")
      ->check(CLI::Range(1, 16384))
      ->option_text("N");
  const auto flag = [&](const char* name, bool& target, const char* help) {
    command.add_flag(name, target, help)->group("Model (what its metadata doesn't say)");
  };
  flag("--bgr", arguments.bgr, "Its channels are blue, green, red");
  flag("--rgb", arguments.rgb, "Its channels are red, green, blue");
  flag("--square", options.square, "Fill the whole input, not the smallest rectangle around the picture");
}

void add_box_options(CLI::App& command, DetectArguments& arguments) {
  const auto option = [&](const char* name, auto& target, const char* help) {
    return command.add_option(name, target, help)->group("Boxes");
  };
  option("--conf", arguments.limits.confidence, "Smallest score")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->option_text("X");
  option("--iou", arguments.limits.iou, "Boxes that overlap a better one by more are dropped")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->option_text("X");
  option("--max-det", arguments.limits.max_detections, "At most so many a picture")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str()
      ->option_text("N");
  option("--classes", arguments.classes, "Only these classes, by number or name: 0,2 or person,car")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("LIST");
  command.add_flag("--agnostic", arguments.agnostic, "Boxes of different classes suppress each other, too")
      ->group("Boxes");
}

}  // namespace

void add_detect(CLI::App& app, Shell& shell) {
  auto arguments = std::make_shared<DetectArguments>();
  CLI::App* command =
      app.add_subcommand("detect", "Find objects in pictures and draw boxes around them")->group("Detection");
  command->footer(
      "Examples:\n"
      "  hone detect yolov7.onnx street.jpg -o boxes.jpg\n"
      "  hone detect yolov7.hone photos/ -o drawn/ --conf 0.4 --json boxes.json\n"
      "  hone detect yolox.onnx 'photos/*.png' --classes person,car --save-txt\n"
      "An ONNX model is built once and kept in the cache folder ('hone doctor' shows where).");
  command->add_option("model", arguments->model, "A YOLOv7 or YOLOX model, ONNX or engine")
      ->required()
      ->option_text("MODEL");
  command->add_option("pictures", arguments->pictures, "A picture, a folder, or a quoted pattern such as 'a/*.jpg'")
      ->required()
      ->option_text("IMAGE|FOLDER|GLOB");
  command->add_option("-o,--output", arguments->output, "The drawn picture, or the folder for several")
      ->option_text("OUT")
      ->group("Output");
  command->add_flag("--save-txt", arguments->save_text, "Write YOLO text files beside the drawn (or given) pictures")
      ->group("Output");
  command->add_flag("--no-scores", arguments->no_scores, "Draw labels without scores")->group("Output");
  command->add_option("--on-error", arguments->on_error, "With several pictures: skip a bad one, or fail")
      ->check(CLI::IsMember({"skip", "fail"}))
      ->capture_default_str()
      ->option_text("skip|fail")
      ->group("Output");
  shell.add_output_flags(*command, &arguments->json_file);
  add_box_options(*command, *arguments);
  add_model_options(*command, *arguments);
  add_engine_options(*command, arguments->engine);
  shell.set_action(*command, [arguments](Shell& used) { return detect(*arguments, used); });
}

}  // namespace hone::cli
