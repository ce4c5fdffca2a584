#include "storage/host_mounts.h"

#include <fcntl.h>

#include <thread>

#include "base/file.h"
#include "gmock/gmock.h"
#include "storage/mount_table.h"
#include "storage/shared_tree.h"
#include "support/private_mounts.h"

namespace kata::storage {
namespace {

namespace fs = std::filesystem;
using test::in_private_mounts;
using test::slurp;
using test::temp_dir;

void mount_tmpfs(const std::string& path) {
  ASSERT_EQ(mount("tmpfs", path.c_str(), "tmpfs", 0, "size=1m"), 0) << path;
}

// Another process that stays where we started: it mounts when we have left already.
class Host {
 public:
  explicit Host(const std::function<void()>& act) : act_(act) {
    EXPECT_EQ(pipe(go_), 0);
    pid_ = fork();
    if (pid_ != 0) return;
    char byte = 0;
    const bool told = read(go_[0], &byte, 1) == 1;
    if (told) act_();
    _exit(told && !::testing::Test::HasFailure() ? 0 : 1);
  }
  void act() {
    EXPECT_EQ(write(go_[1], "x", 1), 1);
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    EXPECT_EQ(status, 0);
  }

 private:
  std::function<void()> act_;
  int go_[2];
  pid_t pid_ = -1;
};

TEST(HostMounts, WithoutLeavingEverythingIsDoneHere) {
  const auto caller = std::this_thread::get_id();
  EXPECT_TRUE(in_host_mounts([&]() -> Status {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    return {};
  }));
}

TEST(HostMounts, LaterMountsOfAPrivateHostAreFound) {
  in_private_mounts([] {
    const std::string dir = temp_dir();
    fs::create_directories(dir + "/late");
    Host host([&] {
      mount_tmpfs(dir + "/late");
      std::ofstream(dir + "/late/word") << "of the host";
    });
    ASSERT_TRUE(leave_host_mounts());
    host.act();
    EXPECT_FALSE(fs::exists(dir + "/late/word"));
    auto file = open_on_host(dir + "/late/word", O_RDONLY);
    ASSERT_TRUE(file) << file.error().message();
    EXPECT_FALSE(open_on_host(dir + "/none", O_RDONLY));
    // The table belongs to the thread.
    std::vector<MountEntry> table;
    EXPECT_TRUE(in_host_mounts([&]() -> Status {
      TRY(table, read_mount_table());
      return {};
    }));
    EXPECT_THAT(table, testing::Contains(testing::Field(&MountEntry::point, dir + "/late")));
    EXPECT_THAT(*read_mount_table(),
                testing::Not(testing::Contains(testing::Field(&MountEntry::point, dir + "/late"))));
  });
}

TEST(HostMounts, ErrorsComeBack) {
  in_private_mounts([] {
    ASSERT_TRUE(leave_host_mounts());
    auto failed = in_host_mounts([] { return fail(Code::kNotFound, "no such thing"); });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message(), "no such thing");
  });
}

TEST(HostMounts, OursStayHere) {
  in_private_mounts([] {
    const std::string dir = temp_dir();
    ASSERT_TRUE(leave_host_mounts());
    mount_tmpfs(dir);
    std::ofstream(dir + "/word") << "ours";
    EXPECT_FALSE(open_on_host(dir + "/word", O_RDONLY));
    EXPECT_EQ(slurp(dir + "/word"), "ours");
  });
}

TEST(HostMounts, AChrootIsKept) {
  in_private_mounts([] {
    const std::string dir = temp_dir();
    fs::create_directories(dir + "/proc");
    std::ofstream(dir + "/word") << "below";
    ASSERT_EQ(mount("proc", (dir + "/proc").c_str(), "proc", 0, nullptr), 0);
    ASSERT_EQ(mount(dir.c_str(), dir.c_str(), nullptr, MS_BIND | MS_REC, nullptr), 0);
    ASSERT_EQ(chroot(dir.c_str()), 0);
    ASSERT_EQ(chdir("/"), 0);
    ASSERT_TRUE(leave_host_mounts());
    EXPECT_TRUE(open_on_host("/word", O_RDONLY));
  });
}

struct Tree {
  std::string dir = temp_dir();
  Journal journal = std::move(*Journal::open(dir + "/journal"));
  std::unique_ptr<SharedTree> tree;

  void make() {
    auto made = SharedTree::create("sb", journal, dir + "/shared");
    ASSERT_TRUE(made) << made.error().message();
    tree = std::move(*made);
  }
  std::string seen(const std::string& guest_path) const {
    return tree->exported() + guest_path.substr(kGuestShared.size());
  }
};

TEST(HostMounts, AVolumeMountedLaterIsShared) {
  in_private_mounts([] {
    Tree bed;
    const std::string volume = bed.dir + "/volume";
    fs::create_directories(volume + "/sub");
    Host host([&] {
      mount_tmpfs(volume);
      fs::create_directories(volume + "/sub");
      mount_tmpfs(volume + "/sub");
      std::ofstream(volume + "/sub/word") << "of the host";
    });
    ASSERT_TRUE(leave_host_mounts());
    bed.make();
    host.act();
    grpc::Spec spec;
    auto* mount = spec.add_mounts();
    mount->set_type("bind");
    mount->set_source(volume);
    mount->set_destination("/v");
    mount->add_options("rbind");
    auto shared = bed.tree->share_mounts("c", spec, {});
    ASSERT_TRUE(shared) << shared.error().message();
    const std::string place = bed.seen(shared->at(0)->source());
    EXPECT_EQ(slurp(place + "/sub/word"), "of the host");
    EXPECT_TRUE(bed.tree->destroy());
  });
}

TEST(HostMounts, ARootThatTheHostMountedLaterIsShared) {
  in_private_mounts([] {
    Tree bed;
    const std::string root = bed.dir + "/merged";
    fs::create_directories(root);
    Host host([&] {
      mount_tmpfs(root);
      std::ofstream(root + "/word") << "of the host";
    });
    ASSERT_TRUE(leave_host_mounts());
    bed.make();
    host.act();
    grpc::Spec spec;
    spec.mutable_root()->set_readonly(true);
    spec.add_mounts()->set_destination("/made");
    auto place = bed.tree->share_rootfs("c", root, spec);
    ASSERT_TRUE(place) << place.error().message();
    EXPECT_EQ(slurp(bed.seen(*place) + "/word"), "of the host");
    EXPECT_TRUE(fs::is_directory(bed.seen(*place) + "/made"));
    EXPECT_TRUE(bed.tree->destroy());
  });
}

TEST(HostMounts, ARootThatWeMountedIsOurs) {
  in_private_mounts([] {
    Tree bed;
    const std::string root = bed.dir + "/rootfs";
    fs::create_directories(root);
    ASSERT_TRUE(leave_host_mounts());
    bed.make();
    ASSERT_TRUE(bed.journal.add(journal::mount_entry(root)));
    mount_tmpfs(root);
    std::ofstream(root + "/word") << "ours";
    auto place = bed.tree->share_rootfs("c", root, {});
    ASSERT_TRUE(place) << place.error().message();
    EXPECT_EQ(slurp(bed.seen(*place) + "/word"), "ours");
    EXPECT_TRUE(bed.tree->destroy());
  });
}

}  // namespace
}  // namespace kata::storage
