#include "cli/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "cli/check_host.h"
#include "cli/env_document.h"
#include "support/temp_folder.h"

namespace kata::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Host : public testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) {
    EXPECT_TRUE(make_dirs(dirname(root_ + path)));
    EXPECT_TRUE(write_file(root_ + path, text));
  }
  const kata::test::TempFolder temp_;
  const std::string root_ = temp_.path();
};

TEST_F(Host, FactsOfANestedHost) {
  put("/proc/cpuinfo",
      "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon (R)\nflags\t\t: fpu vmx "
      "hypervisor\n\nprocessor\t: 1\n");
  put("/proc/meminfo", "MemTotal:  100 kB\nMemFree: 20 kB\nMemAvailable:   30 kB\n");
  put("/etc/os-release", "PRETTY_NAME=\"x\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n");
  const HostFacts host = read_host(root_);
  EXPECT_EQ(host.cpus, 2);
  EXPECT_EQ(host.cpu_vendor, "GenuineIntel");
  EXPECT_EQ(host.cpu_model, "Xeon (R)");
  EXPECT_TRUE(host.hardware_virtualization);
  EXPECT_TRUE(host.is_guest);
  EXPECT_EQ(host.memory_total, 100u);
  EXPECT_EQ(host.memory_available, 30u);
  EXPECT_EQ(host.distro_name, "Debian GNU/Linux");
  EXPECT_EQ(host.distro_version, "12");
}

TEST_F(Host, NothingReadableIsNoCrash) {
  put("/proc/cpuinfo", "garbage\n:\nflags:");
  put("/proc/meminfo", "x");
  const HostFacts host = read_host(root_);
  EXPECT_EQ(host.cpus, 0);
  EXPECT_FALSE(host.hardware_virtualization);
}

TEST_F(Host, ProtectionsAreTheModulesParameters) {
  EXPECT_THAT(guest_protections(root_), ElementsAre("none"));
  put("/sys/module/kvm_amd/parameters/sev", "Y\n");
  put("/sys/module/kvm_amd/parameters/sev_snp", "N\n");
  EXPECT_THAT(guest_protections(root_), ElementsAre("sev"));
}

HostFindings all_there() {
  return {.vmm = "/usr/bin/qemu",
          .virtiofsd = "/usr/libexec/virtiofsd",
          .wants_virtiofsd = true,
          .vhost_net = true,
          .vhost_vsock = true,
          .tun = true};
}

TEST(JudgeHost, EmulationIsAWarningAndNoKvmWhenWantedIsAnError) {
  HostFacts host;
  host.hardware_virtualization = true;
  EXPECT_FALSE(judge_host(host, {VmMode::Kind::kKvm, "proven"}, all_there()).has_warnings());
  const auto tcg = judge_host(host, {VmMode::Kind::kTcg, "no KVM"}, all_there());
  EXPECT_TRUE(tcg.capable());
  EXPECT_TRUE(tcg.has_warnings());
  EXPECT_FALSE(judge_host(host, {VmMode::Kind::kNone, "kvm wanted"}, all_there()).capable());
}

TEST(JudgeHost, WhatIsMissingHasAWayOut) {
  for (auto HostFindings::*member : {&HostFindings::vmm, &HostFindings::virtiofsd}) {
    HostFindings found = all_there();
    (found.*member).clear();
    const auto report = judge_host({}, {VmMode::Kind::kTcg, ""}, found);
    EXPECT_FALSE(report.capable());
    for (const HostItem& item : report.items) {
      EXPECT_TRUE(item.state == HostItem::State::kGood || !item.fix.empty()) << item.name;
    }
  }
  HostFindings without_daemon = all_there();
  without_daemon.virtiofsd.clear();
  without_daemon.wants_virtiofsd = false;
  EXPECT_TRUE(judge_host({}, {VmMode::Kind::kTcg, ""}, without_daemon).capable());
}

TEST(Env, TomlIsIndentedLikeUpstreams) {
  auto loaded = config::parse("[hypervisor.qemu]\nkernel = \"/k\"\n", "t.toml");
  ASSERT_TRUE(loaded);
  EnvInput input;
  input.protections = {"none"};
  input.vmm_version = "QEMU \"7\"";
  const std::string text = toml_text(env_document(*loaded, input));
  EXPECT_THAT(text, HasSubstr("[Kernel]\n  Path = \"/k\"\n  Parameters = \"\"\n\n[Meta]\n"));
  EXPECT_THAT(text, HasSubstr("  Version = \"QEMU \\\"7\\\"\"\n"));
  EXPECT_THAT(text, HasSubstr("  [Hypervisor.SecurityInfo]\n    Rootless = false\n"));
  EXPECT_THAT(text, HasSubstr("    [Runtime.Version.Version]\n      Semver = \"4.1.0\"\n"));
  EXPECT_THAT(text, HasSubstr("  AvailableGuestProtections = [\"none\"]\n"));
}

}  // namespace
}  // namespace kata::cli
