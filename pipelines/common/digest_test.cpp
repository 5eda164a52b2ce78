#include "pipelines/common/digest.h"

#include <gtest/gtest.h>

#include <vector>

namespace hone {
namespace {

std::string digest_of(std::string_view text, size_t piece) {
  Digest digest;
  for (size_t at = 0; at < text.size(); at += piece) digest.update(std::as_bytes(std::span(text.substr(at, piece))));
  return digest.finish();
}

// What hashlib.blake2b(text, digest_size=32) of Python says.
TEST(Digest, IsBlake2b) {
  std::string bytes;
  for (int i = 0; i < 5 * 256; ++i) bytes += static_cast<char>(i);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
      {"abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"},
      {std::string(127, 'a'), "59e2f1aba240f20aa591016f5ef429990bc9c2131dcd0d30f0ffd75ed18f317d"},
      {std::string(128, 'a'), "ae2aa48507885c4c950fb809b2076f959cde9f8ea6da260d9a3587df33dac450"},
      {std::string(129, 'a'), "2f64744a6de0d2c0b56e64cf6e29a5aaa255010d415d51c75ccc82f73dccd865"},
      {bytes, "82628cbfc9689e234b0923a531f4578fe2e7138a03e2f81ed6cde97517336650"},
  };
  for (const auto& [text, expected] : cases) {
    for (const size_t piece : {size_t{1}, size_t{100}, size_t{128}, size_t{5000}})
      EXPECT_EQ(digest_of(text, piece), expected);
  }
}

TEST(Digest, TextsKeepTheirBorders) {
  Digest a, b;
  a.update(std::string_view("ab"));
  a.update(std::string_view("c"));
  b.update(std::string_view("a"));
  b.update(std::string_view("bc"));
  EXPECT_NE(a.finish(), b.finish());
}

}  // namespace
}  // namespace hone
