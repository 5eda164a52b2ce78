#include "pipelines/yolo/labels.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "pipelines/common/files.h"

namespace hone {
namespace {

constexpr size_t kMaxClasses = 65536;
constexpr size_t kMaxNameBytes = 200;
constexpr int64_t kMaxFileBytes = int64_t{16} << 20;

constexpr std::array<const char*, 80> kCoco = {
    "person",         "bicycle",    "car",           "motorcycle",    "airplane",     "bus",           "train",
    "truck",          "boat",       "traffic light", "fire hydrant",  "stop sign",    "parking meter", "bench",
    "bird",           "cat",        "dog",           "horse",         "sheep",        "cow",           "elephant",
    "bear",           "zebra",      "giraffe",       "backpack",      "umbrella",     "handbag",       "tie",
    "suitcase",       "frisbee",    "skis",          "snowboard",     "sports ball",  "kite",          "baseball bat",
    "baseball glove", "skateboard", "surfboard",     "tennis racket", "bottle",       "wine glass",    "cup",
    "fork",           "knife",      "spoon",         "bowl",          "banana",       "apple",         "sandwich",
    "orange",         "broccoli",   "carrot",        "hot dog",       "pizza",        "donut",         "cake",
    "chair",          "couch",      "potted plant",  "bed",           "dining table", "toilet",        "tv",
    "laptop",         "mouse",      "remote",        "keyboard",      "cell phone",   "microwave",     "oven",
    "toaster",        "sink",       "refrigerator",  "book",          "clock",        "vase",          "scissors",
    "teddy bear",     "hair drier", "toothbrush",
};

std::string cleaned(std::string_view name) {
  std::string text(name.substr(0, kMaxNameBytes));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 32 || c == 127; }, '?');
  return text;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Reads what Python and JSON write for dictionaries and lists of names.
class LiteralReader {
 public:
  explicit LiteralReader(std::string_view text) : text_(text) {}

  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool at_end() {
    skip_blanks();
    return at_ >= text_.size();
  }

  std::optional<std::string> string() {
    skip_blanks();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return std::nullopt;
    const char quote = text_[at_++];
    std::string out;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_++];
    }
    if (at_ >= text_.size()) return std::nullopt;
    ++at_;
    return out;
  }

  // Bare or within quotes.
  std::optional<size_t> index() {
    skip_blanks();
    const bool quoted = at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"');
    if (quoted) ++at_;
    size_t value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc() || value >= kMaxClasses) return std::nullopt;
    at_ = static_cast<size_t>(end - text_.data()) + (quoted ? 1 : 0);
    return value;
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
      ++at_;
  }

  std::string_view text_;
  size_t at_ = 0;
};

Status malformed(std::string_view what) {
  return invalid_argument("class names: " + std::string(what) +
                          "; allowed are {0: 'name', ...}, ['name', ...] and one name a line");
}

Result<std::vector<std::string>> parse_dictionary(LiteralReader reader) {
  std::vector<std::optional<std::string>> found;
  while (!reader.take('}')) {
    const std::optional<size_t> index = reader.index();
    if (!index || !reader.take(':')) return malformed("a key isn't a number between 0 and 65535");
    std::optional<std::string> name = reader.string();
    if (!name) return malformed("class " + std::to_string(*index) + " has no quoted name");
    if (found.size() <= *index) found.resize(*index + 1);
    found[*index] = std::move(name);
    if (reader.take(',')) continue;
    if (!reader.take('}')) return malformed("',' or '}' is missing");
    break;
  }
  if (!reader.at_end()) return malformed("there is text behind the dictionary");
  std::vector<std::string> names;
  for (const auto& name : found) names.push_back(name ? cleaned(*name) : "class " + std::to_string(names.size()));
  return names;
}

Result<std::vector<std::string>> parse_list(LiteralReader reader) {
  std::vector<std::string> names;
  while (!reader.take(']')) {
    const std::optional<std::string> name = reader.string();
    if (!name) return malformed("entry " + std::to_string(names.size()) + " isn't a quoted name");
    names.push_back(cleaned(*name));
    if (reader.take(',')) continue;
    if (!reader.take(']')) return malformed("',' or ']' is missing");
    break;
  }
  if (!reader.at_end()) return malformed("there is text behind the list");
  return names;
}

std::vector<std::string> parse_lines(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    names.push_back(cleaned(trimmed(text.substr(0, end))));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  return names;
}

}  // namespace

std::vector<std::string> coco_labels() { return {kCoco.begin(), kCoco.end()}; }

Result<std::vector<std::string>> parse_labels(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text = trimmed(text);
  LiteralReader reader(text);
  Result<std::vector<std::string>> names = std::vector<std::string>();
  if (reader.take('{'))
    names = parse_dictionary(reader);
  else if (reader.take('['))
    names = parse_list(reader);
  else
    names = parse_lines(text);
  if (!names.ok()) return names;
  if (names->empty()) return malformed("there are none");
  if (names->size() > kMaxClasses) return malformed("more than 65536 of them");
  return names;
}

Result<std::vector<std::string>> load_labels(const std::string& path) {
  HONE_ASSIGN(const std::vector<std::byte> bytes, read_file(path, kMaxFileBytes));
  return parse_labels({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).with_context("'" + path + "'");
}

std::string label_of(const std::vector<std::string>& labels, int class_id) {
  const bool known = class_id >= 0 && static_cast<size_t>(class_id) < labels.size();
  return known ? labels[static_cast<size_t>(class_id)] : "class " + std::to_string(class_id);
}

}  // namespace hone
