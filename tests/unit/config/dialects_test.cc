#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "config/apply.h"
#include "config/loader.h"

// Upstream's templates, reduced to their keys and values (dialects/), are read without a slip:
// those of its Go runtime (-go) and of its Rust runtime (-rs), for every hypervisor.
namespace kata::config {
namespace {

class Dialect : public testing::TestWithParam<const char*> {};

TEST_P(Dialect, EveryKeyIsKnown) {
  const std::string name = GetParam();
  auto text = read_file(KATA_SOURCE_DIR "/tests/unit/config/dialects/" + name + ".toml");
  ASSERT_TRUE(text) << text.error().message();
  auto loaded = parse(*text, name);
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(hypervisor_name(loaded->config.hypervisor.kind), name.substr(0, name.find('-')));
  EXPECT_EQ(loaded->config.hypervisor.default_memory, 2048u);
  for (const Finding& finding : loaded->findings) {
    EXPECT_TRUE(finding.kind == Finding::Kind::kNotEffective ||
                finding.kind == Finding::Kind::kHistoric)
        << finding.text;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Dialect,
                         testing::Values("qemu-go", "qemu-rs", "clh-go", "clh-rs", "firecracker-go",
                                         "firecracker-rs", "stratovirt-go", "dragonball-rs",
                                         "remote-go"),
                         [](const auto& test) {
                           std::string name = test.param;
                           name.replace(name.find('-'), 1, "_");
                           return name;
                         });

}  // namespace
}  // namespace kata::config
