#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tools/hone/generation.h"
#include "tools/hone/text.h"
#include "tools/hone/trtexec_flags.h"
#include "tools/hone/trtexec_report.h"

namespace hone::cli {
namespace {

using Dims = std::vector<int64_t>;

TrtexecCommand parse(std::vector<std::string> arguments) { return parse_trtexec(arguments); }

TrtexecOptions parsed(std::vector<std::string> arguments) {
  arguments.push_back("--onnx=m.onnx");
  const TrtexecCommand command = parse(arguments);
  EXPECT_TRUE(command.errors.empty()) << command.errors.front();
  return command.options;
}

std::string only_error(std::vector<std::string> arguments) {
  arguments.push_back("--onnx=m.onnx");
  const TrtexecCommand command = parse(arguments);
  EXPECT_EQ(command.errors.size(), 1u);
  return command.errors.empty() ? "" : command.errors.front();
}

TEST(TrtexecShapes, NamesMayHoldColonsAndQuotedCommas) {
  const auto shapes = parse_named_shapes("a:1x3,b:0:7,'c:1':2x4,'d,e':5,s:,t:scalar,/x/y:0x2");
  ASSERT_TRUE(shapes.ok()) << shapes.status().message();
  EXPECT_EQ(*shapes,
            (NamedShapes{
                {"a", {1, 3}}, {"b:0", {7}}, {"c:1", {2, 4}}, {"d,e", {5}}, {"s", {}}, {"t", {}}, {"/x/y", {0, 2}}}));
}

TEST(TrtexecShapes, RefusesWhatIsNoShape) {
  for (const char* text : {"", "a", "a:1x", "a:1xb", ":1x3", "a:1x3,", "a:-1x3", "a:1,a:2", "a=1x3", "a:1x3,,b:2",
                           "a:99999999999999999999"}) {
    EXPECT_FALSE(parse_named_shapes(text).ok()) << text;
  }
}

TEST(TrtexecFlags, ValuesReachTheOptions) {
  const TrtexecOptions options =
      parsed({"--iterations=7", "--warmUp=0", "--duration=1.5", "--avgRuns=3", "--percentile=50,99.9", "--verbose",
              "--idleTime=2", "--useProfile=1", "--noDataTransfers", "--exportTimes=t.json", "--tensorrt-generation=8",
              "--loadInputs='a:0':x.bin,b:dir/c:d.npy", "--plugins=p.so", "--plugins=q.so", "--workspace=4096"});
  EXPECT_EQ(options.onnx, "m.onnx");
  EXPECT_EQ(options.iterations, 7);
  EXPECT_EQ(options.warm_up_ms, 0);
  EXPECT_EQ(options.duration_s, 1.5);
  EXPECT_EQ(options.runs_per_average, 3);
  EXPECT_EQ(options.percentiles, (std::vector<double>{50, 99.9}));
  EXPECT_TRUE(options.verbose);
  EXPECT_EQ(options.idle_ms, 2);
  EXPECT_EQ(options.profile, 1);
  EXPECT_EQ(options.transfers, false);
  EXPECT_EQ(options.export_times, "t.json");
  EXPECT_EQ(options.generation, 8);
  EXPECT_EQ(options.load_inputs, (std::map<std::string, std::string>{{"a:0", "x.bin"}, {"b", "dir/c:d.npy"}}));
  EXPECT_EQ(options.plugins, (std::vector<std::string>{"p.so", "q.so"}));
  EXPECT_EQ(options.memory_pools, "workspace: 4096 MiB");
}

TEST(TrtexecFlags, TheGenerationMayStandApart) {
  EXPECT_EQ(parsed({"--tensorrt-generation", "11", "--verbose"}).generation, 11);
  EXPECT_NE(only_error({"--tensorrt-generation=6"}).find("7 to 11"), std::string::npos);
}

TEST(TrtexecFlags, EveryKnownFlagIsTaken) {
  const std::map<std::string_view, std::string> values = {{"--shapes", "x:1"},     {"--minShapes", "x:1"},
                                                          {"--optShapes", "x:2"},  {"--maxShapes", "x:3"},
                                                          {"--loadInputs", "x:f"}, {"--profilingVerbosity", "detailed"},
                                                          {"--percentile", "90"},  {"--tensorrt-generation", "7"}};
  const auto separate = [](std::string_view name) {
    return name == "--onnx" || name == "--loadEngine" || name == "--getPlanVersionOnly" || name == "--help" ||
           name == "-h" || name == "--minShapes" || name == "--maxShapes";
  };
  for (const Flag& flag : used_flags()) {
    if (separate(flag.name)) continue;
    const auto value = values.find(flag.name);
    std::string argument(flag.name);
    if (!flag.value.empty()) argument += "=" + (value == values.end() ? "0" : value->second);
    if (flag.value == "N" && flag.name != "--profile" && value == values.end())
      argument = std::string(flag.name) + "=1";
    const TrtexecCommand command = parse({"--onnx=m.onnx", argument});
    EXPECT_TRUE(command.errors.empty()) << argument << ": " << command.errors.front();
    EXPECT_TRUE(command.warnings.empty()) << argument << ": " << command.warnings.front();
  }
  for (const IgnoredFlags& group : ignored_flags()) {
    for (const std::string_view name : group.names) {
      for (const char* value : {"", "=1"}) {
        const TrtexecCommand command = parse({"--onnx=m.onnx", std::string(name) + value});
        EXPECT_TRUE(command.errors.empty()) << name;
        EXPECT_EQ(command.warnings.size(), 1u) << name;
      }
    }
  }
  for (const IgnoredFlags& group : refused_flags()) {
    for (const std::string_view name : group.names) EXPECT_NE(only_error({std::string(name) + "=1"}), "");
  }
}

TEST(TrtexecFlags, MistakesAreNamed) {
  EXPECT_EQ(only_error({"--frobnicate=3"}), "Unknown option: --frobnicate 3");
  EXPECT_NE(only_error({"--saveengine=x"}).find("is --saveEngine meant"), std::string::npos);
  EXPECT_NE(only_error({"model.onnx"}).find("values follow '='"), std::string::npos);
  EXPECT_NE(only_error({"--fp16", "--fp16"}).find("more than once"), std::string::npos);
  EXPECT_NE(only_error({"--iterations=ten"}).find("--iterations: 'ten'"), std::string::npos);
  EXPECT_NE(only_error({"--iterations=1.5"}).find("whole"), std::string::npos);
  EXPECT_NE(only_error({"--duration=-2"}).find("--duration"), std::string::npos);
  EXPECT_NE(only_error({"--warmUp=nan"}).find("--warmUp"), std::string::npos);
  EXPECT_NE(only_error({"--percentile=101"}).find("--percentile"), std::string::npos);
  EXPECT_NE(only_error({"--saveEngine"}).find("--saveEngine=FILE"), std::string::npos);
  EXPECT_NE(only_error({"--loadEngine=e.hone"}).find("can't both"), std::string::npos);
  EXPECT_NE(only_error({"--loadInputs=x"}).find("NAME:FILE"), std::string::npos);
  EXPECT_FALSE(parse({"--fp16"}).errors.empty());
  EXPECT_EQ(parse({"--onnx=m.onnx", "--fp16=0"}).warnings.size(), 1u);
}

TEST(TrtexecFlags, ShapesBecomeProfiles) {
  EXPECT_TRUE(parsed({}).profiles.empty());
  const auto fixed_profile = parsed({"--shapes=x:2x4"}).profiles;
  ASSERT_EQ(fixed_profile.size(), 1u);
  EXPECT_EQ(fixed_profile[0].at("x").min, (Dims{2, 4}));
  EXPECT_EQ(fixed_profile[0].at("x").max, (Dims{2, 4}));
  const auto range = parsed({"--maxShapes=x:8x4", "--minShapes=x:1x4", "--optShapes=x:2x4", "--shapes=x:3x4"});
  ASSERT_EQ(range.profiles.size(), 1u);
  EXPECT_EQ(range.profiles[0].at("x").min, (Dims{1, 4}));
  EXPECT_EQ(range.profiles[0].at("x").opt, (Dims{2, 4}));
  EXPECT_EQ(range.profiles[0].at("x").max, (Dims{8, 4}));
  EXPECT_EQ(range.shapes.at("x"), (Dims{3, 4}));
  const auto two = parsed({"--profile=0", "--optShapes=x:1", "--profile=1", "--optShapes=x:5"}).profiles;
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[1].at("x").opt, (Dims{5}));
  EXPECT_NE(only_error({"--profile=1", "--optShapes=x:1"}).find("without gaps"), std::string::npos);
  EXPECT_NE(only_error({"--minShapes=x:1", "--optShapes=x:1"}).find("--maxShapes"), std::string::npos);
  EXPECT_NE(only_error({"--maxShapes=x:1"}).find("--optShapes"), std::string::npos);
  EXPECT_NE(only_error({"--minShapes=x:1,y:2", "--optShapes=x:1", "--maxShapes=x:1"}).find("same inputs"),
            std::string::npos);
  EXPECT_NE(only_error({"--minShapes=x:1", "--optShapes=x:1,y:2", "--maxShapes=x:1"}).find("'y'"), std::string::npos);
}

TEST(TrtexecReport, TimesAddUp) {
  Trace trace;
  trace.queries.push_back({1.0, 1.25, 1.25, 3.5, 3.5, 3.625});
  const auto json = nlohmann::json::parse(times_json(trace));
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["h2dMs"], 0.25);
  EXPECT_EQ(json[0]["computeMs"], 2.25);
  EXPECT_EQ(json[0]["d2hMs"], 0.125);
  EXPECT_EQ(json[0]["latencyMs"], 2.625);
  EXPECT_EQ(json[0]["startD2hMs"], 3.5);
}

TEST(TrtexecReport, ProfilesAddUp) {
  const auto json = nlohmann::json::parse(profile_json({{"a", "Conv", "k", {1, 2, 6}}, {"b", "Relu", "k", {1, 1, 1}}}));
  ASSERT_EQ(json.size(), 3u);
  EXPECT_EQ(json[0]["count"], 3);
  EXPECT_EQ(json[1]["timeMs"], 9.0);
  EXPECT_EQ(json[1]["averageMs"], 3.0);
  EXPECT_EQ(json[1]["medianMs"], 2.0);
  EXPECT_EQ(json[1]["percentage"], 75.0);
}

TEST(Generation, TextAndVersions) {
  EXPECT_EQ(*parse_generation("7"), 7);
  EXPECT_EQ(*parse_generation("11"), 11);
  for (const char* text : {"", "6", "12", "8.6", "ten", "-8"}) EXPECT_FALSE(parse_generation(text).ok()) << text;
  EXPECT_EQ(version_number_of_generation(8), "8601");
  EXPECT_EQ(version_number_of_generation(10), "100001");
  EXPECT_EQ(version_of_generation(10), "10.0.1");
}

TEST(Text, PlainNumbersHaveNoExponent) {
  EXPECT_EQ(plain(0), "0");
  EXPECT_EQ(plain(7e-5), "0.00007");
  EXPECT_EQ(plain(0.0362824), "0.0362824");
  EXPECT_EQ(plain(691.4351), "691.435");
  EXPECT_EQ(plain(12345678), "12345678");
  EXPECT_EQ(plain(100), "100");
  EXPECT_EQ(plain(-2.5), "-2.5");
}

}  // namespace
}  // namespace hone::cli
