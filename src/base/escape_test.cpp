#include "base/escape.h"

#include <gtest/gtest.h>

namespace hone {
namespace {

TEST(Quoted, PlainTextStaysReadable) {
  EXPECT_EQ(quoted("conv1/weight"), "\"conv1/weight\"");
  EXPECT_EQ(quoted("Füße 自転車"), "\"Füße 自転車\"");
  EXPECT_EQ(quoted(""), "\"\"");
}

TEST(Quoted, QuotesBackslashesAndControlsAreEscaped) {
  EXPECT_EQ(quoted("a\"b\\c\nd\te\r"), R"("a\"b\\c\nd\te\r")");
  EXPECT_EQ(quoted(std::string_view("\0\x1b[31m\x7f", 7)), R"("\x00\x1b[31m\x7f")");
}

TEST(Quoted, WhatChangesTheDisplayIsEscaped) {
  EXPECT_EQ(quoted("\xc2\x9b"), R"("\xc2\x9b")");          // C1: control sequence introducer
  EXPECT_EQ(quoted("\xe2\x80\xae"), R"("\xe2\x80\xae")");  // right-to-left override
  EXPECT_EQ(quoted("\xe2\x80\x8b"), R"("\xe2\x80\x8b")");  // zero-width space
}

TEST(Quoted, BytesThatAreNotUtf8AreEscapedOneByOne) {
  EXPECT_EQ(quoted("\xff"), R"("\xff")");
  EXPECT_EQ(quoted("\xe2\x82"), R"("\xe2\x82")");          // cut short
  EXPECT_EQ(quoted("\xc0\xaf"), R"("\xc0\xaf")");          // overlong
  EXPECT_EQ(quoted("\xed\xa0\x80"), R"("\xed\xa0\x80")");  // surrogate
  EXPECT_EQ(quoted("\xf5\x80\x80\x80"
                   "a"),
            R"("\xf5\x80\x80\x80a")");
}

TEST(Printable, LeavesQuotesAndEscapesWhatQuotedEscapes) {
  EXPECT_EQ(printable("in node 'a\\b' (\"x\")"), "in node 'a\\b' (\"x\")");
  EXPECT_EQ(printable("red\x1b[31m\nnext\xff"), R"(red\x1b[31m\nnext\xff)");
}

}  // namespace
}  // namespace hone
