#include "storage/rootfs_mounts.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <filesystem>

#include "base/file.h"
#include "gmock/gmock.h"
#include "support/private_mounts.h"

namespace kata::storage {
namespace {

namespace fs = std::filesystem;
using test::in_private_mounts;
using test::mount_table;

// A bundle on a tmpfs of its own: overlays need one below them.
struct Bed {
  std::string dir = test::temp_dir();
  std::string bundle = dir + "/bundle";
  grpc::Spec spec;
  Journal journal = make();
  std::string before = mount_table();

  Journal make() {
    EXPECT_EQ(mount("t", dir.c_str(), "tmpfs", 0, nullptr), 0);
    fs::create_directories(bundle + "/rootfs");
    spec.mutable_root()->set_path("rootfs");
    return std::move(*Journal::open(dir + "/journal"));
  }
  std::string folder(const std::string& name) {
    fs::create_directories(dir + "/" + name);
    return dir + "/" + name;
  }
  Result<std::string> mount_all(const std::vector<RootfsMount>& mounts) {
    return mount_rootfs(mounts, bundle, spec, journal);
  }
  void expect_clean() {
    EXPECT_TRUE(unmount_rootfs(bundle, journal));
    EXPECT_TRUE(unmount_rootfs(bundle, journal));
    EXPECT_EQ(mount_table(), before);
    EXPECT_TRUE(journal.live().empty());
  }
  ~Bed() {
    umount2(dir.c_str(), MNT_DETACH);
    fs::remove(dir);
  }
};

TEST(RootfsMounts, OverlayWithMappedIds) {
  in_private_mounts([] {
    Bed bed;
    std::ofstream(bed.folder("l1") + "/one") << "1";
    std::ofstream(bed.folder("l:2") + "/two") << "2";
    EXPECT_EQ(chown((bed.dir + "/l1/one").c_str(), 7, 8), 0);
    const std::string upper = bed.folder("up"), work = bed.folder("work");
    EXPECT_EQ(chown(upper.c_str(), 100000, 200000), 0);
    auto root =
        bed.mount_all({{"overlay",
                        "overlay",
                        "",
                        {"lowerdir=" + bed.dir + "/l1:" + bed.dir + "/l\\:2", "upperdir=" + upper,
                         "workdir=" + work, "uidmap=0:100000:65536", "gidmap=0:200000:65536"}}});
    ASSERT_TRUE(root) << root.error().message();
    struct stat one {
    }, two{}, top{};
    EXPECT_EQ(stat((*root + "/one").c_str(), &one), 0);
    EXPECT_EQ(stat((*root + "/two").c_str(), &two), 0);
    EXPECT_EQ(stat(root->c_str(), &top), 0);
    EXPECT_EQ(one.st_uid, 100007U);
    EXPECT_EQ(one.st_gid, 200008U);
    EXPECT_EQ(two.st_uid, 100000U);
    EXPECT_EQ(top.st_uid, 100000U);
    EXPECT_FALSE(path_exists(bed.bundle + "/.mapped-layers"));
    bed.expect_clean();
  });
}

TEST(RootfsMounts, MappedIdsOfOtherKindsAreRefused) {
  in_private_mounts([] {
    Bed bed;
    auto refused = bed.mount_all({{"tmpfs", "tmpfs", "", {"uidmap=0:1:2", "gidmap=0:1:2"}}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kUnimplemented);
    refused = bed.mount_all({{"overlay", "overlay", "", {"lowerdir=/no", "uidmap=0:1"}}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
    refused = bed.mount_all({{"overlay", "overlay", "", {"lowerdir=/no/such", "uidmap=0:1:2"}}});
    ASSERT_FALSE(refused);
    bed.expect_clean();
    EXPECT_FALSE(path_exists(bed.bundle + "/.mapped-layers"));
  });
}

TEST(RootfsMounts, OverlayOfLayers) {
  in_private_mounts([] {
    Bed bed;
    std::ofstream(bed.folder("l1") + "/one") << "1";
    std::ofstream(bed.folder("l2") + "/two") << "2";
    auto root =
        bed.mount_all({{"overlay",
                        "overlay",
                        "",
                        {"index=off", "workdir=" + bed.folder("w"), "upperdir=" + bed.folder("u"),
                         "lowerdir=" + bed.dir + "/l1:" + bed.dir + "/l2"}}});
    ASSERT_TRUE(root) << root.error().message();
    EXPECT_EQ(*root, bed.bundle + "/rootfs");
    EXPECT_TRUE(fs::exists(*root + "/one") && fs::exists(*root + "/two"));
    EXPECT_EQ(bed.journal.live().size(), 1u);
    bed.expect_clean();
  });
}

TEST(RootfsMounts, MoreLayersThanAPageHolds) {
  in_private_mounts([] {
    Bed bed;
    std::string lower = "lowerdir=";
    for (int i = 0; i < 120; ++i) {
      const std::string name = "snapshots-with-a-long-name/" + std::to_string(i) + "/fs";
      std::ofstream(bed.folder(name) + "/f" + std::to_string(i)) << i;
      lower += (i ? ":" : "") + bed.dir + "/" + name;
    }
    ASSERT_GT(lower.size(), 4096u);
    const std::string here = fs::current_path();
    auto root =
        bed.mount_all({{"overlay",
                        "overlay",
                        "",
                        {lower, "workdir=" + bed.folder("w"), "upperdir=" + bed.folder("u")}}});
    ASSERT_TRUE(root) << root.error().message();
    EXPECT_TRUE(fs::exists(*root + "/f0") && fs::exists(*root + "/f119"));
    EXPECT_EQ(fs::current_path(), here);
    bed.expect_clean();
  });
}

TEST(RootfsMounts, ReadOnlyBindAndStackedTargets) {
  in_private_mounts([] {
    Bed bed;
    std::ofstream(bed.folder("view/etc") + "/x") << "x";
    std::ofstream(bed.folder("etc") + "/y") << "y";
    auto root = bed.mount_all({{"bind", bed.dir + "/view", "", {"rbind", "ro"}},
                               {"bind", bed.dir + "/etc", "/etc", {"bind"}}});
    ASSERT_TRUE(root) << root.error().message();
    EXPECT_TRUE(fs::exists(*root + "/etc/y"));
    EXPECT_FALSE(std::ofstream(*root + "/new").is_open());
    EXPECT_EQ(errno, EROFS);
    EXPECT_TRUE(std::ofstream(*root + "/etc/new").is_open());
    bed.expect_clean();
  });
}

TEST(RootfsMounts, FailureLeavesNothing) {
  in_private_mounts([] {
    Bed bed;
    auto root = bed.mount_all({{"tmpfs", "tmpfs", "", {}}, {"overlay", "overlay", "", {}}});
    EXPECT_FALSE(root);
    EXPECT_EQ(mount_table(), bed.before);
    bed.expect_clean();
  });
}

TEST(RootfsMounts, DevicesAreNeverGuessed) {
  in_private_mounts([] {
    Bed bed;
    const std::string block = bed.dir + "/block", file = bed.dir + "/file";
    ASSERT_EQ(mknod(block.c_str(), S_IFBLK | 0600, makedev(254, 0)), 0);
    std::ofstream(file) << "f";
    for (const auto& source : {block, file, bed.dir + "/none", std::string("relative")}) {
      EXPECT_FALSE(bed.mount_all({{"bind", source, "", {"rbind", "ro"}}})) << source;
      EXPECT_FALSE(bed.mount_all({{"", source, "", {"bind"}}})) << source;
    }
    EXPECT_EQ(bed.mount_all({{"", block, "", {}}}).error().code(), Code::kInvalidArgument);
    EXPECT_EQ(mount_table(), bed.before);
  });
}

TEST(RootfsMounts, UnsupportedKindsSaySo) {
  in_private_mounts([] {
    Bed bed;
    const std::vector<RootfsMount> mounts{
        {"fuse.nydus-overlayfs", "overlay", "", {}},
        {"overlay", "overlay", "", {"io.katacontainers.volume=e30="}},
        {"ext4", "/x", "", {"loop"}},
    };
    for (const auto& mount : mounts) {
      auto root = bed.mount_all({mount});
      ASSERT_FALSE(root);
      EXPECT_EQ(root.error().code(), Code::kUnimplemented) << root.error().message();
    }
  });
}

TEST(RootfsMounts, EmptyListTakesTheSpecsRoot) {
  in_private_mounts([] {
    Bed bed;
    EXPECT_EQ(*bed.mount_all({}), bed.bundle + "/rootfs");
    bed.spec.mutable_root()->set_path(bed.folder("elsewhere"));
    EXPECT_EQ(*bed.mount_all({}), bed.dir + "/elsewhere");
    bed.spec.mutable_root()->set_path("missing");
    EXPECT_EQ(bed.mount_all({}).error().code(), Code::kNotFound);
    std::ofstream(bed.bundle + "/file") << "x";
    bed.spec.mutable_root()->set_path("file");
    EXPECT_EQ(bed.mount_all({}).error().code(), Code::kInvalidArgument);
    bed.spec.clear_root();
    EXPECT_EQ(bed.mount_all({}).error().code(), Code::kInvalidArgument);
  });
}

TEST(RootfsMounts, TargetsStayBelowTheRoot) {
  in_private_mounts([] {
    Bed bed;
    fs::create_directory_symlink(bed.folder("victim"), bed.bundle + "/rootfs/link");
    for (const char* target : {"../rootfs", "link", "/link", "a/../link", "./", "nope"}) {
      EXPECT_FALSE(bed.mount_all({{"tmpfs", "tmpfs", target, {}}})) << target;
    }
    EXPECT_EQ(mount_table(), bed.before);
  });
}

TEST(UnmountTree, FindsEverythingBelowAndFollowsNothing) {
  in_private_mounts([] {
    Bed bed;
    const std::string root = bed.bundle + "/rootfs";
    for (const char* name : {"victim", "bundle/rootfs/a b\\c"}) bed.folder(name);
    ASSERT_EQ(mount("t", (bed.dir + "/victim").c_str(), "tmpfs", 0, nullptr), 0);
    bed.before = mount_table();
    for (const auto& point : {root + "/a b\\c", root, root}) {
      ASSERT_EQ(mount("t", point.c_str(), "tmpfs", 0, nullptr), 0);
    }
    ASSERT_TRUE(unmount_tree(root));
    EXPECT_EQ(mount_table(), bed.before);
    fs::remove_all(root);
    fs::create_directory_symlink(bed.dir + "/victim", root);
    EXPECT_TRUE(unmount_tree(root));
    EXPECT_TRUE(unmount_tree(bed.dir + "/no/such"));
    EXPECT_EQ(mount_table(), bed.before);
  });
}

}  // namespace
}  // namespace kata::storage
