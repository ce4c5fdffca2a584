#include "cli/config_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "support/temp_folder.h"

namespace kata::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ConfigCheck : public testing::Test {
 protected:
  ConfigCheck() {
    for (const char* file : {"qemu", "kernel", "initrd", "virtiofsd"}) {
      EXPECT_TRUE(write_file(folder_ + "/" + file, "x"));
    }
  }

  // A complete file: the first five lines are right.
  ConfigReport check(const std::string& rest) {
    const std::string path = folder_ + "/configuration.toml";
    EXPECT_TRUE(write_file(path, "[hypervisor.qemu]\npath = \"" + folder_ + "/qemu\"\nkernel = \"" +
                                     folder_ + "/kernel\"\ninitrd = \"" + folder_ +
                                     "/initrd\"\nvirtio_fs_daemon = \"" + folder_ +
                                     "/virtiofsd\"\n" + rest));
    return check_config(path);
  }

  const kata::test::TempFolder temp_;
  const std::string folder_ = temp_.path();
};

TEST_F(ConfigCheck, AGoodFileHasNoFindings) {
  const ConfigReport report = check("default_vcpus = 1\n");
  EXPECT_EQ(report.errors, 0u);
  EXPECT_THAT(render(report), HasSubstr("no problems found"));
}

TEST_F(ConfigCheck, EverySlipIsReportedInTheOrderOfLines) {
  const ConfigReport report = check(
      "default_memory = \"many\"\n"     // 6
      "defualt_vcpus = 2\n"             // 7
      "firmware = \"/no/such\"\n"       // 8
      "create_container_timeout = 1\n"  // 9, another section's
      "[runtime]\n"
      "disable_new_netns = 1\n");  // 11
  EXPECT_EQ(report.errors, 5u) << render(report);
  const std::string text = render(report);
  size_t last = 0;
  for (const char* words :
       {":6: hypervisor.qemu.default_memory: expected an integer",
        ":7: hypervisor.qemu.defualt_vcpus: unknown key, ignored; did you mean \"default_vcpus\"?",
        ":8: hypervisor.qemu.firmware: /no/such: No such file or directory; correct the path",
        ":9: hypervisor.qemu.create_container_timeout: unknown key, ignored; it belongs into "
        "[runtime]",
        ":11: runtime.disable_new_netns: expected true or false"}) {
    const size_t at = text.find(words);
    ASSERT_NE(at, std::string::npos) << words << "\n" << text;
    EXPECT_GT(at, last) << text;
    last = at;
  }
}

TEST_F(ConfigCheck, KeysWithoutEffectAreNamedAndNoErrors) {
  const ConfigReport report = check("enable_guest_swap = true\nuse_vsock = true\n");
  EXPECT_EQ(report.errors, 0u);
  EXPECT_EQ(report.warnings, 2u);
  EXPECT_THAT(render(report), AllOf(HasSubstr("not yet effective: "), HasSubstr("obsolete: "),
                                    HasSubstr("enable_guest_swap"), HasSubstr("use_vsock")));
}

TEST_F(ConfigCheck, AnotherHypervisorsFileIsReadAndItsMissingDriverNamed) {
  const std::string path = folder_ + "/configuration-clh.toml";
  ASSERT_TRUE(write_file(path, "# upstream's\n[hypervisor.clh]\npath = \"" + folder_ +
                                   "/qemu\"\nkernel = \"" + folder_ + "/kernel\"\ninitrd = \"" +
                                   folder_ + "/initrd\"\nvirtio_fs_daemon = \"" + folder_ +
                                   "/virtiofsd\"\ndefault_vcpus = \"x\"\n"));
  const ConfigReport report = check_config(path);
  EXPECT_EQ(report.errors, 2u) << render(report);
  EXPECT_THAT(
      render(report),
      AllOf(HasSubstr(path + ":2: hypervisor.clh: the configuration is for the hypervisor clh, "
                             "but only qemu can be driven; use a [hypervisor.qemu] section"),
            HasSubstr(":7: hypervisor.clh.default_vcpus: expected")));
}

TEST_F(ConfigCheck, SyntaxErrorsNameTheLine) {
  const ConfigReport report = check("default_vcpus = = 2\n");
  EXPECT_EQ(report.errors, 1u);
  EXPECT_THAT(render(report), HasSubstr("configuration.toml:6: not valid TOML"));
}

TEST_F(ConfigCheck, FilesThatOthersMayWriteAndMissingOnesAreErrors) {
  EXPECT_EQ(check_config(folder_ + "/absent.toml").errors, 1u);
  EXPECT_EQ(check_config(folder_).errors, 1u);
}

TEST_F(ConfigCheck, ControlCharactersDoNotReachTheTerminal) {
  const ConfigReport report = check("\"\\u001b[2Jkey\" = 1\n");
  EXPECT_EQ(report.errors, 1u);
  EXPECT_THAT(render(report), AllOf(HasSubstr("\\x1b[2Jkey"), Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace kata::cli
