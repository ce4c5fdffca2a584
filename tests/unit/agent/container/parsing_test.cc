// The parts without side effects: words, mount options, names, the launch configuration.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "agent/container/capabilities.h"
#include "agent/container/environment.h"
#include "agent/container/launch_config.h"
#include "agent/container/mount_options.h"
#include "agent/container/sysctls.h"
#include "agent/container/validate.h"
#include "agent/container/words.h"

namespace kata::agent {
namespace {

grpc::Mount mount_with(std::vector<std::string> options, const char* type = "bind") {
  grpc::Mount mount;
  mount.set_type(type);
  for (std::string& option : options) mount.add_options(std::move(option));
  return mount;
}

TEST(Words, CleanPath) {
  EXPECT_EQ(clean_path("/a//b/../c/."), "/a/c");
  EXPECT_EQ(clean_path("../../x"), "/x");
  EXPECT_EQ(clean_path(""), "/");
}

TEST(Words, ErrnoTextIsLowerCase) {
  EXPECT_EQ(errno_text(ENOENT), "no such file or directory");
  EXPECT_EQ(errno_text(EACCES), "permission denied");
  EXPECT_EQ(errno_text(99999), "errno 99999");
}

TEST(MountOptions, AttributesLastWordWins) {
  MountOptions options = parse_mount_options(mount_with({"ro", "rw", "nosuid", "noexec", "exec"}));
  EXPECT_TRUE(options.bind);
  EXPECT_EQ(options.attr_set, uint64_t{MOUNT_ATTR_NOSUID});
  EXPECT_EQ(options.attr_clear, uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC});
}

TEST(MountOptions, AccessTimesAreOneField) {
  MountOptions options = parse_mount_options(mount_with({"noatime", "strictatime"}));
  EXPECT_EQ(options.attr_set, uint64_t{MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(options.attr_clear, uint64_t{MOUNT_ATTR__ATIME});
  options = parse_mount_options(mount_with({"noatime", "relatime"}));
  EXPECT_EQ(options.attr_set, 0U);
  EXPECT_EQ(options.attr_clear, uint64_t{MOUNT_ATTR__ATIME});
}

TEST(MountOptions, RecursiveWords) {
  MountOptions options = parse_mount_options(mount_with({"rbind", "rro", "rnodev", "rsuid"}));
  EXPECT_TRUE(options.recursive_bind);
  EXPECT_EQ(options.recursive_set, uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV});
  EXPECT_EQ(options.recursive_clear, uint64_t{MOUNT_ATTR_NOSUID});
  EXPECT_EQ(options.attr_set, 0U);
}

TEST(MountOptions, PropagationAndData) {
  MountOptions options = parse_mount_options(mount_with(
      {"rslave", "shared", "size=1m", "sync", "tmpcopyup", "defaults", "mode=755"}, "tmpfs"));
  EXPECT_FALSE(options.bind);
  EXPECT_EQ(options.propagation, (std::vector<unsigned long>{MS_SLAVE | MS_REC, MS_SHARED}));
  EXPECT_EQ(options.data, "size=1m,mode=755");
  EXPECT_EQ(options.super_flags, static_cast<unsigned long>(MS_SYNCHRONOUS));
  EXPECT_TRUE(options.tmpcopyup);
  EXPECT_EQ(propagation_flags("runbindable"), static_cast<unsigned long>(MS_UNBINDABLE | MS_REC));
  EXPECT_EQ(propagation_flags("relatime"), 0U);
}

TEST(Capabilities, Names) {
  EXPECT_EQ(capability_number("CAP_CHOWN"), 0);
  EXPECT_EQ(capability_number("SYS_ADMIN"), 21);
  EXPECT_EQ(capability_number("\"CAP_CHECKPOINT_RESTORE\""), 40);
  EXPECT_EQ(capability_number("CAP_NONSENSE"), -1);
  EXPECT_EQ(capability_number(""), -1);
}

TEST(Environment, HomeFromPasswd) {
  const char* passwd =
      "broken\nroot:x:0:0:r:/root:/bin/sh\nu:x:10:10::/home/u\nshort:x:11\nbad:x:1x:1::/no:\n";
  EXPECT_EQ(home_of(passwd, 0), "/root");
  EXPECT_EQ(home_of(passwd, 10), "/home/u");
  EXPECT_EQ(home_of(passwd, 11), "");
  EXPECT_EQ(home_of(passwd, 1), "");
}

TEST(Sysctls, OnlyThoseOfOwnNamespaces) {
  grpc::Spec spec;
  auto allowed = [&](const char* key) {
    spec.mutable_linux()->mutable_sysctl()->clear();
    (*spec.mutable_linux()->mutable_sysctl())[key] = "1";
    return check_sysctls(spec).has_value();
  };
  EXPECT_TRUE(allowed("net.ipv4.ip_forward"));
  EXPECT_TRUE(allowed("net/ipv4/conf/eth0.1/forwarding"));
  EXPECT_FALSE(allowed("kernel.shmmax"));
  EXPECT_FALSE(allowed("kernel.domainname"));
  spec.mutable_linux()->add_namespaces()->set_type("ipc");
  spec.mutable_linux()->add_namespaces()->set_type("uts");
  EXPECT_TRUE(allowed("kernel.shmmax"));
  EXPECT_TRUE(allowed("fs.mqueue.msg_max"));
  EXPECT_TRUE(allowed("kernel.domainname"));
  for (const char* key : {"kernel.hostname", "vm.swappiness", "kernel.core_pattern", "",
                          "net.../../x", "net/../kernel/core_pattern", "fs.mqueue.../../x"}) {
    EXPECT_FALSE(allowed(key)) << key;
  }
}

TEST(LaunchConfig, SurvivesTheTrip) {
  LaunchConfig config;
  config.mode = LaunchConfig::Mode::kExec;
  config.id = "id";
  config.rootfs = "/r";
  config.spec.set_hostname("host");
  config.made = 7;
  config.cgroup_v2 = true;
  config.pid = 42;
  config.enter = {1, 2};
  config.cgroup_mounts = {{"/m", "/p"}};
  auto back = LaunchConfig::decode(config.encode());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->encode(), config.encode());
  EXPECT_EQ(back->spec.hostname(), "host");
  EXPECT_EQ(back->enter, config.enter);
}

TEST(LaunchConfig, DamageIsNoticed) {
  LaunchConfig config;
  config.id = "id";
  config.enter = {1};
  config.cgroup_mounts = {{"/m", "/p"}};
  std::string bytes = config.encode();
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(LaunchConfig::decode(std::string_view(bytes).substr(0, length))) << length;
  }
}

TEST(Validate, Process) {
  grpc::Process process;
  EXPECT_FALSE(validate_process(process));
  process.add_args("true");
  EXPECT_TRUE(validate_process(process));
  process.set_cwd("relative");
  EXPECT_FALSE(validate_process(process));
  process.set_cwd("/");
  auto* limit = process.add_rlimits();
  limit->set_type("RLIMIT_CORE");
  limit->set_soft(2);
  limit->set_hard(1);
  EXPECT_FALSE(validate_process(process));
}

}  // namespace
}  // namespace kata::agent
