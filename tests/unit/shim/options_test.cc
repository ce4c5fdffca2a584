#include "shim/options.h"

#include <gtest/gtest.h>

namespace kata::shim {
namespace {

TEST(Options, ReadsWhatContainerdPasses) {
  auto options =
      parse_options({"-namespace", "k8s.io", "-address", "/run/c.sock", "-publish-binary",
                     "/usr/bin/containerd", "-id", "abc", "-debug", "start"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->containerd_namespace, "k8s.io");
  EXPECT_EQ(options->address, "/run/c.sock");
  EXPECT_EQ(options->publish_binary, "/usr/bin/containerd");
  EXPECT_EQ(options->id, "abc");
  EXPECT_TRUE(options->debug);
  EXPECT_EQ(options->action, "start");
  EXPECT_TRUE(check_options(*options));
}

TEST(Options, AcceptsEveryGoSpelling) {
  auto options = parse_options({"--id=a=b", "-bundle", "/b", "--namespace", "n", "-debug=false"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->id, "a=b");
  EXPECT_EQ(options->bundle, "/b");
  EXPECT_EQ(options->containerd_namespace, "n");
  EXPECT_FALSE(options->debug);
  EXPECT_EQ(options->action, "");
}

TEST(Options, AnEmptyAddressIsAValue) {
  auto options = parse_options({"-address", "", "-id", "x", "start"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->address, "");
  EXPECT_EQ(options->id, "x");
}

TEST(Options, TheDaemonIsToldTheConfigurationOfItsHandler) {
  auto options = parse_options({"-namespace", "n", "-id", "x", "-config-path", "/c.toml"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->config_path, "/c.toml");
}

TEST(Options, ParsingStopsAtTheActionWord) {
  auto options = parse_options({"-id", "x", "delete", "-nonsense"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->action, "delete");
}

TEST(Options, RefusesWhatItDoesNotKnow) {
  for (auto arguments : {std::vector<std::string>{"-nonsense"}, {"-id"}, {"-debug=perhaps"}}) {
    auto options = parse_options(arguments);
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().code(), Code::kInvalidArgument);
    EXPECT_NE(options.error().message().find("-"), std::string::npos);
  }
}

TEST(Options, NamespaceAndIdAreNeeded) {
  EXPECT_FALSE(check_options(*parse_options({"-id", "x", "start"})));
  EXPECT_FALSE(check_options(*parse_options({"-namespace", "n", "start"})));
  EXPECT_FALSE(check_options(*parse_options({"-namespace", "n", "-id", "../x", "start"})));
  EXPECT_FALSE(check_options(*parse_options({"-namespace", "n", "-id", "x", "stop"})));
  EXPECT_TRUE(check_options(*parse_options({"-version"})));
  EXPECT_TRUE(check_options(*parse_options({"-info"})));
}

}  // namespace
}  // namespace kata::shim
