#include "monitor/options.h"

#include <gtest/gtest.h>

#include "monitor/gzip.h"
#include "monitor/html.h"
#include "monitor/serve.h"

namespace kata::monitor {
namespace {

TEST(MonitorOptions, OneDashOrTwo) {
  auto options = parse_options({"-listen-address", "127.0.0.1:9", "--log-level=debug",
                                "-runtime-endpoint=unix:///run/crio/crio.sock"});
  ASSERT_TRUE(options) << options.error().message();
  EXPECT_EQ(options->listen_address, "127.0.0.1:9");
  EXPECT_EQ(options->log_level, "debug");
  EXPECT_EQ(parse_options({})->listen_address, "127.0.0.1:8090");
  EXPECT_TRUE(parse_options({"version"})->version);
  EXPECT_TRUE(parse_options({"--version"})->version);
}

TEST(MonitorOptions, MistakesAreNamed) {
  for (const char* word : {"serve", "--listen", "--listen-address", "--log-level=loud"}) {
    EXPECT_FALSE(parse_options({word})) << word;
  }
}

TEST(MonitorOptions, Addresses) {
  EXPECT_EQ(parse_address("127.0.0.1:8090")->port, 8090);
  EXPECT_EQ(parse_address("[::1]:80")->host, "::1");
  EXPECT_EQ(parse_address("localhost:80")->host, "127.0.0.1");
  EXPECT_EQ(parse_address(":80")->host, "");
  for (const char* text :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "a.example:80", "1:x"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
  EXPECT_TRUE(is_loopback(*parse_address("127.0.0.1:1")));
  EXPECT_TRUE(is_loopback(*parse_address("[::1]:1")));
  EXPECT_FALSE(is_loopback(*parse_address(":1")));
  EXPECT_FALSE(is_loopback(*parse_address("0.0.0.0:1")));
}

TEST(MonitorPages, GzipIsAskedFor) {
  EXPECT_TRUE(takes_gzip("gzip"));
  EXPECT_TRUE(takes_gzip("deflate, gzip;q=1.0"));
  EXPECT_FALSE(takes_gzip("identity"));
  EXPECT_FALSE(takes_gzip("gzip;q=0"));
  EXPECT_FALSE(takes_gzip(""));
}

TEST(MonitorPages, HtmlIsEscaped) {
  EXPECT_EQ(escape_html("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
}

}  // namespace
}  // namespace kata::monitor
