#include "shim/stdio/uri.h"

#include <gtest/gtest.h>

namespace kata::shim {
namespace {

using Scheme = StdioUri::Scheme;

TEST(StdioUri, ReadsEveryScheme) {
  EXPECT_EQ(parse_stdio_uri("")->scheme, Scheme::kNone);
  EXPECT_EQ(parse_stdio_uri("/run/f")->scheme, Scheme::kFifo);
  EXPECT_EQ(parse_stdio_uri("fifo:///run/f")->path, "/run/f");
  EXPECT_EQ(parse_stdio_uri("file:///var/log/a%20b")->path, "/var/log/a b");
  EXPECT_EQ(parse_stdio_uri("binary-v2:///bin/l")->scheme, Scheme::kBinaryV2);
}

TEST(StdioUri, AQueryGivesTheFirstValueOfEachKeyInOrder) {
  auto uri = parse_stdio_uri("binary:///bin/logger?b=1&a=x%2Fy+z&b=2&c");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->path, "/bin/logger");
  std::vector<std::pair<std::string, std::string>> expected = {
      {"b", "1"}, {"a", "x/y z"}, {"c", ""}};
  EXPECT_EQ(uri->query, expected);
}

TEST(StdioUri, RefusesTheRest) {
  EXPECT_EQ(parse_stdio_uri("ttrpc+unix:///s?streaming_id=x").error().code(), Code::kUnimplemented);
  for (const char* bad : {"relative", "file://", "file:///a%0", "file:///a%zz", "file:///a%00"}) {
    auto uri = parse_stdio_uri(bad);
    ASSERT_FALSE(uri) << bad;
    EXPECT_EQ(uri.error().code(), Code::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace kata::shim
