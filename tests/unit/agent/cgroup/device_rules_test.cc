// Device rules and the BPF program that enforces them. A small interpreter runs the program, so
// that verdicts can be compared with the rules without a kernel.
#include <gtest/gtest.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/cgroup/device_program.h"
#include "agent/cgroup/device_rules.h"
#include "base/file.h"

#undef major
#undef minor

namespace kata::agent {
namespace {

enum Access {
  kMknod = BPF_DEVCG_ACC_MKNOD,
  kRead = BPF_DEVCG_ACC_READ,
  kWrite = BPF_DEVCG_ACC_WRITE
};

bool verdict(const std::vector<bpf_insn>& program, char type, unsigned access, uint32_t major,
             uint32_t minor) {
  uint64_t reg[11] = {};
  const uint32_t context[3] = {
      access << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR), major, minor};
  for (size_t at = 0; at < program.size(); ++at) {
    const bpf_insn& i = program[at];
    uint64_t immediate = static_cast<uint32_t>(i.imm);
    switch (i.code) {
      case BPF_LDX | BPF_MEM | BPF_W:
        reg[i.dst_reg] = context[i.off / 4];
        break;
      case BPF_ALU | BPF_MOV | BPF_X:
        reg[i.dst_reg] = reg[i.src_reg];
        break;
      case BPF_ALU | BPF_MOV | BPF_K:
        reg[i.dst_reg] = immediate;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        reg[i.dst_reg] &= immediate;
        break;
      case BPF_ALU | BPF_RSH | BPF_K:
        reg[i.dst_reg] >>= immediate;
        break;
      case BPF_JMP | BPF_JNE | BPF_K:
        at += reg[i.dst_reg] != immediate ? i.off : 0;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += reg[i.dst_reg] == immediate ? i.off : 0;
        break;
      case BPF_JMP | BPF_EXIT:
        return reg[0] != 0;
      default:
        ADD_FAILURE() << "unknown instruction " << int{i.code};
        return false;
    }
  }
  ADD_FAILURE() << "program has no end";
  return false;
}

grpc::LinuxDeviceCgroup* add(grpc::LinuxResources* resources, bool allow, const char* type,
                             int64_t major, int64_t minor, const char* access) {
  auto* rule = resources->add_devices();
  rule->set_allow(allow);
  rule->set_type(type);
  if (major >= 0) rule->set_major(major);
  if (minor >= 0) rule->set_minor(minor);
  rule->set_access(access);
  return rule;
}

std::vector<bpf_insn> program_of(const grpc::LinuxResources& resources,
                                 const std::vector<DeviceRule>& disks = {}) {
  auto rules = device_rules(resources, disks);
  EXPECT_TRUE(rules);
  return device_program(*rules);
}

TEST(DeviceRules, DefaultsOnlyWithoutRules) {
  auto program = program_of({});
  EXPECT_TRUE(verdict(program, 'c', kRead | kWrite, 1, 3));
  EXPECT_TRUE(verdict(program, 'c', kRead | kWrite, 136, 12));
  EXPECT_TRUE(verdict(program, 'b', kMknod, 254, 0));
  EXPECT_FALSE(verdict(program, 'b', kRead, 254, 0));
  EXPECT_FALSE(verdict(program, 'c', kRead | kMknod, 1, 1));
  EXPECT_FALSE(verdict(program, 'b', kRead, 1, 3));
}

TEST(DeviceRules, LaterRulesWin) {
  grpc::LinuxResources resources;
  add(&resources, false, "a", -1, -1, "rwm");
  add(&resources, true, "b", 8, -1, "r");
  add(&resources, false, "b", 8, 3, "r");
  add(&resources, false, "c", 1, 5, "w");
  auto program = program_of(resources);
  EXPECT_TRUE(verdict(program, 'b', kRead, 8, 1));
  EXPECT_FALSE(verdict(program, 'b', kRead | kWrite, 8, 1));
  EXPECT_FALSE(verdict(program, 'b', kRead, 8, 3));
  EXPECT_TRUE(verdict(program, 'c', kRead, 1, 5));
  EXPECT_FALSE(verdict(program, 'c', kRead | kWrite, 1, 5));
  EXPECT_TRUE(verdict(program, 'c', kRead, 1, 3));
}

TEST(DeviceRules, GuestDiskStaysOutOfReachOfPrivileged) {
  // CVE-2020-2023: a container with all devices must not open the disk the guest runs from.
  grpc::LinuxResources resources;
  add(&resources, true, "a", -1, -1, "rwm");
  auto program = program_of(resources, {{false, 'b', 254, 0, true, true, true}});
  EXPECT_TRUE(verdict(program, 'b', kRead | kWrite, 8, 0));
  EXPECT_TRUE(verdict(program, 'c', kRead, 10, 229));
  for (unsigned access : {unsigned{kRead}, unsigned{kWrite}, unsigned{kMknod}}) {
    EXPECT_FALSE(verdict(program, 'b', access, 254, 0));
  }
}

TEST(DeviceRules, BadRulesAreRefused) {
  grpc::LinuxResources resources;
  add(&resources, true, "x", 1, 1, "r");
  EXPECT_FALSE(device_rules(resources, {}));
  resources.clear_devices();
  add(&resources, true, "c", 1, 1, "rz");
  EXPECT_FALSE(device_rules(resources, {}));
}

TEST(DeviceRules, TextForm) {
  DeviceRule rule{true, 'c', 1, std::nullopt, true, false, true};
  EXPECT_EQ(rule.text(), "c 1:* rm");
}

TEST(DeviceRules, GuestDiskWithPartitionsAndVerity) {
  // sysfs of a guest whose root is dm-verity over a partition of vda.
  char folder[] = "/tmp/kata-sys-XXXXXX";
  ASSERT_TRUE(mkdtemp(folder));
  std::string sys = folder;
  ASSERT_TRUE(make_dirs(sys + "/devices/vda/vda1"));
  ASSERT_TRUE(make_dirs(sys + "/devices/vda/vda2"));
  ASSERT_TRUE(make_dirs(sys + "/devices/dm-0/slaves"));
  ASSERT_TRUE(make_dirs(sys + "/dev/block"));
  ASSERT_TRUE(write_file(sys + "/devices/vda/dev", "254:0\n"));
  for (const char* part : {"1", "2"}) {
    std::string at = sys + "/devices/vda/vda" + part;
    ASSERT_TRUE(write_file(at + "/dev", std::string("254:") + part + "\n"));
    ASSERT_TRUE(write_file(at + "/partition", part));
  }
  ASSERT_TRUE(write_file(sys + "/devices/dm-0/dev", "253:0\n"));
  ASSERT_EQ(symlink((sys + "/devices/dm-0").c_str(), (sys + "/dev/block/253:0").c_str()), 0);
  ASSERT_EQ(
      symlink((sys + "/devices/vda/vda1").c_str(), (sys + "/devices/dm-0/slaves/vda1").c_str()), 0);
  std::vector<std::string> found;
  for (const DeviceRule& rule : guest_disk_rules(gnu_dev_makedev(253, 0), sys)) {
    EXPECT_FALSE(rule.allow);
    found.push_back(rule.text());
  }
  EXPECT_EQ(found,
            (std::vector<std::string>{"b 253:0 rwm", "b 254:0 rwm", "b 254:1 rwm", "b 254:2 rwm"}));
  EXPECT_TRUE(guest_disk_rules(gnu_dev_makedev(0, 22), sys).empty());
  EXPECT_TRUE(remove_tree(sys));
}

}  // namespace
}  // namespace kata::agent
