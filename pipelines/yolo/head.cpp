#include "pipelines/yolo/head.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>
#include <string_view>

#include "hone/tensor.h"

namespace hone {
namespace {

constexpr int64_t kRowColumns = 5;  // before the classes: the box and the objectness
constexpr int64_t kAnchorsPerCell = 3;
constexpr int64_t kListColumns = 7;
constexpr int64_t kMaxClasses = 65536;
constexpr int64_t kMaxStride = 1024;

// Widths and heights, from fine to coarse; families with three levels have zeros at the end.
using AnchorTable = std::array<float, 24>;
constexpr AnchorTable kYolov7Anchors = {12, 16, 19, 36, 40, 28, 36, 75, 76, 55, 72, 146, 142, 110, 192, 243, 459, 401};
constexpr AnchorTable kTinyAnchors = {10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 119, 116, 90, 156, 198, 373, 326};
constexpr AnchorTable kP6Anchors = {19,  27,  44,  40,  38,  94,  96,  68,  86,  152, 180, 137,
                                    140, 301, 303, 264, 238, 542, 436, 615, 739, 380, 925, 792};

struct Family {
  std::string_view name;
  HeadForm row_form;           // what three-dimensional outputs of this family are
  const AnchorTable* anchors;  // null: has none
};
constexpr std::array kFamilies = {
    Family{"yolov7", HeadForm::kRows, &kYolov7Anchors},        Family{"yolov7-tiny", HeadForm::kRows, &kTinyAnchors},
    Family{"yolov7x", HeadForm::kRows, &kYolov7Anchors},       Family{"yolov7-w6", HeadForm::kRows, &kP6Anchors},
    Family{"yolov7-e6", HeadForm::kRows, &kP6Anchors},         Family{"yolov7-d6", HeadForm::kRows, &kP6Anchors},
    Family{"yolov7-e6e", HeadForm::kRows, &kP6Anchors},        Family{"yolov5", HeadForm::kRows, &kTinyAnchors},
    Family{"yolov5-p6", HeadForm::kRows, &kP6Anchors},         Family{"yolox", HeadForm::kYolox, nullptr},
    Family{"yolox-decoded", HeadForm::kYoloxDecoded, nullptr},
};

std::string describe(const ModelFacts& facts) {
  std::string text;
  for (const TensorFacts& output : facts.outputs) {
    text +=
        (text.empty() ? "" : ", ") + output.name + " " + std::string(name_of(output.dtype)) + to_string(output.shape);
  }
  return text;
}

// A setting: the caller's, else the model's, else none; and where it comes from.
struct Setting {
  std::string value, source;
  bool given() const { return !value.empty(); }
};

Setting setting(const std::string& option, const std::string& flag, const ModelFacts& facts, const std::string& key) {
  if (!option.empty()) return {option, "from " + flag};
  const auto found = facts.metadata.find(key);
  if (found == facts.metadata.end() || found->second.empty()) return {};
  return {found->second, "from the model's metadata"};
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c;
  return text;
}

Result<const Family*> find_family(const Setting& setting) {
  if (!setting.given()) return static_cast<const Family*>(nullptr);
  std::string known;
  for (const Family& family : kFamilies) {
    if (family.name == lower(setting.value)) return &family;
    known += (known.empty() ? "" : ", ") + std::string(family.name);
  }
  return invalid_argument("unknown family '" + setting.value + "' (" + setting.source + "); known are " + known);
}

// Cells of all output maps with strides 8 to 8 << (levels - 1).
int64_t cells(const ModelFacts& facts, int levels) {
  int64_t count = 0;
  for (int level = 0; level < levels; ++level) count += (facts.height / (8 << level)) * (facts.width / (8 << level));
  return count;
}

bool is_integer_output(const TensorFacts& tensor) { return is_integer(tensor.dtype); }

bool contains(const std::string& text, std::string_view part) { return lower(text).find(part) != std::string::npos; }

class Recogniser {
 public:
  Recogniser(const ModelFacts& facts, const HeadOverrides& overrides) : facts_(facts), overrides_(overrides) {}

  Result<Head> run() {
    family_setting_ = setting(overrides_.family, "--family", facts_, "hone.family");
    HONE_ASSIGN(family_, find_family(family_setting_));
    HONE_TRY(find_form());
    HONE_TRY(set_family());
    HONE_TRY(set_anchors());
    HONE_TRY(set_input());
    HONE_TRY(set_stride());
    return head_;
  }

 private:
  bool all_have_rank(size_t rank) const {
    return std::all_of(facts_.outputs.begin(), facts_.outputs.end(),
                       [rank](const TensorFacts& output) { return output.shape.size() == rank; });
  }

  Status find_form() {
    if (!facts_.outputs.empty() && all_have_rank(5)) return take_raw_maps();
    if (facts_.outputs.size() == 4 && take_suppressed()) return {};
    if (facts_.outputs.size() == 1 && all_have_rank(2) && facts_.outputs[0].shape[1] == kListColumns) {
      head_.form = HeadForm::kSuppressedList;
      head_.outputs = {facts_.outputs[0].name};
      return {};
    }
    for (const TensorFacts& output : facts_.outputs) {
      if (output.shape.size() == 3 && (facts_.outputs.size() == 1 || output.shape[2] > kRowColumns))
        return take_rows(output);
    }
    return not_recognised();
  }

  Status not_recognised() const {
    return unsupported("the outputs aren't those of a detector that is known here: " + describe(facts_) +
                       "; known are YOLOv7's raw maps [B,3,H,W,5+classes], rows [B,N,5+classes], the outputs of "
                       "--end2end and of --max-wh, and YOLOX's [B,N,5+classes]");
  }

  Status set_classes(int64_t columns) {
    const int64_t classes = columns - kRowColumns;
    if (classes < 1 || classes > kMaxClasses) return not_recognised();
    head_.num_classes = static_cast<int>(classes);
    return {};
  }

  Status take_raw_maps() {
    std::vector<const TensorFacts*> maps;
    for (const TensorFacts& output : facts_.outputs) {
      const auto& shape = output.shape;
      const bool fits =
          shape[1] == kAnchorsPerCell && shape[2] > 0 && shape[3] > 0 && shape[4] == facts_.outputs[0].shape[4];
      if (!fits) return not_recognised();
      maps.push_back(&output);
    }
    std::stable_sort(maps.begin(), maps.end(), [](const auto* a, const auto* b) { return a->shape[2] > b->shape[2]; });
    head_.form = HeadForm::kRawMaps;
    for (const TensorFacts* map : maps) head_.outputs.push_back(map->name);
    return set_classes(maps[0]->shape[4]);
  }

  // Count, boxes, scores and classes: by their shapes, and where those are alike by type, name and order.
  bool take_suppressed() {
    const TensorFacts *count = nullptr, *boxes = nullptr;
    std::vector<const TensorFacts*> lists;
    for (const TensorFacts& output : facts_.outputs) {
      const auto& shape = output.shape;
      if (shape.size() == 3 && shape[2] == 4)
        boxes = &output;
      else if (is_integer_output(output) && (shape.size() == 1 || (shape.size() == 2 && shape[1] == 1)) && !count)
        count = &output;
      else if (shape.size() == 2)
        lists.push_back(&output);
    }
    if (count == nullptr || boxes == nullptr || lists.size() != 2) return false;
    const bool swapped =
        is_integer_output(*lists[0]) || (!is_integer_output(*lists[1]) && contains(lists[0]->name, "class"));
    if (swapped) std::swap(lists[0], lists[1]);
    if (is_integer_output(*lists[0])) return false;
    head_.form = HeadForm::kSuppressed;
    head_.outputs = {count->name, boxes->name, lists[0]->name, lists[1]->name};
    return true;
  }

  Status take_rows(const TensorFacts& output) {
    const int64_t rows = output.shape[1], columns = output.shape[2];
    const bool columns_first =
        rows > 4 && rows < columns && (columns == cells(facts_, 3) || columns == cells(facts_, 4));
    if (columns_first) {
      return unsupported("output " + output.name + " " + to_string(output.shape) +
                         " has classes before boxes, as YOLOv8 and later give it; such models aren't supported");
    }
    const bool one_a_cell = rows == cells(facts_, 3) || rows == cells(facts_, 4);
    const bool three_a_cell = rows == kAnchorsPerCell * cells(facts_, 3) || rows == kAnchorsPerCell * cells(facts_, 4);
    if (family_ == nullptr && !one_a_cell && !three_a_cell) {
      return invalid_argument("output " + output.name + " " + to_string(output.shape) +
                              " may be YOLOv7's or YOLOX's: the number of rows fits neither for an input of " +
                              std::to_string(facts_.height) + " x " + std::to_string(facts_.width) +
                              "; say which with --family, or in the model's metadata as hone.family");
    }
    head_.form = family_ != nullptr ? family_->row_form : one_a_cell ? HeadForm::kYolox : HeadForm::kRows;
    const bool contradicts =
        (head_.form == HeadForm::kRows && one_a_cell) || (head_.form == HeadForm::kYolox && !one_a_cell);
    if (contradicts) {
      return invalid_argument("family " + std::string(family_->name) + " (" + family_setting_.source +
                              ") doesn't fit output " + output.name + " " + to_string(output.shape) +
                              ": YOLOX has one row for each cell, " + std::to_string(cells(facts_, 3)) +
                              " for this input, and YOLOv7 has three");
    }
    guess_ = "guessed from " + std::to_string(rows) + " rows";
    head_.outputs = {output.name};
    return set_classes(columns);
  }

  Status set_family() {
    if (family_ != nullptr) {
      head_.family = family_->name;
      head_.how = "family " + head_.family + " (" + family_setting_.source + ")";
      return {};
    }
    head_.family = head_.form == HeadForm::kYolox ? "yolox" : "yolov7";
    if (head_.form == HeadForm::kRawMaps && head_.outputs.size() == 4) head_.family = "yolov7-w6";
    head_.how = "family " + head_.family + " (" + (guess_.empty() ? "guessed" : guess_) + ")";
    return {};
  }

  Status set_anchors() {
    if (head_.form != HeadForm::kRawMaps) return {};
    const Setting anchors = setting(overrides_.anchors, "--anchors", facts_, "hone.anchors");
    if (anchors.given()) return parse_anchors(anchors);
    const size_t levels = head_.outputs.size();
    if (family_ == nullptr && levels != 4) {
      return invalid_argument(
          "raw output maps don't tell YOLOv7 (and yolov7x) from YOLOv7-tiny, whose anchors differ: say "
          "which with --family yolov7 or --family yolov7-tiny, or in the model's metadata as hone.family; "
          "anchors of your own go to --anchors or hone.anchors");
    }
    const AnchorTable* table = family_ != nullptr ? family_->anchors : &kP6Anchors;
    const size_t known = table == nullptr ? 0 : table->back() == 0 ? 3 : 4;
    if (known != levels) {
      return invalid_argument("family " + head_.family + " has anchors for " + std::to_string(known) +
                              " output maps, the model has " + std::to_string(levels));
    }
    fill_anchors(*table);
    return {};
  }

  void fill_anchors(std::span<const float> numbers) {
    head_.anchors.resize(head_.outputs.size());
    for (size_t i = 0; i < head_.anchors.size() * kAnchorsPerCell; ++i) {
      head_.anchors[i / kAnchorsPerCell][i % kAnchorsPerCell] = {numbers[2 * i], numbers[2 * i + 1]};
    }
  }

  Status parse_anchors(const Setting& anchors) {
    std::vector<float> numbers;
    const char* at = anchors.value.data();
    const char* const end = at + anchors.value.size();
    while (at < end) {
      float number = 0;
      const auto [next, error] = std::from_chars(at, end, number);
      if (error == std::errc()) numbers.push_back(number);
      at = error == std::errc() ? next : at + 1;
    }
    const size_t wanted = head_.outputs.size() * kAnchorsPerCell * 2;
    const bool sound = std::all_of(numbers.begin(), numbers.end(), [](float n) { return std::isfinite(n) && n > 0; });
    if (!sound || numbers.size() != wanted) {
      return invalid_argument("anchors (" + anchors.source + "): " + std::to_string(wanted) +
                              " positive numbers are needed, width and height for three anchors of each output map");
    }
    fill_anchors(numbers);
    head_.how += ", anchors " + anchors.source;
    return {};
  }

  Status set_input() {
    const bool yolox = head_.family.starts_with("yolox");
    head_.top_left = yolox;
    const std::string bgr = overrides_.bgr ? (*overrides_.bgr ? "bgr" : "rgb") : "";
    Setting norm = setting(overrides_.norm, "--norm", facts_, "hone.norm");
    Setting channels = setting(bgr, "--bgr", facts_, "hone.channels");
    if (!norm.given()) norm = {yolox ? "0-255" : "0-1", "as the family has it"};
    if (!channels.given()) channels = {yolox ? "bgr" : "rgb", "as the family has it"};
    const std::string order = lower(channels.value);
    if (order != "rgb" && order != "bgr") {
      return invalid_argument("hone.channels is '" + channels.value + "'; allowed are rgb and bgr");
    }
    Normalization& to = head_.normalization;
    to.bgr = order == "bgr";
    if (norm.value == "0-255") {
      to.divisor = 1;
    } else if (norm.value == "imagenet") {
      to.mean = {0.485f, 0.456f, 0.406f};
      to.deviation = {0.229f, 0.224f, 0.225f};
      if (to.bgr) std::swap(to.mean[0], to.mean[2]), std::swap(to.deviation[0], to.deviation[2]);
    } else if (norm.value != "0-1") {
      return invalid_argument("normalization '" + norm.value + "' (" + norm.source +
                              "); allowed are 0-1, 0-255 and imagenet");
    }
    head_.how +=
        ", pixels " + norm.value + " (" + norm.source + "), " + (to.bgr ? "BGR" : "RGB") + " (" + channels.source + ")";
    return {};
  }

  Status set_stride() {
    const bool four_levels = head_.anchors.size() == 4 || (family_ != nullptr && family_->anchors == &kP6Anchors);
    head_.stride = four_levels ? 64 : 32;
    const auto found = facts_.metadata.find("stride");
    if (found == facts_.metadata.end()) return {};
    int64_t stride = 0;
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), stride);
    if (stride < 1 || stride > kMaxStride) return invalid_argument("the model's metadata has stride '" + text + "'");
    head_.stride = static_cast<int>(stride);
    return {};
  }

  const ModelFacts& facts_;
  const HeadOverrides& overrides_;
  Setting family_setting_;
  const Family* family_ = nullptr;
  std::string guess_;
  Head head_;
};

}  // namespace

Result<Head> recognise_head(const ModelFacts& facts, const HeadOverrides& overrides) {
  return Recogniser(facts, overrides).run();
}

std::vector<std::string> families() {
  std::vector<std::string> names;
  for (const Family& family : kFamilies) names.emplace_back(family.name);
  return names;
}

std::string_view name_of(HeadForm form) {
  switch (form) {
    case HeadForm::kRawMaps: return "raw maps";
    case HeadForm::kRows: return "rows";
    case HeadForm::kYolox: return "YOLOX raw";
    case HeadForm::kYoloxDecoded: return "YOLOX decoded";
    case HeadForm::kSuppressed: return "suppressed boxes";
    case HeadForm::kSuppressedList: return "a list of suppressed boxes";
  }
  return "";
}

}  // namespace hone
