#include "cli/config_show.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/effective.h"

namespace kata::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

config::LoadedConfig parsed(const std::string& text) {
  auto loaded = config::parse(text, "t.toml");
  EXPECT_TRUE(loaded) << loaded.error().message();
  return std::move(*loaded);
}

constexpr char kText[] =
    "[hypervisor.qemu]\n"
    "default_memory = 512\n"
    "shared_fs = \"virtio-9p\"\n"
    "enable_annotations = [\"a\", \"b\\\"c\"]\n"
    "[agent.kata]\n"
    "cdh_api_timeout_ms = 7000\n"
    "[runtime]\n"
    "jaeger_password = \"geheim\"\n";

TEST(ConfigShow, EveryKeyHasAValueAndASource) {
  auto loaded = parsed(kText);
  const std::string text = show_toml(loaded, false);
  EXPECT_THAT(
      text,
      AllOf(HasSubstr("[hypervisor.qemu]\n"), HasSubstr("default_memory = 512  # t.toml:2\n"),
            HasSubstr("shared_fs = \"virtio-9p\"  # t.toml:3\n"),
            HasSubstr("default_vcpus = 1  # default\n"),
            HasSubstr("dial_timeout = 45  # default\n"), HasSubstr("accepted, not yet effective")));
  EXPECT_THAT(text, Not(HasSubstr("geheim")));
}

// The output is a configuration: it can be read again, and means the same.
TEST(ConfigShow, TheOutputIsAFileOfTheSameMeaning) {
  auto loaded = parsed(kText);
  const std::string text = show_toml(loaded, false);
  auto again = parsed(text);
  EXPECT_EQ(again.config.hypervisor.default_memory, 512u);
  EXPECT_EQ(again.config.hypervisor.shared_fs, config::SharedFs::kVirtio9p);
  EXPECT_EQ(again.config.hypervisor.enable_annotations,
            loaded.config.hypervisor.enable_annotations);
  EXPECT_EQ(again.config.agent.cdh_api_timeout, loaded.config.agent.cdh_api_timeout);
}

TEST(ConfigShow, OnlyWhatIsSet) {
  auto loaded = parsed(kText);
  const std::string text = show_toml(loaded, true);
  EXPECT_THAT(text, AllOf(HasSubstr("default_memory"), Not(HasSubstr("default_vcpus"))));
}

TEST(ConfigShow, OfTwoSpellingsTheOneInTheFileIsShown) {
  auto loaded = parsed(kText);
  const std::string text = show_toml(loaded, false);
  EXPECT_THAT(text, AllOf(HasSubstr("cdh_api_timeout_ms = 7000  # t.toml:6"),
                          Not(HasSubstr("cdh_api_timeout = "))));
}

TEST(ConfigShow, JsonHasTypedValues) {
  auto loaded = parsed(kText);
  const auto document = nlohmann::json::parse(show_json(loaded, false));
  const auto& keys = document["keys"];
  EXPECT_EQ(keys["hypervisor.qemu.default_memory"]["value"], 512);
  EXPECT_EQ(keys["hypervisor.qemu.default_memory"]["source"], "t.toml:2");
  EXPECT_EQ(keys["hypervisor.qemu.shared_fs"]["value"], "virtio-9p");
  EXPECT_EQ(keys["runtime.create_container_timeout"]["value"], 60);
  EXPECT_EQ(keys["runtime.create_container_timeout"]["set"], false);
  EXPECT_TRUE(keys["runtime.jaeger_password"]["value"].is_null());
  size_t rows = config::effective_keys(loaded).size();
  EXPECT_EQ(keys.size(), rows);
  EXPECT_GT(rows, 130u);
}

}  // namespace
}  // namespace kata::cli
