#include "plan/engine_file.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include "plan/plan_fields.h"
#include "plan/sample_plan.h"
#include "tests/support/engine_checksums.h"

namespace hone {
namespace {

using test::make_test_op;

std::vector<std::byte> sample_weights() {
  std::mt19937 random(3);
  std::vector<std::byte> weights(72);
  for (std::byte& byte : weights) byte = static_cast<std::byte>(random());
  return weights;
}

std::vector<std::byte> sample_file() {
  const std::vector<std::byte> weights = sample_weights();
  Result<std::vector<std::byte>> file = serialize_engine(test::sample_image(weights));
  EXPECT_TRUE(file.ok()) << file.status().message();
  return file.ok() ? *file : std::vector<std::byte>();
}

Result<LoadedImage> parse(const std::vector<std::byte>& file) { return parse_engine(file, nullptr, make_test_op); }

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hone_test_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ / name; }
  size_t count() const { return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path_), {})); }

 private:
  std::filesystem::path path_;
};

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(EngineFile, ComesBackAsItWas) {
  const std::vector<std::byte> file = sample_file();
  const Result<LoadedImage> loaded = parse(file);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  const EngineImage& image = loaded->image;
  EXPECT_EQ(image.metadata.at("names"), "{0: 'person'}");
  EXPECT_EQ(image.graph_text, "graph text\nof two lines\n");
  const std::vector<std::byte> weights = sample_weights();
  EXPECT_TRUE(std::equal(image.weights.begin(), image.weights.end(), weights.begin(), weights.end()));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(image.weights.data()) % 64, 0U);
  ASSERT_EQ(image.tuned.size(), 2U);
  EXPECT_EQ(image.tuned[0].target.isa, "avx2");
  ASSERT_EQ(image.tuned[0].plans.size(), 2U);

  const Plan& plan = image.tuned[0].plans[1];
  const Plan original = test::sample_plan();
  EXPECT_EQ(plan.profile.inputs, original.profile.inputs);
  EXPECT_EQ(plan.symbols[2].bound, original.symbols[2].bound);
  EXPECT_EQ(plan.values[6].type, original.values[6].type);
  EXPECT_EQ(plan.steps[1].op->describe().size(), 8U);
  EXPECT_EQ(plan.steps[1].config, original.steps[1].config);
  EXPECT_EQ(plan.steps[1].requirements[0].b, original.steps[1].requirements[0].b);
  EXPECT_EQ(plan.steps[1].body->constants[0].values<int32_t>()[1], 5);
  EXPECT_EQ(plan.tuning[1].refusal, "wants rank 4");

  const Result<std::vector<std::byte>> again = serialize_engine(image);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, file);  // everything that is written was read
}

TEST(EngineFile, EveryFlippedByteIsFoundOrHarmless) {
  const std::vector<std::byte> file = sample_file();
  std::vector<std::byte> changed = file;
  size_t found = 0;
  for (size_t i = 0; i < file.size(); ++i) {
    changed[i] ^= std::byte{0x40};
    const Result<LoadedImage> loaded = parse(changed);
    if (loaded.ok()) {
      EXPECT_EQ(serialize_engine(loaded->image).ok() ? *serialize_engine(loaded->image) : changed, file);
    } else {
      EXPECT_EQ(loaded.status().code(), Code::kCorruptEngine) << loaded.status().message();
      ++found;
    }
    changed[i] = file[i];
  }
  EXPECT_GT(found, file.size() * 8 / 10);  // the rest is padding
}

TEST(EngineFile, EveryFlippedByteWithRightChecksumsIsSafe) {
  const std::vector<std::byte> file = sample_file();
  std::vector<std::byte> changed;
  size_t refused = 0, accepted = 0;
  for (size_t i = 0; i < file.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      changed = file;
      changed[i] ^= static_cast<std::byte>(flip);
      test::repair_checksums(changed);
      const Result<LoadedImage> loaded = parse(changed);
      if (!loaded.ok()) {
        const Code code = loaded.status().code();
        EXPECT_TRUE(code == Code::kCorruptEngine || code == Code::kIncompatibleEngine) << loaded.status().message();
        EXPECT_NE(loaded.status().message().find("hone build MODEL.onnx"), std::string::npos);
        ++refused;
        continue;
      }
      ++accepted;
      for (const TunedPart& part : loaded->image.tuned) {
        for (const Plan& plan : part.plans) storage_lifetimes(plan);
      }
    }
  }
  EXPECT_GT(refused, 500U);
  EXPECT_GT(accepted, 100U);  // names, times, metadata, weights
}

TEST(EngineFile, EveryTruncationIsFound) {
  const std::vector<std::byte> file = sample_file();
  for (size_t size = 0; size < file.size(); ++size) {
    std::vector<std::byte> cut(file.begin(), file.begin() + static_cast<ptrdiff_t>(size));
    const Result<LoadedImage> loaded = parse(cut);
    ASSERT_FALSE(loaded.ok()) << size;
    EXPECT_EQ(loaded.status().code(), Code::kCorruptEngine);
    test::repair_checksums(cut);
    EXPECT_FALSE(parse(cut).ok()) << size;
  }
}

TEST(EngineFile, RandomDamageWithRightChecksumsIsSafe) {
  const std::vector<std::byte> file = sample_file();
  std::mt19937 random(11);
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::byte> changed = file;
    for (int i = 0; i < 1 + round % 8; ++i) {
      const size_t at = 64 + random() % (file.size() - 64);
      const auto kind = random() % 3;
      changed[at] = kind == 0 ? std::byte{0xff} : kind == 1 ? std::byte{0} : static_cast<std::byte>(random());
    }
    test::repair_checksums(changed);
    const Result<LoadedImage> loaded = parse(changed);
    if (!loaded.ok()) continue;
    EXPECT_TRUE(serialize_engine(loaded->image).ok());
  }
}

TEST(EngineFile, SaysWhatIsWrongAndTheCure) {
  const TempFolder folder;
  const std::string path = folder.file("m.hone");
  const auto message_for = [&](std::span<const std::byte> bytes, Code code) {
    EXPECT_TRUE(write_file_atomically(path, bytes).ok());
    const Result<LoadedImage> loaded = load_engine_file(path, make_test_op);
    EXPECT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.status().code(), code);
    return loaded.status().message();
  };
  const auto has = [](const std::string& message, std::string_view part) {
    return message.find(part) != std::string::npos ? testing::AssertionSuccess()
                                                   : testing::AssertionFailure() << message;
  };
  std::vector<std::byte> file = sample_file();
  EXPECT_TRUE(has(message_for({}, Code::kCorruptEngine), "0 bytes"));
  EXPECT_TRUE(has(message_for(std::vector<std::byte>(100), Code::kCorruptEngine), "isn't a Hone engine"));
  file[8] ^= std::byte{2};
  test::repair_checksums(file);
  const std::string version = message_for(file, Code::kIncompatibleEngine);
  EXPECT_TRUE(has(version, "format version 3"));
  EXPECT_TRUE(has(version, "hone build MODEL.onnx -o " + path));
  file = sample_file();
  file.back() ^= std::byte{1};
  EXPECT_TRUE(has(message_for(file, Code::kCorruptEngine), "tuned part 1 section's checksum"));
  const Result<LoadedImage> missing = load_engine_file(folder.file("none.hone"), make_test_op);
  EXPECT_EQ(missing.status().code(), Code::kNotFound);
  EXPECT_EQ(load_engine_file("/dev/zero", make_test_op).status().code(), Code::kInvalidArgument);
}

TEST(EngineFile, UnknownOperatorsAndAttributesAreIncompatible) {
  const std::vector<std::byte> file = sample_file();
  const auto none = [](std::string_view) { return std::unique_ptr<Op>(); };
  const Result<LoadedImage> loaded = parse_engine(file, nullptr, none);
  EXPECT_EQ(loaded.status().code(), Code::kIncompatibleEngine);
  EXPECT_NE(loaded.status().message().find("'Twice'"), std::string::npos);
}

TEST(EngineFile, LoadsFromAMapThatOutlivesTheFile) {
  const TempFolder folder;
  const std::string path = folder.file("m.hone");
  ASSERT_TRUE(write_file_atomically(path, sample_file()).ok());
  const Result<LoadedImage> loaded = load_engine_file(path, make_test_op);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  ASSERT_TRUE(write_file_atomically(path, std::string_view("other")).ok());
  const std::vector<std::byte> weights = sample_weights();
  EXPECT_TRUE(std::equal(weights.begin(), weights.end(), loaded->image.weights.begin()));
}

TEST(Archive, RandomDimensionsComeBackEqual) {
  std::mt19937 random(5);
  for (int round = 0; round < 500; ++round) {
    std::vector<Dim> pool = {
        Dim(2), Dim(-3), Dim(7), Dim::symbol(0, true), Dim::symbol(1, true), Dim::symbol(2, false)};
    for (int i = 0; i < 12; ++i) {
      const Dim &a = pool[random() % pool.size()], &b = pool[random() % pool.size()];
      Dim (*const kOps[])(const Dim&, const Dim&) = {floor_div, ceil_div, mod, min, max, broadcast};
      const auto kind = random() % 9;
      Dim made = kind == 0 ? a + b : kind == 1 ? a - b : kind == 2 ? a * b : kOps[kind - 3](a, b);
      if (!made.is_invalid()) pool.push_back(std::move(made));
    }
    ByteWriter writer;
    writer(pool);
    if (!writer.status().ok()) continue;  // too large an expression
    const std::vector<std::byte> bytes = std::move(writer).take();
    std::vector<Dim> back;
    ByteReader reader(bytes, make_test_op);
    reader(back);
    ASSERT_TRUE(std::move(reader).finish().ok());
    EXPECT_EQ(back, pool);
  }
}

TEST(Archive, DeepAndLongDimensionsAreRefusedOnBothSides) {
  Dim deep = Dim::symbol(0, true);
  for (int i = 0; i < kMaxDimDepth; ++i) deep = floor_div(deep + 1, 2);
  ByteWriter writer;
  writer(deep);
  EXPECT_EQ(writer.status().code(), Code::kUnsupported);

  // A chain of 100,000 nested minima: would overflow the stack of a reader that trusts it.
  const std::vector<std::byte> nested(100000, static_cast<std::byte>(DimExpr::Kind::kMin));
  ByteReader reader(nested, make_test_op);
  Dim dim;
  reader(dim);
  EXPECT_EQ(std::move(reader).finish().code(), Code::kCorruptEngine);
}

TEST(Archive, ProductsOfSumsAreRefusedInsteadOfMultipliedOut) {
  std::vector<std::byte> bytes = {std::byte{3}};  // product, coefficient 1, two args
  const auto append = [&](auto... values) {
    (([&] {
       const auto raw = std::as_bytes(std::span(&values, 1));
       bytes.insert(bytes.end(), raw.begin(), raw.end());
     }()),
     ...);
  };
  append(int64_t{1}, uint16_t{2});
  for (uint32_t symbol : {0U, 1U}) {
    append(uint8_t{2}, int64_t{5}, uint16_t{1}, uint8_t{1}, symbol, uint8_t{1});  // symbol + 5
  }
  ByteReader reader(bytes, make_test_op);
  Dim dim;
  reader(dim);
  EXPECT_NE(std::move(reader).finish().message().find("normal form"), std::string::npos);
}

TEST(Archive, CountsThatExceedTheFileAllocateNothing) {
  std::vector<std::byte> bytes(4, std::byte{0xff});
  ByteReader reader(bytes, make_test_op);
  std::string text;
  reader(text);
  EXPECT_FALSE(reader.ok());
  EXPECT_LT(text.capacity(), 64U);

  Tensor tensor;
  ByteWriter writer;
  writer(DataType::kFloat32, Ints{int64_t{1} << 40, 4});
  const std::vector<std::byte> huge = std::move(writer).take();
  ByteReader second(huge, make_test_op);
  second(tensor);
  EXPECT_NE(std::move(second).finish().message().find("larger than the file"), std::string::npos);
}

TEST(AtomicFile, ReplacesWholeFilesAndLeavesNothingBehind) {
  const TempFolder folder;
  const std::string path = folder.file("out");
  ASSERT_TRUE(write_file_atomically(path, std::string_view("one")).ok());
  ASSERT_TRUE(write_file_atomically(path, std::string_view("two")).ok());
  EXPECT_EQ(read_text(path), "two");
  EXPECT_EQ(folder.count(), 1U);
}

TEST(AtomicFile, FollowsLinksAndRefusesWhatIsNoFile) {
  const TempFolder folder;
  ASSERT_TRUE(write_file_atomically(folder.file("real"), std::string_view("old")).ok());
  std::filesystem::create_symlink("real", folder.file("link"));
  ASSERT_TRUE(write_file_atomically(folder.file("link"), std::string_view("new")).ok());
  EXPECT_EQ(read_text(folder.file("real")), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link")));
  EXPECT_EQ(write_file_atomically("/dev/null", std::string_view("x")).code(), Code::kInvalidArgument);
  EXPECT_EQ(write_file_atomically(folder.file("no/such/folder"), std::string_view("x")).code(), Code::kNotFound);
  EXPECT_EQ(write_file_atomically("", std::string_view("x")).code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace hone
