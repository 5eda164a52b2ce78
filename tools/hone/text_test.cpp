#include "tools/hone/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tools/hone/compare.h"
#include "tools/hone/conformance.h"
#include "tools/hone/inputs.h"
#include "tools/hone/statistics.h"

namespace hone::cli {
namespace {

TEST(Printable, EscapesWhatMovesTerminals) {
  EXPECT_EQ(printable("conv_1/weight:0"), "conv_1/weight:0");
  EXPECT_EQ(printable("caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x90\x8e"), "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x90\x8e");
  EXPECT_EQ(printable("\x1b[31mred\n"), "\\x1b[31mred\\x0a");
  EXPECT_EQ(printable("a\nb\tc\r", true), "a\nb\tc\\x0d");
  EXPECT_EQ(printable("\xff\xc3(\xe2\x82"), "\\xff\\xc3(\\xe2\\x82");
  EXPECT_EQ(printable("\xc0\xaf\xed\xa0\x80"), "\\xc0\\xaf\\xed\\xa0\\x80");  // overlong, surrogate
  EXPECT_EQ(printable("\xc2\x9b"), "\\x9b");                                  // a control character of two bytes
  EXPECT_EQ(printable("x\xe2\x80\xaey"), "x\\u202ey");                        // right to left from here
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Text, Numbers) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.50 KiB");
  EXPECT_EQ(human_bytes(int64_t{150} << 20), "150 MiB");
  EXPECT_EQ(grouped(7), "7");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-123), "-123");
  EXPECT_EQ(grouped(-1234), "-1,234");
  EXPECT_EQ(shape_text(std::vector<int64_t>{1, -1, 3}), "[1,?,3]");
}

TEST(Text, TablesAlign) {
  Table table({"name", "n"}, {Table::Align::kLeft, Table::Align::kRight});
  table.add({"a", "5"});
  table.add({"caf\xc3\xa9", "123"});
  EXPECT_EQ(table.text(" "), " name    n\n a       5\n caf\xc3\xa9  123\n");
  Table bare({}, {Table::Align::kLeft});
  bare.add({"a long cell that is cut"});
  EXPECT_EQ(bare.text("", 8), "a long..\n");
}

TEST(Statistics, Timings) {
  std::vector<double> samples;
  for (int i = 100; i > 0; --i) samples.push_back(i);
  const TimingSummary summary = summarize_timings(samples);
  EXPECT_EQ(summary.min, 1);
  EXPECT_EQ(summary.median, 50.5);
  EXPECT_EQ(summary.mean, 50.5);
  EXPECT_EQ(summary.p90, 90);
  EXPECT_EQ(summary.p95, 95);
  EXPECT_EQ(summary.p99, 99);
  EXPECT_EQ(summary.max, 100);
  std::vector<double> one = {3};
  EXPECT_EQ(summarize_timings(one).p99, 3);
  std::vector<double> none;
  EXPECT_EQ(summarize_timings(none).count, 0);
}

TEST(Compare, FollowsTheRule) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const Tolerance rule;
  const auto floats = [](std::initializer_list<float> values) { return Tensor::vector<float>(values); };
  EXPECT_EQ(difference(floats({1, nan, inf}), floats({1.0005F, nan, inf}), rule), "");
  EXPECT_NE(difference(floats({1}), floats({1.002F}), rule), "");
  EXPECT_NE(difference(floats({inf}), floats({-inf}), rule), "");
  EXPECT_NE(difference(floats({nan}), floats({0}), rule), "");
  EXPECT_NE(difference(floats({1e30F}), floats({inf}), rule), "");
  EXPECT_NE(difference(floats({1, 2}), floats({1, 2, 3}), rule).find("shape [2], expected [3]"), std::string::npos);
  EXPECT_NE(difference(floats({1}), Tensor::vector<int32_t>({1}), rule).find("type"), std::string::npos);
  EXPECT_NE(difference(Tensor::vector<bool>({true}), Tensor::vector<bool>({false}), {10, 10}), "");
  EXPECT_EQ(difference(Tensor::of_strings({1}, {"a"}), Tensor::of_strings({1}, {"a"}), rule), "");
  EXPECT_NE(difference(Tensor::of_strings({1}, {"a"}), Tensor::of_strings({1}, {"b"}), rule), "");
  EXPECT_EQ(difference(floats({1, 5, 2}), floats({1, 4, 2.5F}), rule),
            "2 of 3 elements differ, most at [1]: 5, expected 4");
}

TEST(Conformance, Patterns) {
  EXPECT_TRUE(matches("test_abs", "test_abs"));
  EXPECT_FALSE(matches("test_abs", "test_absx"));
  EXPECT_TRUE(matches("test_*_cpu", "test_conv_cpu"));
  EXPECT_TRUE(matches("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(matches("*a*b", "xxaxxbxx"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_FALSE(matches("", "a"));
}

TEST(Inputs, Shapes) {
  EXPECT_EQ(*parse_shape("1x3x640"), (std::vector<int64_t>{1, 3, 640}));
  EXPECT_TRUE(parse_shape("")->empty());
  for (const char* wrong : {"1x", "x", "-1", "1x?", "1.5", "99999999999999999999"})
    EXPECT_FALSE(parse_shape(wrong).ok());
  const Result<ShapeArgument> range = parse_shape_argument("a=b=1x2:3x4:5x6");
  ASSERT_TRUE(range.ok());
  EXPECT_EQ(range->name, "a=b");
  EXPECT_EQ(range->range.opt, (std::vector<int64_t>{3, 4}));
  for (const char* wrong : {"a", "=1", "a=1:2", "a=1:2:3:4"}) EXPECT_FALSE(parse_shape_argument(wrong).ok());
  const Result<std::vector<ShapeProfile>> profiles = parse_profiles({"a=1", "b=2", "a=3"});
  ASSERT_TRUE(profiles.ok());
  ASSERT_EQ(profiles->size(), 2U);
  EXPECT_EQ((*profiles)[1].at("a").max, (std::vector<int64_t>{3}));
}

}  // namespace
}  // namespace hone::cli
