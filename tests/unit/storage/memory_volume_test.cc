#include "storage/memory_volume.h"

#include <sys/stat.h>

#include "gmock/gmock.h"
#include "support/private_mounts.h"

namespace kata::storage {
namespace {

namespace fs = std::filesystem;
using test::in_private_mounts;

constexpr char kTable[] =
    "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
    "30 20 0:40 / /pods/u1/volumes/kubernetes.io~empty-dir/cache rw shared:5 - tmpfs tmpfs rw\n"
    "31 20 0:41 / /mnt/plain\\040tmpfs rw shared:6 master:2 - tmpfs tmpfs rw\n"
    "32 20 0:40 /logs/a /pods/u1/volume-subpaths/cache/c/0 rw - tmpfs tmpfs rw\n"
    "33 20";

TEST(MountTable, FieldsAndEscapes) {
  auto table = parse_mount_table(kTable);
  ASSERT_EQ(table.size(), 4u);  // the last line is cut short
  EXPECT_EQ(table[1].id, 30u);
  EXPECT_EQ(table[1].device, "0:40");
  EXPECT_EQ(table[2].point, "/mnt/plain tmpfs");
  EXPECT_EQ(table[3].root, "/logs/a");
  EXPECT_EQ(table[1].options, "rw");
  EXPECT_TRUE(table[1].propagates);
  EXPECT_TRUE(table[2].propagates);
  EXPECT_FALSE(table[3].propagates);
}

TEST(MemoryVolume, IsFoundByItsFolderAndFileSystem) {
  auto table = parse_mount_table(kTable);
  auto whole = find_memory_volume(table, 30, "/pods/u1/volumes/kubernetes.io~empty-dir/cache");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->name, "cache");
  EXPECT_EQ(whole->inside, "");
  // A subPath is a bind mount of a folder in it; a folder below a mount counts too.
  auto sub = find_memory_volume(table, 32, "/pods/u1/volume-subpaths/cache/c/0/deeper");
  ASSERT_TRUE(sub);
  EXPECT_EQ(sub->name, "cache");
  EXPECT_EQ(sub->inside, "/logs/a/deeper");
  EXPECT_FALSE(find_memory_volume(table, 31, "/mnt/plain tmpfs"));
  EXPECT_FALSE(find_memory_volume(table, 20, "/etc"));
  EXPECT_FALSE(find_memory_volume(table, 99, "/etc"));
}

struct Volume {
  std::string dir = test::temp_dir();
  std::string path = dir + "/kubernetes.io~empty-dir/cache";
  Volume() {
    fs::create_directories(path);
    EXPECT_EQ(mount("t", path.c_str(), "tmpfs", 0, "size=8m,mode=2777,gid=4000"), 0);
  }
  ~Volume() {
    umount2(path.c_str(), MNT_DETACH);
    fs::remove_all(dir);
  }
};

void add_bind(grpc::Spec* spec, const std::string& source, const std::string& destination) {
  auto* mount = spec->add_mounts();
  mount->set_type("bind");
  mount->set_source(source);
  mount->set_destination(destination);
  mount->add_options("rbind");
  mount->add_options("ro");
}

TEST(MemoryVolume, BecomesATmpfsOfTheGuest) {
  in_private_mounts([] {
    Volume volume;
    fs::create_directories(volume.path + "/sub");
    fs::create_directories(volume.dir + "/plain");
    grpc::Spec spec;
    add_bind(&spec, volume.dir + "/plain", "/plain");
    add_bind(&spec, volume.path, "/cache");
    add_bind(&spec, volume.path + "/sub", "/sub");
    add_bind(&spec, volume.dir + "/missing", "/missing");
    oci::GuestContext context;
    auto storages = place_memory_volumes(spec, &context);
    ASSERT_TRUE(storages) << storages.error().message();
    ASSERT_EQ(storages->size(), 2u);
    EXPECT_EQ(storages->at(0).driver(), "ephemeral");
    EXPECT_EQ(storages->at(0).mount_point(), "/run/kata-containers/sandbox/ephemeral/cache");
    EXPECT_THAT(storages->at(0).options(),
                testing::ElementsAre("mode=2777", "size=8388608", "fsgid=4000"));
    EXPECT_EQ(storages->at(1).driver(), "local");
    EXPECT_EQ(storages->at(1).mount_point(), "/run/kata-containers/sandbox/ephemeral/cache/sub");
    ASSERT_EQ(context.mounts.size(), 2u);
    EXPECT_EQ(context.mounts[1]->source(), "/run/kata-containers/sandbox/ephemeral/cache");
    EXPECT_EQ(context.mounts[1]->options(1), "ro");
    EXPECT_EQ(context.mounts[2]->source(), "/run/kata-containers/sandbox/ephemeral/cache/sub");
    // Only the others are left to be shared.
    EXPECT_THAT(oci::host_binds(spec, context), testing::ElementsAre(0, 3));
  });
}

TEST(MemoryVolume, ATmpfsElsewhereIsShared) {
  in_private_mounts([] {
    const std::string dir = test::temp_dir();
    ASSERT_EQ(mount("t", dir.c_str(), "tmpfs", 0, nullptr), 0);
    grpc::Spec spec;
    add_bind(&spec, dir, "/vol");
    oci::GuestContext context;
    auto storages = place_memory_volumes(spec, &context);
    ASSERT_TRUE(storages);
    EXPECT_TRUE(storages->empty());
    EXPECT_TRUE(context.mounts.empty());
    umount2(dir.c_str(), MNT_DETACH);
    fs::remove_all(dir);
  });
}

// Kubernetes always gives a size; without one it is half of the machine's memory, so of the
// guest's.
TEST(MemoryVolume, WithoutALimitItFollowsTheGuestsMemory) {
  in_private_mounts([] {
    Volume volume;
    grpc::Spec spec;
    add_bind(&spec, volume.path, "/cache");
    oci::GuestContext limited, unlimited;
    auto storages = place_memory_volumes(spec, &limited);
    ASSERT_TRUE(storages);
    EXPECT_FALSE(follows_memory(storages->at(0)));
    umount2(volume.path.c_str(), MNT_DETACH);
    ASSERT_EQ(mount("t", volume.path.c_str(), "tmpfs", 0, "mode=0755"), 0);
    storages = place_memory_volumes(spec, &unlimited);
    ASSERT_TRUE(storages);
    EXPECT_THAT(storages->at(0).options(), testing::ElementsAre("mode=0755"));
    EXPECT_TRUE(follows_memory(storages->at(0)));
    const grpc::Storage resized = resized_to_memory("/m");
    EXPECT_EQ(resized.mount_point(), "/m");
    EXPECT_THAT(resized.options(), testing::ElementsAre("size=50%"));
  });
}

TEST(MemoryVolume, HugePagesAreThoseOfTheLimit) {
  in_private_mounts([] {
    Volume volume;
    umount2(volume.path.c_str(), MNT_DETACH);
    if (mount("none", volume.path.c_str(), "hugetlbfs", 0, "pagesize=2M,mode=0777") < 0) {
      GTEST_SKIP() << "this kernel has no hugetlbfs with pages of 2 MiB";
    }
    grpc::Spec spec;
    add_bind(&spec, volume.path, "/huge");
    oci::GuestContext none, some;
    auto refused = place_memory_volumes(spec, &none);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
    EXPECT_NE(refused.error().message().find("hugepages-2Mi"), std::string::npos);
    auto* limit = spec.mutable_linux()->mutable_resources()->add_hugepagelimits();
    limit->set_pagesize("1GB");
    limit->set_limit(1 << 30);
    limit = spec.mutable_linux()->mutable_resources()->add_hugepagelimits();
    limit->set_pagesize("2MB");
    limit->set_limit(6 << 20);
    auto storages = place_memory_volumes(spec, &some);
    ASSERT_TRUE(storages) << storages.error().message();
    const grpc::Storage& made = storages->at(0);
    EXPECT_EQ(made.fstype(), "hugetlbfs");
    EXPECT_EQ(made.source(), "nodev");
    EXPECT_THAT(made.options(), testing::ElementsAre("pagesize=2097152,size=6291456", "mode=0777"));
    EXPECT_FALSE(follows_memory(made));
    EXPECT_EQ(some.mounts[0]->source(), "/run/kata-containers/sandbox/ephemeral/cache");
  });
}

TEST(MemoryVolume, PageSizesOfTheRuntimeSpec) {
  EXPECT_EQ(parse_page_size("64KB"), 64u << 10);
  EXPECT_EQ(parse_page_size("2MB"), 2u << 20);
  EXPECT_EQ(parse_page_size("1GB"), 1u << 30);
  for (const char* bad : {"", "MB", "2", "2M", "-2MB", "2MBx", "99999GB"}) {
    EXPECT_EQ(parse_page_size(bad), 0u) << bad;
  }
}

}  // namespace
}  // namespace kata::storage
