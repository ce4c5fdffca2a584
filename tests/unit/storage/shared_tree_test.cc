#include "storage/shared_tree.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <filesystem>
#include <thread>

#include "base/file.h"
#include "gmock/gmock.h"
#include "support/private_mounts.h"

namespace kata::storage {
namespace {

namespace fs = std::filesystem;
using test::in_private_mounts;
using test::mount_table;
using test::slurp;

const std::vector<std::string> kNoContainer = {"watchable"};

size_t open_fds() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

struct Bed {
  std::string dir = test::temp_dir();
  Journal journal = std::move(*Journal::open(dir + "/journal"));
  std::string root = dir + "/shared";
  std::string before = mount_table();
  size_t fds = open_fds();
  std::unique_ptr<SharedTree> tree = make();
  oci::GuestContext context;

  std::unique_ptr<SharedTree> make() {
    auto made = SharedTree::create("sb", journal, root);
    EXPECT_TRUE(made) << made.error().message();
    return made ? std::move(*made) : nullptr;
  }
  std::string folder(const std::string& name) {
    fs::create_directories(dir + "/" + name);
    return dir + "/" + name;
  }
  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(dir + "/" + name) << text;
    return dir + "/" + name;
  }
  // What the guest sees under a guest path.
  std::string seen(const std::string& guest_path) {
    EXPECT_TRUE(guest_path.starts_with(kGuestShared)) << guest_path;
    return tree->exported() + guest_path.substr(kGuestShared.size());
  }
  grpc::Spec binds(const std::vector<std::array<std::string, 3>>& list) {
    grpc::Spec spec;
    for (const auto& [source, destination, options] : list) {
      auto* mount = spec.add_mounts();
      mount->set_type("bind");
      mount->set_source(source);
      mount->set_destination(destination);
      std::stringstream words(options);
      for (std::string word; std::getline(words, word, ',');) mount->add_options(word);
    }
    return spec;
  }
  void expect_clean() {
    EXPECT_TRUE(tree->destroy());
    EXPECT_TRUE(tree->destroy());
    EXPECT_EQ(mount_table(), before);
    EXPECT_FALSE(fs::exists(root + "/sb"));
    EXPECT_TRUE(journal.live().empty());
    EXPECT_EQ(open_fds(), fds);
  }
  ~Bed() { fs::remove_all(dir); }
};

TEST(SharedTree, RootfsShowsUpInTheExport) {
  in_private_mounts([] {
    Bed bed;
    bed.file("x", "");
    const std::string rootfs = bed.folder("bundle/rootfs");
    bed.file("bundle/rootfs/hello", "hi");
    auto guest = bed.tree->share_rootfs("c1", rootfs, {});
    ASSERT_TRUE(guest) << guest.error().message();
    EXPECT_EQ(*guest, "/run/kata-containers/shared/containers/c1/rootfs");
    EXPECT_EQ(slurp(bed.seen(*guest) + "/hello"), "hi");
    std::ofstream(bed.seen(*guest) + "/from-guest") << "y";
    EXPECT_EQ(slurp(rootfs + "/from-guest"), "y");
    EXPECT_EQ(bed.tree->share_rootfs("c1", rootfs, {}).error().code(), Code::kAlreadyExists);
    // The top of the export is not writable.
    EXPECT_EQ(mkdir((bed.tree->exported() + "/new").c_str(), 0700), -1);
    EXPECT_EQ(errno, EROFS);
    EXPECT_TRUE(bed.tree->unshare("c1"));
    EXPECT_TRUE(bed.tree->unshare("c1"));
    EXPECT_EQ(test::names_in(bed.tree->exported()), kNoContainer);
    EXPECT_TRUE(fs::exists(rootfs + "/hello"));
    bed.expect_clean();
  });
}

TEST(SharedTree, SubmountsOfTheRootfsComeAlong) {
  in_private_mounts([] {
    Bed bed;
    const std::string rootfs = bed.folder("bundle/rootfs");
    bed.folder("bundle/rootfs/sub");
    ASSERT_EQ(mount("t", (rootfs + "/sub").c_str(), "tmpfs", 0, nullptr), 0);
    bed.before = mount_table();
    bed.file("bundle/rootfs/sub/f", "sub");
    // The mount table was taken with the tree in it: compare after a fresh start.
    auto guest = bed.tree->share_rootfs("c", rootfs, {});
    ASSERT_TRUE(guest);
    EXPECT_EQ(slurp(bed.seen(*guest) + "/sub/f"), "sub");
    EXPECT_TRUE(bed.tree->unshare("c"));
    EXPECT_EQ(mount_table(), bed.before);
    EXPECT_TRUE(bed.tree->destroy());
    EXPECT_EQ(umount((rootfs + "/sub").c_str()), 0);
  });
}

TEST(SharedTree, ReadOnlyRootGetsItsMountPointsFirst) {
  in_private_mounts([] {
    Bed bed;
    const std::string rootfs = bed.folder("bundle/rootfs");
    bed.folder("bundle/rootfs/real");
    bed.folder("outside");
    fs::create_directory_symlink("/real", rootfs + "/inside");
    fs::create_directory_symlink(bed.dir + "/outside", rootfs + "/escape");
    fs::create_directory_symlink("../../../outside", rootfs + "/climb");
    auto spec = bed.binds({{bed.file("f", "x"), "/etc/deep/resolv.conf", "ro"},
                           {bed.folder("d"), "/inside/data", "rbind"},
                           {bed.folder("d"), "/climb/x", "rbind"},
                           {bed.folder("d"), "/../../up", "rbind"}});
    auto* dev = spec.add_mounts();
    dev->set_type("tmpfs");
    dev->set_destination("/dev");
    auto* pts = spec.add_mounts();
    pts->set_type("devpts");
    pts->set_destination("/dev/pts");
    spec.mutable_root()->set_readonly(true);
    spec.mutable_process()->set_cwd("/work/dir");
    auto guest = bed.tree->share_rootfs("c", rootfs, spec);
    ASSERT_TRUE(guest);
    const std::string seen = bed.seen(*guest);
    EXPECT_TRUE(fs::is_regular_file(seen + "/etc/deep/resolv.conf"));
    EXPECT_TRUE(fs::is_directory(rootfs + "/real/data"));
    EXPECT_TRUE(fs::is_directory(seen + "/dev"));
    EXPECT_FALSE(fs::exists(seen + "/dev/pts"));
    EXPECT_TRUE(fs::is_directory(seen + "/up"));
    EXPECT_TRUE(fs::is_directory(seen + "/work/dir"));
    EXPECT_TRUE(fs::is_empty(bed.dir + "/outside"));
    EXPECT_EQ(mkdir((seen + "/new").c_str(), 0700), -1);
    EXPECT_EQ(errno, EROFS);
    bed.expect_clean();
  });
}

TEST(SharedTree, ReadOnlyVolumesAreReadOnlyWithAllBelow) {
  in_private_mounts([] {
    Bed bed;
    const std::string volume = bed.folder("vol");
    bed.folder("vol/sub");
    ASSERT_EQ(mount("t", (volume + "/sub").c_str(), "tmpfs", 0, nullptr), 0);
    auto spec = bed.binds({{volume, "/ro", "rbind,ro"},
                           {volume, "/rw", "rbind,rw"},
                           {volume, "/flat", "bind"},
                           {bed.file("vol/file", "data"), "/etc/file", "rbind,ro"}});
    auto mounts = bed.tree->share_mounts("c", spec, bed.context);
    ASSERT_TRUE(mounts) << mounts.error().message();
    ASSERT_EQ(mounts->size(), 4u);
    const auto at = [&](int i) { return bed.seen((*mounts)[i]->source()); };
    for (const char* name : {"/new", "/sub/new"}) {
      EXPECT_EQ(creat((at(0) + name).c_str(), 0600), -1);
      EXPECT_EQ(errno, EROFS);
    }
    EXPECT_EQ(remove((at(0) + "/file").c_str()), -1);
    EXPECT_EQ(truncate(at(3).c_str(), 0), -1);
    EXPECT_EQ(errno, EROFS);
    EXPECT_EQ(slurp(at(3)), "data");
    std::ofstream(at(1) + "/sub/new") << "w";
    EXPECT_EQ(slurp(volume + "/sub/new"), "w");
    EXPECT_TRUE(fs::is_empty(at(2) + "/sub"));
    EXPECT_THAT((*mounts)[0]->source(), ::testing::MatchesRegex(".*/c-[0-9a-f]+-ro"));
    EXPECT_EQ((*mounts)[0]->destination(), "/ro");
    EXPECT_TRUE(bed.tree->unshare("c"));
    ASSERT_EQ(umount((volume + "/sub").c_str()), 0);
    bed.expect_clean();
  });
}

TEST(SharedTree, LaterMountsOfTheHostReachWritableVolumesThatAskForThem) {
  in_private_mounts([] {
    ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr), 0);
    Bed bed;
    const std::string volume = bed.folder("vol");
    bed.folder("vol/sub");
    auto mounts = bed.tree->share_mounts("c",
                                         bed.binds({{volume, "/none", "rbind"},
                                                    {volume, "/private", "rbind,rprivate"},
                                                    {volume, "/readonly", "rbind,rslave,ro"},
                                                    {volume, "/slave", "rbind,rslave"},
                                                    {volume, "/shared", "rbind,rshared"}}),
                                         bed.context);
    ASSERT_TRUE(mounts);
    const auto sub = [&](int i) { return bed.seen((*mounts)[i]->source()) + "/sub"; };
    ASSERT_EQ(mount("t", (volume + "/sub").c_str(), "tmpfs", 0, nullptr), 0);
    bed.file("vol/sub/late", "x");
    for (int i : {0, 1, 2}) EXPECT_TRUE(fs::is_empty(sub(i))) << i;
    for (int i : {3, 4}) EXPECT_EQ(slurp(sub(i) + "/late"), "x") << i;
    // They leave as they came, and nothing that happens in the tree reaches the host.
    ASSERT_EQ(umount((volume + "/sub").c_str()), 0);
    for (int i : {3, 4}) EXPECT_TRUE(fs::is_empty(sub(i))) << i;
    for (int i : {3, 4}) {
      const std::string inside = bed.root + "/sb/mounts/" + basename((*mounts)[i]->source());
      ASSERT_EQ(mount("t", (inside + "/sub").c_str(), "tmpfs", 0, nullptr), 0);
      std::ofstream(inside + "/sub/theirs") << "y";
    }
    EXPECT_TRUE(fs::is_empty(volume + "/sub"));
    // What is unmounted in the tree stays mounted on the host.
    ASSERT_EQ(mount("t", (volume + "/sub").c_str(), "tmpfs", 0, nullptr), 0);
    bed.file("vol/sub/late", "x");
    EXPECT_TRUE(bed.tree->unshare("c"));
    EXPECT_TRUE(fs::exists(volume + "/sub/late"));
    ASSERT_EQ(umount((volume + "/sub").c_str()), 0);
    bed.expect_clean();
  });
}

TEST(SharedTree, SpecialFiles) {
  in_private_mounts([] {
    Bed bed;
    const std::string block = bed.dir + "/block", fifo = bed.dir + "/fifo";
    ASSERT_EQ(mknod(block.c_str(), S_IFBLK | 0600, makedev(254, 0)), 0);
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    auto mounts = bed.tree->share_mounts(
        "c", bed.binds({{block, "/b", "bind"}, {"/dev/null", "/n", "bind"}, {fifo, "/f", "bind"}}),
        bed.context);
    ASSERT_TRUE(mounts) << mounts.error().message();
    EXPECT_FALSE((*mounts)[0].has_value());
    EXPECT_EQ((*mounts)[1]->source(), "/dev/null");
    EXPECT_TRUE(fs::is_fifo(bed.seen((*mounts)[2]->source())));
    bed.expect_clean();
  });
}

TEST(SharedTree, MissingSourceIsAnErrorAndLeavesNothing) {
  in_private_mounts([] {
    Bed bed;
    auto mounts = bed.tree->share_mounts(
        "c", bed.binds({{bed.folder("ok"), "/ok", ""}, {bed.dir + "/no", "/no", ""}}), bed.context);
    ASSERT_FALSE(mounts);
    EXPECT_EQ(mounts.error().code(), Code::kNotFound);
    EXPECT_TRUE(bed.tree->unshare("c"));
    EXPECT_EQ(test::names_in(bed.tree->exported()), kNoContainer);
    bed.expect_clean();
  });
}

TEST(SharedTree, HostileNames) {
  in_private_mounts([] {
    Bed bed;
    const std::string source = bed.folder("ok");
    for (const auto& id : {std::string(".."), std::string("."), std::string(), std::string("a/b"),
                           std::string(256, 'x'), std::string("a\0b", 3)}) {
      EXPECT_FALSE(bed.tree->share_rootfs(id, source, {})) << id;
    }
    const std::string long_id(76, 'c');
    for (const auto& name : {std::string(255, 'n'), std::string(".."), std::string("a\nb c"),
                             std::string("\xc3\xa9"), std::string()}) {
      auto mounts =
          bed.tree->share_mounts(long_id, bed.binds({{source, "/x/" + name, ""}}), bed.context);
      ASSERT_TRUE(mounts) << mounts.error().message();
      const std::string guest = (*mounts)[0]->source();
      EXPECT_LE(basename(guest).size(), 255u);
      EXPECT_EQ(dirname(guest), kGuestShared);
    }
    bed.expect_clean();
  });
}

TEST(SharedTree, ASecondTreeIsRefused) {
  in_private_mounts([] {
    Bed bed;
    EXPECT_EQ(SharedTree::create("sb", bed.journal, bed.root).error().code(), Code::kAlreadyExists);
    EXPECT_FALSE(SharedTree::create("../x", bed.journal, bed.root));
    bed.expect_clean();
  });
}

TEST(SharedTree, TheJournalFreesWhatACrashLeft) {
  in_private_mounts([] {
    Bed bed;
    const std::string rootfs = bed.folder("bundle/rootfs");
    bed.file("bundle/rootfs/precious", "x");
    ASSERT_TRUE(bed.tree->share_rootfs("c", rootfs, {}));
    ASSERT_TRUE(bed.tree->share_mounts(
        "c", bed.binds({{rootfs, "/v", "rbind"}, {bed.file("f", "y"), "/f", "ro"}}), bed.context));
    bed.tree.reset();
    const journal::UndoOptions options{{bed.dir}, {}};
    ASSERT_TRUE(undo_all(bed.journal.path(), options));
    EXPECT_EQ(mount_table(), bed.before);
    EXPECT_FALSE(fs::exists(bed.root + "/sb"));
    EXPECT_TRUE(fs::exists(rootfs + "/precious"));
    EXPECT_TRUE(fs::exists(bed.dir + "/f"));
  });
}

// The shim dies with its mount namespace; `delete` works from the host's.
TEST(SharedTree, TheJournalOfAGoneMountNamespaceIsReplayedOutside) {
  in_private_mounts([] {
    ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr), 0);
    const std::string dir = test::temp_dir();
    const std::string before = mount_table();
    fs::create_directories(dir + "/rootfs/keep");
    pid_t shim = fork();
    if (shim == 0) {
      if (unshare(CLONE_NEWNS) < 0 ||
          mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0 ||
          mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr) < 0) {
        _exit(3);
      }
      auto journal = Journal::open(dir + "/journal");
      auto tree = SharedTree::create("sb", *journal, dir + "/shared");
      auto shared = (*tree)->share_rootfs("c", dir + "/rootfs", {});
      const bool visible = fs::exists((*tree)->exported() + "/c/rootfs/keep");
      _exit(shared && visible ? 0 : 4);
    }
    int status = 0;
    waitpid(shim, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_EQ(mount_table(), before);
    ASSERT_TRUE(undo_all(dir + "/journal", {{dir}, {}}));
    EXPECT_FALSE(fs::exists(dir + "/shared/sb"));
    EXPECT_TRUE(fs::exists(dir + "/rootfs/keep"));
    fs::remove_all(dir);
  });
}

// Someone swaps a name of the tree for a symlink while things are shared and taken away: nothing
// outside may be mounted on, unmounted or removed.
TEST(SharedTree, SymlinkRacesEndInErrorsOnly) {
  in_private_mounts([] {
    Bed bed;
    const std::string rootfs = bed.folder("bundle/rootfs");
    const std::string victim = bed.folder("victim");
    bed.folder("victim/rootfs");
    ASSERT_EQ(mount("t", (victim + "/rootfs").c_str(), "tmpfs", 0, nullptr), 0);
    bed.file("victim/rootfs/precious", "x");
    const std::string with_victim = mount_table();
    const std::string name = bed.root + "/sb/mounts/c", aside = bed.root + "/sb/mounts/aside";
    std::atomic<bool> stop = false;
    std::thread attacker([&] {
      while (!stop) {
        rename(name.c_str(), aside.c_str());
        if (symlink(victim.c_str(), name.c_str()) == 0) unlink(name.c_str());
        rename(aside.c_str(), name.c_str());
      }
    });
    for (int round = 0; round < 200; ++round) {
      auto shared = bed.tree->share_rootfs("c", rootfs, {});
      (void)shared;
      for (int i = 0; i < 1000 && !bed.tree->unshare("c"); ++i) {
      }
    }
    stop = true;
    attacker.join();
    // A container that was out of sight when it was taken away keeps its mount, and once it is back
    // the next one goes on top: the attacker's doing, which destroy() frees with the tree. Here it
    // goes by hand, all layers of it, so that the rest of the table can be compared.
    for (const auto& path : {name, aside}) {
      while (umount2((path + "/rootfs").c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) {
      }
      rmdir((path + "/rootfs").c_str());
      if (rmdir(path.c_str()) < 0) unlink(path.c_str());
    }
    EXPECT_TRUE(fs::exists(victim + "/rootfs/precious"));
    EXPECT_EQ(mount_table(), with_victim);
    ASSERT_EQ(umount((victim + "/rootfs").c_str()), 0);
    EXPECT_TRUE(bed.tree->unshare("c"));
    EXPECT_TRUE(bed.tree->destroy());
    EXPECT_EQ(mount_table(), bed.before);
  });
}

TEST(SharedTree, TwoHundredContainersLeaveNothing) {
  in_private_mounts([] {
    Bed bed;
    const std::string rootfs = bed.folder("bundle/rootfs");
    const std::string inside = mount_table();
    const size_t fds = open_fds();
    for (int i = 0; i < 200; ++i) {
      const std::string id = "c" + std::to_string(i);
      ASSERT_TRUE(bed.tree->share_rootfs(id, rootfs, {}));
      ASSERT_TRUE(bed.tree->share_mounts(id, bed.binds({{rootfs, "/v", "ro"}}), bed.context));
      ASSERT_TRUE(bed.tree->unshare(id));
    }
    EXPECT_EQ(mount_table(), inside);
    EXPECT_EQ(open_fds(), fds);
    bed.expect_clean();
  });
}

TEST(SharedTree, SandboxMountsAreReadOnlyUnlessTheySayOtherwise) {
  in_private_mounts([] {
    Bed bed;
    const std::string plain = bed.folder("plain"), open = bed.folder("open");
    const std::string file = bed.file("file", "text");
    auto shared = bed.tree->share_sandbox_mounts({plain + "/", open + ":rw", file + ":ro"});
    ASSERT_TRUE(shared) << shared.error().message();
    const std::string place = bed.tree->exported() + "/sandbox-mounts/";
    EXPECT_EQ(slurp(place + "file"), "text");
    EXPECT_FALSE(write_file(place + "plain/new", "x"));
    EXPECT_TRUE(write_file(place + "open/new", "x"));
    EXPECT_FALSE(write_file(place + "file", "x"));
    auto missing = bed.tree->share_sandbox_mounts({bed.dir + "/missing"});
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message().find("sandbox_bind_mounts"), std::string::npos);
    EXPECT_NE(missing.error().message().find(bed.dir + "/missing"), std::string::npos);
    bed.expect_clean();
  });
}

TEST(SharedTree, ItsOwnFoldersAreNoContainerNames) {
  in_private_mounts([] {
    Bed bed;
    for (const char* id : {"watchable", "sandbox-mounts"}) {
      auto refused = bed.tree->share_rootfs(id, bed.folder("rootfs"), grpc::Spec());
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
    }
    bed.expect_clean();
  });
}

TEST(SharedTree, VolumeWithMappedIds) {
  in_private_mounts([] {
    Bed bed;
    // A tmpfs: what the test's own folder lies on may not take part.
    const std::string volume = bed.folder("volume");
    ASSERT_EQ(mount("t", volume.c_str(), "tmpfs", 0, nullptr), 0);
    std::ofstream(volume + "/file") << "1";
    ASSERT_EQ(chown((volume + "/file").c_str(), 5, 6), 0);
    auto spec = bed.binds({{volume, "/named", "rbind"}, {volume, "/word", "rbind,ridmap"}});
    for (auto* map :
         {spec.mutable_mounts(0)->add_uidmappings(), spec.mutable_mounts(0)->add_gidmappings(),
          spec.mutable_linux()->add_uidmappings(), spec.mutable_linux()->add_gidmappings()}) {
      map->set_hostid(100000);
      map->set_size(65536);
    }
    auto mounts = bed.tree->share_mounts("c1", spec, bed.context);
    ASSERT_TRUE(mounts) << mounts.error().message();
    for (const auto& [index, mount] : *mounts) {
      struct stat info {};
      ASSERT_EQ(stat((bed.seen(mount->source()) + "/file").c_str(), &info), 0);
      EXPECT_EQ(info.st_uid, 100005U) << index;
      EXPECT_EQ(info.st_gid, 100006U) << index;
      EXPECT_EQ(mount->uidmappings_size() + mount->gidmappings_size(), 0);
      for (const auto& option : mount->options()) EXPECT_EQ(option.find("idmap"), option.npos);
    }
    umount2(volume.c_str(), MNT_DETACH);
    bed.expect_clean();
  });
}

TEST(SharedTree, AFileSystemThatCannotMapIdsIsNamed) {
  in_private_mounts([] {
    Bed bed;
    fs::create_directory_symlink("/proc/self/attr", bed.dir + "/link");
    auto spec = bed.binds({{bed.dir + "/link", "/named", "rbind"}});
    for (auto* map :
         {spec.mutable_mounts(0)->add_uidmappings(), spec.mutable_mounts(0)->add_gidmappings()}) {
      map->set_hostid(100000);
      map->set_size(65536);
    }
    auto mounts = bed.tree->share_mounts("c1", spec, bed.context);
    ASSERT_FALSE(mounts);
    EXPECT_EQ(mounts.error().code(), Code::kUnimplemented);
    EXPECT_NE(mounts.error().message().find("idmapped"), std::string::npos);
    bed.expect_clean();
  });
}

}  // namespace
}  // namespace kata::storage
