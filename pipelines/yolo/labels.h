// Class names: of COCO, from a model's metadata, from a file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hone/status.h"

namespace hone {

// COCO's 80 classes in the order that detectors trained on it use.
std::vector<std::string> coco_labels();

// Names in one of these forms, index = class: a Python or JSON dictionary ({0: 'person', "1": "car"}), a list
// (['person', 'car']), or one name a line. Control characters become '?'. Classes that a dictionary leaves out are
// "class N". Errors: kInvalidArgument; no names, indices outside [0, 65535].
Result<std::vector<std::string>> parse_labels(std::string_view text);
Result<std::vector<std::string>> load_labels(const std::string& path);

// The name, or "class N" where there is none.
std::string label_of(const std::vector<std::string>& labels, int class_id);

}  // namespace hone
