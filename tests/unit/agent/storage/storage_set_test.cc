#include "agent/storage/storage_set.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/rpc/harness.h"
#include "agent/storage/mounting.h"
#include "agent/storage/tree_files.h"
#include "base/file.h"
#include "oci/watched_volume.h"

namespace kata::agent::test {
namespace {

using Storages = google::protobuf::RepeatedPtrField<grpc::Storage>;

// Mounts happen in a mount namespace of the test's own.
class StorageSetTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    ASSERT_EQ(unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr), 0);
  }
  Result<std::vector<std::string>> add(Harness& harness, Storages list) {
    return harness.wait(harness.agent().storages.add_all(std::move(list), "c1"));
  }
  void release(Harness& harness, std::vector<std::string> points) {
    harness.wait(release_task(harness, std::move(points)));
  }
  static Task<bool> release_task(Harness& harness, std::vector<std::string> points) {
    co_await harness.agent().storages.release_all(std::move(points));
    co_return true;
  }
};

TEST_F(StorageSetTest, SecondUserSharesTheMountAndTheLastUnmounts) {
  Harness harness;
  std::string source = harness.folder() + "/source", target = harness.folder() + "/target";
  ASSERT_TRUE(make_dir(source));
  ASSERT_TRUE(write_file(source + "/file", "x"));
  Storages list;
  auto* storage = list.Add();
  storage->set_driver("bind");
  storage->set_source(source);
  storage->set_mount_point(target);
  storage->add_options("ro,nosuid");
  auto first = add(harness, list);
  ASSERT_TRUE(first) << first.error().message();
  auto second = add(harness, list);
  ASSERT_TRUE(second);
  EXPECT_TRUE(path_exists(target + "/file"));
  EXPECT_FALSE(write_file(target + "/new", "x"));  // read-only
  release(harness, *first);
  EXPECT_TRUE(path_exists(target + "/file"));
  release(harness, *second);
  EXPECT_FALSE(path_exists(target + "/file"));
}

TEST_F(StorageSetTest, SharedOnesStay) {
  Harness harness;
  std::string source = harness.folder() + "/source", target = harness.folder() + "/target";
  ASSERT_TRUE(make_dir(source));
  ASSERT_TRUE(write_file(source + "/file", "x"));
  Storages list;
  auto* storage = list.Add();
  storage->set_driver("bind");
  storage->set_source(source);
  storage->set_mount_point(target);
  storage->set_shared(true);
  auto added = add(harness, list);
  ASSERT_TRUE(added);
  release(harness, *added);
  EXPECT_TRUE(path_exists(target + "/file"));
  (void)unmount_storage(target);
}

TEST_F(StorageSetTest, FailureGivesBackWhatTheCallAdded) {
  Harness harness;
  std::string source = harness.folder() + "/source", target = harness.folder() + "/target";
  ASSERT_TRUE(make_dir(source));
  ASSERT_TRUE(write_file(source + "/file", "x"));
  Storages list;
  auto* good = list.Add();
  good->set_driver("bind");
  good->set_source(source);
  good->set_mount_point(target);
  auto* bad = list.Add();
  bad->set_driver("no-such-driver");
  bad->set_mount_point("/nowhere");
  auto added = add(harness, list);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code(), Code::kInvalidArgument);
  EXPECT_FALSE(path_exists(target + "/file"));
}

TEST_F(StorageSetTest, EphemeralIsATmpfsWithSizeAndGroup) {
  Harness harness;
  std::string target = harness.folder() + "/shm";
  Storages list;
  auto* storage = list.Add();
  storage->set_driver("ephemeral");
  storage->set_source("shm");
  storage->set_fstype("tmpfs");
  storage->set_mount_point(target);
  for (const char* word : {"noexec", "nosuid", "nodev", "mode=1777", "size=65536", "fsgid=1234"}) {
    storage->add_options(word);
  }
  auto added = add(harness, list);
  ASSERT_TRUE(added) << added.error().message();
  EXPECT_EQ(mounted_type(target), "tmpfs");
  struct stat info {};
  ASSERT_EQ(stat(target.c_str(), &info), 0);
  EXPECT_EQ(info.st_gid, 1234u);
  EXPECT_TRUE(info.st_mode & S_ISGID);
  EXPECT_FALSE(write_file(target + "/big", std::string(100000, 'x')));
  storage->clear_options();
  storage->add_options("size=1048576");
  storage->add_options("fsgid=1234");
  ASSERT_TRUE(harness.wait(harness.agent().storages.update(*storage)));
  EXPECT_TRUE(write_file(target + "/big", std::string(100000, 'x')));
  (void)unmount_storage(target);
}

// The host tells when the original has changed; nobody looks in between.
TEST_F(StorageSetTest, AWatchedVolumeIsACopyThatTheHostKeepsFresh) {
  Harness harness;
  const std::string source = harness.folder() + "/source";
  const std::string target = harness.folder() + "/watchable/volume";
  ASSERT_TRUE(make_dir(source));
  ASSERT_TRUE(write_file(source + "/key", "old"));
  Storages list;
  auto* storage = list.Add();
  storage->set_driver("watchable-bind");
  storage->set_source(source);
  storage->set_mount_point(target);
  storage->add_driver_options(std::string(oci::kHostWatches));
  auto added = add(harness, list);
  ASSERT_TRUE(added) << added.error().message();
  EXPECT_EQ(mounted_type(dirname(target)), "tmpfs");
  EXPECT_EQ(*read_file(target + "/key"), "old");
  ASSERT_TRUE(write_file(source + "/key", "newer"));
  grpc::UpdateEphemeralMountsRequest told;
  *told.add_storages() = *storage;
  ASSERT_TRUE(harness.call_empty("UpdateEphemeralMounts", told));
  EXPECT_EQ(*read_file(target + "/key"), "newer");
  release(harness, *added);
  EXPECT_FALSE(path_exists(target));
  auto late = harness.call_empty("UpdateEphemeralMounts", told);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kNotFound);
  (void)unmount_storage(dirname(target));
}

// A shim that does not tell.
TEST_F(StorageSetTest, AWatchedVolumeIsLookedAtEveryTwoSeconds) {
  Harness harness;
  const std::string source = harness.folder() + "/source";
  const std::string target = harness.folder() + "/watchable/volume";
  ASSERT_TRUE(make_dir(source));
  Storages list;
  auto* storage = list.Add();
  storage->set_driver("watchable-bind");
  storage->set_source(source);
  storage->set_mount_point(target);
  auto added = add(harness, list);
  ASSERT_TRUE(added) << added.error().message();
  ASSERT_TRUE(write_file(source + "/key", "new"));
  for (int i = 0; i < 100 && !path_exists(target + "/key"); ++i) harness.run_for(200ms);
  EXPECT_TRUE(path_exists(target + "/key"));
  release(harness, *added);
  (void)unmount_storage(dirname(target));
}

TEST_F(StorageSetTest, AVolumeThatIsTooLargeToBeCopiedIsShared) {
  Harness harness;
  const std::string source = harness.folder() + "/source";
  const std::string target = harness.folder() + "/watchable/volume";
  ASSERT_TRUE(make_dir(source));
  for (size_t i = 0; i <= kMaxTreeEntries; ++i) {
    ASSERT_TRUE(write_file(source + "/" + std::to_string(i), ""));
  }
  Storages list;
  auto* storage = list.Add();
  storage->set_driver("watchable-bind");
  storage->set_source(source);
  storage->set_mount_point(target);
  storage->add_options("ro");
  auto added = add(harness, list);
  ASSERT_TRUE(added) << added.error().message();
  ASSERT_TRUE(write_file(source + "/0", "new"));
  EXPECT_EQ(*read_file(target + "/0"), "new") << "bound, not copied";
  EXPECT_FALSE(write_file(target + "/0", "x"));
  ASSERT_TRUE(harness.wait(harness.agent().storages.update(*storage)));
  release(harness, *added);
  EXPECT_FALSE(path_exists(target)) << "not even a mount point stays";
  EXPECT_TRUE(path_exists(source + "/0"));
  (void)unmount_storage(dirname(target));
}

TEST_F(StorageSetTest, LocalIsAFolderWithItsMode) {
  Harness harness;
  std::string target = harness.folder() + "/a/local";
  Storages list;
  auto* storage = list.Add();
  storage->set_driver("local");
  storage->set_mount_point(target);
  storage->add_options("mode=0777");
  ASSERT_TRUE(add(harness, list));
  struct stat info {};
  ASSERT_EQ(stat(target.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0777u);
}

// CVE-2020-2026 class: a planted link on the way must not redirect the mount.
TEST_F(StorageSetTest, MountPointsBehindSymlinksAreRefused) {
  Harness harness;
  std::string outside = harness.folder() + "/outside";
  ASSERT_TRUE(make_dir(outside));
  ASSERT_EQ(symlink(outside.c_str(), (harness.folder() + "/link").c_str()), 0);
  Storages list;
  auto* storage = list.Add();
  storage->set_driver("ephemeral");
  storage->set_source("tmpfs");
  storage->set_fstype("tmpfs");
  storage->set_mount_point(harness.folder() + "/link/inner");
  EXPECT_FALSE(add(harness, list));
  EXPECT_FALSE(path_exists(outside + "/inner"));
}

grpc::Storage local_folder(const std::string& target) {
  grpc::Storage storage;
  storage.set_driver("local");
  storage.set_mount_point(target);
  storage.add_options("mode=0707");
  storage.add_options("fsgid=77");
  return storage;
}

// A container makes the folder of a subPath a link before the next one asks for it.
TEST_F(StorageSetTest, LocalFoldersBehindSymlinksAreRefused) {
  Harness harness;
  std::string outside = harness.folder() + "/outside", volume = harness.folder() + "/volume";
  ASSERT_TRUE(make_dir(outside));
  ASSERT_TRUE(make_dir(outside + "/inner"));
  ASSERT_TRUE(make_dir(volume));
  ASSERT_EQ(chmod((outside + "/inner").c_str(), 0700), 0);
  ASSERT_EQ(symlink("../outside/inner", (volume + "/last").c_str()), 0);
  ASSERT_EQ(symlink("../outside", (volume + "/middle").c_str()), 0);
  for (const char* place : {"/last", "/middle/inner", "/middle/new"}) {
    Storages list;
    *list.Add() = local_folder(volume + place);
    auto added = add(harness, list);
    ASSERT_FALSE(added) << place;
    EXPECT_NE(added.error().message().find("symbolic links"), std::string::npos)
        << added.error().message();
  }
  struct stat info {};
  ASSERT_EQ(stat((outside + "/inner").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  EXPECT_EQ(info.st_gid, 0u);
  EXPECT_FALSE(path_exists(outside + "/new"));
}

TEST_F(StorageSetTest, WhatIsThereKeepsItsMode) {
  Harness harness;
  std::string folder = harness.folder() + "/folder", file = harness.folder() + "/file";
  ASSERT_TRUE(make_dir(folder));
  ASSERT_EQ(chmod(folder.c_str(), 0750), 0);
  ASSERT_TRUE(write_file(file, "x"));
  ASSERT_EQ(chmod(file.c_str(), 0640), 0);
  ASSERT_EQ(mkfifo((harness.folder() + "/fifo").c_str(), 0600), 0);
  Storages list, fifo;
  *list.Add() = local_folder(folder);
  *list.Add() = local_folder(file);
  auto added = add(harness, list);
  ASSERT_TRUE(added) << added.error().message();
  struct stat info {};
  ASSERT_EQ(stat(folder.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 02750u);  // set-gid comes with the group
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
  EXPECT_EQ(read_file(file).value(), "x");
  *fifo.Add() = local_folder(harness.folder() + "/fifo");
  EXPECT_FALSE(add(harness, fifo));
}

int layers(const std::string& target) {
  std::string table = read_file("/proc/self/mountinfo").value();
  int count = 0;
  for (size_t at = 0; (at = table.find(" " + target + " ", at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST_F(StorageSetTest, ASharedOneIsNotMountedAgain) {
  Harness harness;
  std::string source = harness.folder() + "/source", target = harness.folder() + "/target";
  ASSERT_TRUE(make_dir(source));
  Storages list;
  auto* storage = list.Add();
  storage->set_driver("bind");
  storage->set_source(source);
  storage->set_mount_point(target);
  storage->set_shared(true);
  for (int i = 0; i < 3; ++i) {
    auto added = add(harness, list);
    ASSERT_TRUE(added);
    EXPECT_EQ(layers(target), 1);
    release(harness, *added);
  }
  (void)unmount_storage(target);
}

// The first to come waits for a disk that never appears; those who wait behind it want something
// that can be had.
TEST_F(StorageSetTest, TheFailureOfOneIsNotThatOfThoseWhoWait) {
  Harness harness;
  std::string source = harness.folder() + "/source", target = harness.folder() + "/target";
  ASSERT_TRUE(make_dir(source));
  ASSERT_TRUE(write_file(source + "/file", "x"));
  Storages slow, quick;
  auto* disk = slow.Add();
  disk->set_driver("blk");
  disk->set_source("1f/1f");
  disk->set_fstype("ext4");
  disk->set_mount_point(target);
  auto* bind = quick.Add();
  bind->set_driver("bind");
  bind->set_source(source);
  bind->set_mount_point(target);
  using Added = Result<std::vector<std::string>>;
  std::optional<Added> first, second, third;
  auto& storages = harness.agent().storages;
  auto start = [&](Storages list, std::optional<Added>* result) {
    spawn(harness.loop().get_executor(),
          Harness::store(storages.add_all(std::move(list), "c1"), result));
  };
  start(slow, &first);
  start(quick, &second);
  start(quick, &third);
  harness.run_for(50ms);
  EXPECT_FALSE(first || second || third);
  for (int i = 0; i < 600 && !(first && second && third); ++i) harness.run_for(50ms);
  ASSERT_TRUE(first && second && third);
  EXPECT_FALSE(*first);
  ASSERT_TRUE(*second && *third);
  EXPECT_EQ(layers(target), 1);
  release(harness, **second);
  EXPECT_TRUE(path_exists(target + "/file"));
  release(harness, **third);
  EXPECT_FALSE(path_exists(target + "/file"));
  EXPECT_EQ(layers(target), 0);
}

}  // namespace
}  // namespace kata::agent::test
