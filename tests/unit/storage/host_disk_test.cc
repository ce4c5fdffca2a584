#include "storage/host_disk.h"

#include <sys/sysmacros.h>
#undef major
#undef minor

#include "gmock/gmock.h"
#include "storage/wanted_disks.h"
#include "support/loop_device.h"

namespace kata::storage {
namespace {

using test::LoopDevice;
using ::testing::HasSubstr;

constexpr off_t kSize = 4 << 20;
// Major 240 is for experiments: nothing here has it.
constexpr uint32_t kNobodys = 240;
// A rule for all devices, not one for this.
constexpr char kBlanket[] = "mrw";

class HostDiskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    if (loop_.path().empty()) GTEST_SKIP() << "no loop device here";
  }
  static void add(grpc::Spec& spec, const std::string& path, dev_t number, const char* access) {
    grpc::LinuxDevice* device = spec.mutable_linux()->add_devices();
    device->set_path(path);
    device->set_type("b");
    device->set_major(gnu_dev_major(number));
    device->set_minor(gnu_dev_minor(number));
    if (*access == '\0') return;
    auto* rule = spec.mutable_linux()->mutable_resources()->add_devices();
    rule->set_allow(true);
    rule->set_access(access);
    if (std::string(access) == kBlanket) return;
    rule->set_type("b");
    rule->set_major(device->major());
    rule->set_minor(device->minor());
  }
  LoopDevice loop_{kSize};
};

TEST_F(HostDiskTest, FoundByNumbersAndByPath) {
  auto disk = find_block_device(gnu_dev_major(loop_.number()), gnu_dev_minor(loop_.number()));
  ASSERT_TRUE(disk) << disk.error().message();
  EXPECT_EQ(disk->path, loop_.path());
  EXPECT_EQ(disk->bytes, static_cast<uint64_t>(kSize));
  EXPECT_FALSE(disk->read_only);
  auto same = find_disk(loop_.path());
  ASSERT_TRUE(same);
  EXPECT_EQ(same->key, disk->key);
  ASSERT_TRUE(loop_.resize(2 * kSize));
  EXPECT_EQ(*disk_size(*disk), static_cast<uint64_t>(2 * kSize));
}

TEST_F(HostDiskTest, FilesAreDisksToo) {
  auto disk = find_disk(loop_.file_path());
  ASSERT_TRUE(disk) << disk.error().message();
  EXPECT_EQ(disk->bytes, static_cast<uint64_t>(kSize));
  EXPECT_NE(disk->key, find_disk(loop_.path())->key);
}

TEST_F(HostDiskTest, WhatTheHostCannotWriteIsReadOnly) {
  LoopDevice sealed(kSize, true);
  ASSERT_FALSE(sealed.path().empty());
  auto disk = find_disk(sealed.path());
  ASSERT_TRUE(disk) << disk.error().message();
  EXPECT_TRUE(disk->read_only);
}

TEST_F(HostDiskTest, WhatIsNoDiskIsRefused) {
  EXPECT_EQ(find_block_device(kNobodys, 7).error().code(), Code::kNotFound);
  EXPECT_THAT(find_block_device(kNobodys, 7).error().message(), HasSubstr("240:7"));
  EXPECT_EQ(find_disk("/no/such/disk").error().code(), Code::kNotFound);
  EXPECT_EQ(find_disk("loop0").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(find_disk("/dev/null").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(find_disk("/").error().code(), Code::kInvalidArgument);
  LoopDevice empty(0);
  EXPECT_THAT(find_disk(empty.file_path()).error().message(), HasSubstr("size 0"));
}

TEST_F(HostDiskTest, DevicesOfASpec) {
  grpc::Spec spec;
  add(spec, "/dev/xvda", loop_.number(), "rm");
  auto wanted = wanted_disks(spec);
  ASSERT_TRUE(wanted) << wanted.error().message();
  ASSERT_EQ(wanted->size(), 1u);
  EXPECT_EQ(wanted->front().container_path, "/dev/xvda");
  EXPECT_EQ(wanted->front().disk.path, loop_.path());
  EXPECT_TRUE(wanted->front().read_only);
  add(spec, "/dev/gone", gnu_dev_makedev(kNobodys, 1), "rwm");
  auto refused = wanted_disks(spec);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("linux.devices[1] /dev/gone"));
}

TEST_F(HostDiskTest, APrivilegedContainerGetsNoDiskThatIsMerelyThere) {
  grpc::Spec spec;
  add(spec, loop_.path(), loop_.number(), kBlanket);
  EXPECT_TRUE(wanted_disks(spec)->empty());
  // Under a name of its own it was asked for.
  add(spec, "/dev/xvda", loop_.number(), "");
  ASSERT_EQ(wanted_disks(spec)->size(), 1u);
  EXPECT_EQ(wanted_disks(spec)->front().index, 1);
}

}  // namespace
}  // namespace kata::storage
