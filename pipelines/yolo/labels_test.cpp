#include "pipelines/yolo/labels.h"

#include <gtest/gtest.h>

namespace hone {
namespace {

using Names = std::vector<std::string>;

TEST(Labels, CocoHasItsEightyClasses) {
  const Names names = coco_labels();
  ASSERT_EQ(names.size(), 80u);
  EXPECT_EQ(names[0], "person");
  EXPECT_EQ(names[17], "horse");
  EXPECT_EQ(names[39], "bottle");
  EXPECT_EQ(names[79], "toothbrush");
}

TEST(Labels, EveryFormIsRead) {
  const Names expected = {"person", "traffic light", "it's"};
  for (const std::string_view text : {
           R"({0: 'person', 1: 'traffic light', 2: "it's"})",
           R"({"0": "person", "1": "traffic light", "2": "it's"})",
           R"({2: 'it\'s', 0: 'person', 1: 'traffic light', })",
           R"([ 'person' , "traffic light" , 'it\'s' ])",
           "person\ntraffic light\nit's",
           "\xEF\xBB\xBFperson\r\n traffic light \r\nit's\n\n",
       }) {
    const Result<Names> names = parse_labels(text);
    ASSERT_TRUE(names.ok()) << text << ": " << names.status().message();
    EXPECT_EQ(*names, expected) << text;
  }
}

TEST(Labels, GapsAndControlCharacters) {
  EXPECT_EQ(*parse_labels("{0: 'a', 2: 'c'}"), (Names{"a", "class 1", "c"}));
  EXPECT_EQ(*parse_labels("a\x1B[31m\nb\tc"), (Names{"a?[31m", "b?c"}));
  EXPECT_EQ(label_of({"a"}, 0), "a");
  EXPECT_EQ(label_of({"a"}, 1), "class 1");
  EXPECT_EQ(label_of({"a"}, -3), "class -3");
}

TEST(Labels, NonsenseIsRefused) {
  for (const std::string_view text :
       {"", " \n ", "{", "{}", "[]", "{0}", "{0:}", "{0: 'a'", "{0: 'a'} x", "['a'", "['a', 3]", "{-1: 'a'}",
        "{99999999999999999999: 'a'}", "{70000: 'a'}", "{0: 'a' 1: 'b'}", "['a", "{'0: 'a'}", "['a\\"}) {
    EXPECT_FALSE(parse_labels(text).ok()) << text;
  }
}

}  // namespace
}  // namespace hone
