#include "cli/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "cli/version_text.h"

namespace kata::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST(CommandLine, OneDashIsAsGoodAsTwoBeforeLongOptions) {
  Context context;
  auto app = make_app(context);
  EXPECT_THAT(with_long_dashes(*app, {"-version", "-config=x", "-v", "-no-such", "check",
                                      "-require-kvm", "--", "-version"}),
              ElementsAre("--version", "--config=x", "-v", "-no-such", "check", "--require-kvm",
                          "--", "-version"));
}

TEST(CommandLine, EveryCommandHasASummary) {
  Context context;
  auto app = make_app(context);
  for (const CLI::App* command : app->get_subcommands({})) {
    EXPECT_FALSE(command->get_description().empty()) << command->get_name();
    for (const CLI::Option* option : command->get_options()) {
      EXPECT_FALSE(option->get_description().empty())
          << command->get_name() << " " << option->get_name();
    }
  }
}

TEST(CommandLine, VersionHasUpstreamsThreeLinesFirst) {
  EXPECT_THAT(version_text(), StartsWith("kata-runtime  : 4.1.0\n   commit   : "));
  EXPECT_THAT(version_text(), HasSubstr("\n   OCI specs: 1.2.1\n"));
}

TEST(CommandLine, IdsAreNoPaths) {
  for (const char* good : {"51eacfaf94c8195f", "a_b.c-d", "00"})
    EXPECT_TRUE(check_id(good)) << good;
  for (const char* bad : {"", "a", "..", "../x", "-x", "a/b", "a b", ".a"}) {
    EXPECT_FALSE(check_id(bad)) << bad;
  }
  EXPECT_FALSE(check_id(std::string(300, 'a')));
}

}  // namespace
}  // namespace kata::cli
