#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "config/keys.h"
#include "config/loader.h"
#include "config/toml_tree.h"

namespace kata::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LoadedConfig good(const std::string& toml) {
  auto loaded = parse(toml, "c.toml");
  EXPECT_TRUE(loaded) << loaded.error().message();
  return loaded ? std::move(*loaded) : LoadedConfig();
}

constexpr char kMinimal[] = "[hypervisor.qemu]\n";

// A hand-written file from a published guide, as it stands.
TEST(Parse, ShortFileGetsEveryDefault) {
  auto loaded = good(R"([hypervisor.qemu]
path = "/opt/kata/bin/qemu-system-x86_64"
kernel = "/opt/kata/share/kata-containers/vmlinux.container"
initrd = "/opt/kata/share/kata-containers/kata-containers-initrd.img"
machine_type = "q35"
default_vcpus = 1
default_memory = 512
shared_fs = "virtio-9p"
disable_guest_selinux = true  # Required when host SELinux is disabled
)");
  EXPECT_THAT(loaded.warnings, IsEmpty());
  const auto& vm = loaded.config.hypervisor;
  EXPECT_EQ(vm.kind, HypervisorKind::kQemu);
  EXPECT_EQ(vm.default_memory, 512u);
  EXPECT_EQ(vm.shared_fs, SharedFs::kVirtio9p);
  EXPECT_EQ(vm.accel, Accel::kAuto);
  EXPECT_EQ(vm.msize_9p, 8192u);
  EXPECT_EQ(vm.memory_slots, 10u);
  EXPECT_THAT(vm.enable_annotations, IsEmpty());
  EXPECT_EQ(loaded.config.runtime.internetworking_model, NetworkModel::kTcFilter);
}

// Upstream reads an absent duration as a deadline of zero: no container ever starts.
TEST(Parse, NoDurationIsEverZero) {
  for (const char* text : {kMinimal,
                           "[hypervisor.qemu]\n[runtime]\ncreate_container_timeout = 0\n"
                           "[agent.kata]\ndial_timeout = 0\ncdh_api_timeout = 0\n"
                           "launch_process_timeout = 0\nrequest_timeout_ms = 0\n"
                           "health_check_request_timeout_ms = 0\ncreate_container_timeout = 0\n"}) {
    auto loaded = good(text);
    EXPECT_EQ(loaded.config.runtime.create_container_timeout, std::chrono::seconds(60));
    EXPECT_EQ(loaded.config.agent.dial_timeout, std::chrono::seconds(45));
    EXPECT_EQ(loaded.config.agent.cdh_api_timeout, std::chrono::seconds(50));
    EXPECT_EQ(loaded.config.agent.request_timeout, std::chrono::seconds(60));
    EXPECT_GT(loaded.config.agent.launch_process_timeout.count(), 0);
    EXPECT_GT(loaded.config.agent.health_check_request_timeout.count(), 0);
    EXPECT_TRUE(loaded.config.hypervisor.disable_guest_selinux);
  }
}

TEST(Parse, BothDialectsMeanTheSame) {
  auto go = good(R"([hypervisor.qemu]
seccompsandbox = "on"
[factory]
template_path = "/t"
[agent.kata]
cdh_api_timeout = 7
[runtime]
create_container_timeout = 33
guest_selinux_label = "a:b:c"
)");
  auto rust = good(R"([hypervisor.qemu]
seccomp_sandbox = "on"
selinux_label = "a:b:c"
log_level = "info"
[hypervisor.qemu.factory]
template_path = "/t"
[agent.kata]
cdh_api_timeout_ms = 7000
create_container_timeout = 33
dial_timeout_ms = 10
reconnect_timeout_ms = 3000
[agent.kata.mem_agent]
mem_agent_enable = false
[runtime]
name = "virt_container"
hypervisor_name = "qemu"
agent_name = "kata"
)");
  for (const auto* loaded : {&go, &rust}) {
    EXPECT_EQ(loaded->config.hypervisor.seccompsandbox, "on");
    EXPECT_EQ(loaded->config.hypervisor.selinux_label, "a:b:c");
    EXPECT_EQ(loaded->config.hypervisor.factory.template_path, "/t");
    EXPECT_EQ(loaded->config.agent.cdh_api_timeout, std::chrono::seconds(7));
    EXPECT_EQ(loaded->config.runtime.create_container_timeout, std::chrono::seconds(33));
    // The other dialect's 3 s never shorten the wait for a slow guest.
    EXPECT_EQ(loaded->config.agent.dial_timeout, std::chrono::seconds(45));
  }
}

TEST(Parse, UnknownKeysWarnWithTheirLine) {
  auto loaded = good("typo = 1\n[hypervisor.qemu]\ndefault_vcpu = 1\n[proxy.kata]\npath = \"x\"\n");
  EXPECT_THAT(loaded.warnings, Contains(HasSubstr("c.toml:1: typo: unknown")));
  EXPECT_THAT(loaded.warnings, Contains(HasSubstr("c.toml:3: hypervisor.qemu.default_vcpu: unk")));
  EXPECT_THAT(loaded.warnings, Contains(HasSubstr("proxy: belongs to release 1.x")));
}

TEST(Parse, SaysWhichKeysHaveNoEffect) {
  auto loaded = good(
      "[hypervisor.qemu]\nuse_vsock = true\nenable_numa = true\nenable_swap = true\n"
      "rootless = false\n");
  EXPECT_THAT(loaded.warnings, ElementsAre(HasSubstr("enable_numa: is accepted but"),
                                           HasSubstr("enable_swap: belongs to older"),
                                           HasSubstr("use_vsock: belongs to older")));
}

TEST(Parse, RemembersWhereValuesComeFrom) {
  auto loaded = good("[hypervisor.qemu]\n\nkernel = \"/k\"\n");
  EXPECT_EQ(loaded.origins.at("hypervisor.qemu.kernel").text(), "c.toml:3");
  EXPECT_FALSE(loaded.origins.contains("hypervisor.qemu.initrd"));
}

TEST(Parse, ChoosesTheHypervisorSection) {
  EXPECT_EQ(good("[hypervisor.clh]\n").config.hypervisor.kind, HypervisorKind::kCloudHypervisor);
  auto two = good(
      "[hypervisor.qemu]\ndefault_memory = 300\n[hypervisor.clh]\n"
      "default_memory = 400\n[runtime]\nhypervisor_name = \"clh\"\n");
  EXPECT_EQ(two.config.hypervisor.default_memory, 400u);
  EXPECT_EQ(good("[hypervisor.firecracker]\n").config.hypervisor.shared_fs, SharedFs::kNone);
}

TEST(Parse, LimitsSizesWithAWarning) {
  auto small = good(
      "[hypervisor.qemu]\ndefault_memory = 100\ndefault_vcpus = 99999\n"
      "default_bridges = 9\n");
  EXPECT_EQ(small.config.hypervisor.default_memory, 2048u);
  EXPECT_EQ(small.config.hypervisor.default_bridges, 5u);
  EXPECT_LT(small.config.hypervisor.default_vcpus, 99999);
  EXPECT_THAT(small.warnings, Contains(HasSubstr("less than 256 MiB")));
  EXPECT_GE(good("[hypervisor.qemu]\ndefault_vcpus = -1\n").config.hypervisor.default_vcpus, 1);
  EXPECT_EQ(good("[hypervisor.qemu]\ndefault_vcpus = 0\n").config.hypervisor.default_vcpus, 1);
  EXPECT_EQ(good("[hypervisor.qemu]\ndefault_vcpus = 0.5\n").config.hypervisor.default_vcpus, 0.5);
}

TEST(Parse, TakesEverySharedFsWord) {
  for (const char* word : {"virtio-fs", "virtio-9p", "virtio-fs-nydus", "none", ""}) {
    good("[hypervisor.qemu]\nshared_fs = \"" + std::string(word) + "\"\n");
  }
}

struct BadFile {
  const char* toml;
  const char* message;
};

class ParseRefuses : public testing::TestWithParam<BadFile> {};

TEST_P(ParseRefuses, NamingKeyAndLine) {
  auto loaded = parse(GetParam().toml, "c.toml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(loaded.error().message(), HasSubstr(GetParam().message));
}

#define VM(line) "[hypervisor.qemu]\n" line "\n"
INSTANTIATE_TEST_SUITE_P(
    All, ParseRefuses,
    testing::Values(
        BadFile{"", "the file has no [hypervisor.<name>] section"},
        BadFile{"[hypervisor]\n", "the file has no [hypervisor.<name>] section"},
        BadFile{"hypervisor = 1\n", "c.toml:1: hypervisor: expected sections"},
        BadFile{"hypervisor.qemu = 1\n", "hypervisor.qemu: expected a section"},
        BadFile{"x = \n", "c.toml:1: not valid TOML"}, BadFile{"[[", "not valid TOML"},
        BadFile{"[[[", "not valid TOML"}, BadFile{"a\n\n[[", "not valid TOML"},
        BadFile{"[hypervisor.vbox]\n", "hypervisor.vbox: unknown hypervisor section"},
        BadFile{"[hypervisor.qemu]\n[hypervisor.clh]\n", "has several sections (clh, qemu)"},
        BadFile{VM("kernel = 5"),
                "c.toml:2: hypervisor.qemu.kernel: expected a string, found the integer 5"},
        BadFile{VM("kernel = \"a\\u0000b\""), "a string without NUL"},
        BadFile{VM("default_memory = \"2048\""),
                "default_memory: expected an integer from 0 to 1073741824, found the string"},
        BadFile{VM("default_memory = -1"), "found the integer -1"},
        BadFile{VM("default_memory = 1.5"), "found a number with a fraction"},
        BadFile{VM("default_vcpus = nan"), "default_vcpus: expected a number"},
        BadFile{VM("default_vcpus = true"), "default_vcpus: expected a number"},
        BadFile{VM("enable_debug = \"true\""), "expected true or false, found the string \"true\""},
        BadFile{VM("enable_debug = 1"), "expected true or false"},
        BadFile{VM("enable_debug = 1979-05-27"), "found a date or time"},
        BadFile{VM("enable_annotations = \"x\""), "expected a list of strings"},
        BadFile{VM("enable_annotations = [\"x\", 1]"), "a list of strings only, found"},
        BadFile{VM("shared_fs = \"nfs\""), "shared_fs: expected one of \"virtio-fs\""},
        BadFile{VM("accel = \"hvf\""), "expected one of \"auto\", \"kvm\", \"tcg\""},
        BadFile{VM("block_device_aio = \"x\""), "expected one of \"threads\""},
        BadFile{VM("image = \"/i\"\ninitrd = \"/r\""),
                "c.toml:3: hypervisor.qemu.initrd: image and"},
        BadFile{VM("hot_plug_vfio = \"root-port\"\ncold_plug_vfio = \"root-port\""), "both set"},
        BadFile{VM("pcie_root_port = 17"), "from 0 to 16"},
        BadFile{VM("block_device_logical_sector_size = 1000"), "a power of two"},
        BadFile{VM("block_device_logical_sector_size = 4096\n"
                   "block_device_physical_sector_size = 512"),
                "must not exceed"},
        BadFile{VM("virtio_fs_extra_args = [\"--sandbox=none\"]"), "\"sandbox\" is set by the"},
        BadFile{VM("virtio_fs_extra_args = [\"--sandbox\", \"none\"]"), "\"sandbox\" is set"},
        BadFile{VM("virtio_fs_extra_args = [\"--sand=none\"]"), "\"sand\" is set by the"},
        BadFile{VM("virtio_fs_extra_args = [\"-o\", \"cache=auto,sandbox=chroot\"]"),
                "\"sandbox\""},
        BadFile{VM("virtio_fs_extra_args = [\"-oseccomp=none\"]"), "\"seccomp\""},
        BadFile{VM("[runtime]\ndisable_new_netns = true"), "c.toml:3: runtime.disable_new_netns"},
        BadFile{VM("[runtime]\ncreate_container_timeout = 99999999"), "from 0 to 604800"},
        BadFile{VM("[runtime]\nsandbox_bind_mounts = [\"/a/x\", \"/b/x:ro\"]"),
                "the same last part"},
        BadFile{VM("[runtime]\nsandbox_bind_mounts = [\"x\"]"), "is not absolute"},
        BadFile{VM("[runtime]\ninternetworking_model = \"x\""), "expected one of \"tcfilter\""},
        BadFile{VM("[agent.kata]\ndial_timeout = -5"), "agent.kata.dial_timeout: expected"},
        BadFile{"[hypervisor.clh]\n[factory]\nvm_cache_number = 1\n", "available with QEMU only"},
        BadFile{"runtime = 3\n[hypervisor.qemu]\n", "runtime: expected a section"}));

TEST(Parse, RefusesEndlessDottedKeys) {
  std::string dots = "a";
  for (int i = 0; i < 200'000; ++i) dots += ".a";
  auto loaded = parse(dots + " = 1\n", "c.toml");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message(), HasSubstr("more than 100 parts"));
  good("[hypervisor.qemu]\nkernel_params = \"" + std::string(500, '.') + "\"\n");
}

TEST(Parse, TakesUnicodeOnlyInsideQuotesAndComments) {
  good(
      "\xEF\xBB\xBF[hypervisor.qemu] # \xC3\xA9\nkernel_params = \"\xC3\xA9\"\n"
      "cpu_features = \"\"\"\n\xC3\xA9\"\"\"\"\"\nmachine_type = \'\'\'\xC3\xA9\n.\'\'\'\n"
      "entropy_source = \"\"\"\\\n\xC3\xA9\"\"\"\n");
  for (const char* text :
       {"a\n\xCD\x9D = 1", "a = \"x\" \xC3\xA9", "x=\'\'\'a\n\'\'\'\n\xC3\xA9=1"}) {
    auto loaded = parse(text, "c.toml");
    ASSERT_FALSE(loaded);
    EXPECT_THAT(loaded.error().message(), HasSubstr("not valid TOML"));
  }
}

TEST(Keys, EveryDefaultShowsAndStoresBack) {
  Config config;
  for (auto keys : {hypervisor_keys(), factory_keys(), agent_keys(), runtime_keys()}) {
    std::set<std::string_view> names;
    for (const Key& key : keys) {
      EXPECT_TRUE(names.insert(key.name).second) << key.name << " is listed twice";
      if (!key.field) continue;
      const std::string text = show(key, config);
      auto value = parse_toml("x = " + text, "t");
      ASSERT_TRUE(value) << key.name << ": " << text;
      auto stored = store(key, value->table.at("x"), config);
      EXPECT_TRUE(stored) << key.name << ": " << stored.error().message();
      EXPECT_EQ(show(key, config), text) << key.name;
    }
  }
}

}  // namespace
}  // namespace kata::config
