#include "agent/storage/tree_copy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <unistd.h>

#include <map>
#include <memory>

#include "base/file.h"
#include "support/temp_folder.h"

namespace kata::agent {
namespace {

class TreeCopyTest : public testing::Test {
 protected:
  void SetUp() override {
    source_ = folder_ + "/source";
    target_ = folder_ + "/target";
    ASSERT_TRUE(make_dir(source_));
    ASSERT_TRUE(make_dir(target_));
    copy_ = open_copy();
  }
  std::unique_ptr<TreeCopy> open_copy() {
    auto target = open_file(target_, O_RDONLY | O_DIRECTORY);
    return std::make_unique<TreeCopy>(source_, std::move(*target));
  }
  Status refresh(std::string generation = "", Clock::duration limit = Clock::duration::max()) {
    asio::io_context loop;
    Status done;
    spawn(loop.get_executor(), store(copy_.get(), std::move(generation), limit, &done));
    loop.run();
    return done;
  }
  static Task<> store(TreeCopy* copy, std::string generation, Clock::duration limit, Status* done) {
    *done = co_await copy->refresh(std::move(generation), limit);
  }
  // Turns that another user of the loop has while the copy is made.
  size_t turns_of_others() {
    asio::io_context loop;
    Status done = fail(Code::kCanceled, "not finished");
    size_t turns = 0;
    spawn(loop.get_executor(), store(copy_.get(), "", Clock::duration::max(), &done));
    spawn(loop.get_executor(), count_turns(&done, &turns));
    loop.run();
    return turns;
  }
  static Task<> count_turns(const Status* done, size_t* turns) {
    for (; !*done; ++*turns) {
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    }
  }
  std::string copied(const std::string& name) {
    return read_file(target_ + "/" + name).value_or("(absent)");
  }
  // As kubelet does: all files of the new generation, then one rename.
  void swap(const std::string& name, const std::map<std::string, std::string>& files) {
    ASSERT_TRUE(make_dir(source_ + "/" + name));
    for (const auto& [key, value] : files) {
      ASSERT_TRUE(write_file(source_ + "/" + name + "/" + key, value));
    }
    ASSERT_EQ(symlink(name.c_str(), (source_ + "/..data_tmp").c_str()), 0);
    ASSERT_EQ(rename((source_ + "/..data_tmp").c_str(), (source_ + "/..data").c_str()), 0);
    for (const auto& [key, value] : files) {
      if (path_exists(source_ + "/" + key)) continue;
      ASSERT_EQ(symlink(("..data/" + key).c_str(), (source_ + "/" + key).c_str()), 0);
    }
  }
  const kata::test::TempFolder temp_;
  const std::string folder_ = temp_.path();
  std::string source_, target_;
  std::unique_ptr<TreeCopy> copy_;
};

TEST_F(TreeCopyTest, OthersHaveTheirTurnBetweenFiles) {
  std::map<std::string, std::string> files;
  for (int i = 0; i < 200; ++i) files["key" + std::to_string(i)] = "x";
  swap("..1", files);
  EXPECT_GE(turns_of_others(), 200u);
  EXPECT_EQ(copied("key7"), "x");
  // Nothing to copy: looked at all the same, in the folder and as links.
  EXPECT_GE(turns_of_others(), 2 * 200u / 16);
}

TEST_F(TreeCopyTest, CopiesChangesAndRemovals) {
  ASSERT_TRUE(write_file(source_ + "/a", "1", 0640));
  ASSERT_TRUE(make_dir(source_ + "/d"));
  ASSERT_TRUE(write_file(source_ + "/d/b", "2"));
  ASSERT_TRUE(refresh());
  EXPECT_EQ(copied("a"), "1");
  EXPECT_EQ(copied("d/b"), "2");
  ASSERT_TRUE(write_file(source_ + "/a", "longer"));
  ASSERT_TRUE(remove_tree(source_ + "/d"));
  ASSERT_TRUE(refresh());
  EXPECT_EQ(copied("a"), "longer");
  EXPECT_FALSE(path_exists(target_ + "/d"));
}

TEST_F(TreeCopyTest, ANameMayChangeItsType) {
  ASSERT_TRUE(make_dir(source_ + "/x"));
  ASSERT_TRUE(write_file(source_ + "/x/b", "2"));
  ASSERT_TRUE(refresh());
  ASSERT_TRUE(remove_tree(source_ + "/x"));
  ASSERT_TRUE(write_file(source_ + "/x", "file"));
  ASSERT_TRUE(refresh());
  EXPECT_EQ(copied("x"), "file");
  ASSERT_TRUE(remove_file(source_ + "/x"));
  ASSERT_EQ(symlink("elsewhere", (source_ + "/x").c_str()), 0);
  ASSERT_TRUE(refresh());
  char link[64] = {};
  EXPECT_GT(readlink((target_ + "/x").c_str(), link, sizeof link - 1), 0);
  EXPECT_STREQ(link, "elsewhere");
}

TEST_F(TreeCopyTest, KeepsModesOwnersAndTimes) {
  ASSERT_TRUE(write_file(source_ + "/a", "1"));
  ASSERT_EQ(chmod((source_ + "/a").c_str(), 0440), 0);
  ASSERT_EQ(chmod(source_.c_str(), 03775), 0);
  if (geteuid() == 0) {
    ASSERT_EQ(chown((source_ + "/a").c_str(), 7, 8), 0);
  }
  ASSERT_TRUE(refresh());
  struct stat from {
  }, to{}, root{};
  ASSERT_EQ(stat((source_ + "/a").c_str(), &from), 0);
  ASSERT_EQ(stat((target_ + "/a").c_str(), &to), 0);
  ASSERT_EQ(stat(target_.c_str(), &root), 0);
  EXPECT_EQ(to.st_mode, from.st_mode);
  EXPECT_EQ(to.st_uid, from.st_uid);
  EXPECT_EQ(to.st_gid, from.st_gid);
  EXPECT_EQ(to.st_mtim.tv_sec, from.st_mtim.tv_sec);
  EXPECT_EQ(to.st_mtim.tv_nsec, from.st_mtim.tv_nsec);
  EXPECT_EQ(root.st_mode & 07777, 03775u);
}

TEST_F(TreeCopyTest, CopiesLargeFilesAndManyFiles) {
  std::map<std::string, std::string> files{{"large", std::string(3 << 20, 'x')}};
  for (int i = 0; i < 300; ++i) files["key" + std::to_string(i)] = std::to_string(i);
  swap("..1", files);
  ASSERT_TRUE(refresh());
  for (const auto& [key, value] : files) ASSERT_EQ(copied(key), value);
}

// Names of the events in the order they came.
std::vector<std::string> events_of(int watch) {
  std::vector<std::string> all;
  alignas(inotify_event) char buffer[16384];
  ssize_t got = read(watch, buffer, sizeof buffer);
  for (ssize_t at = 0; at < got;) {
    const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
    const char* kind = event->mask & IN_MOVED_TO     ? "moved "
                       : event->mask & IN_MOVED_FROM ? "from "
                       : event->mask & IN_CREATE     ? "create "
                       : event->mask & IN_DELETE     ? "delete "
                                                     : "other ";
    all.push_back(kind + std::string(event->name));
    at += static_cast<ssize_t>(sizeof *event + event->len);
  }
  return all;
}

// A ConfigMap: what a watcher of the copy sees is what one of kubelet's own folder sees.
TEST_F(TreeCopyTest, FollowsTheSwapOfAConfigMapByOneRename) {
  swap("..1", {{"key", "old"}, {"gone", "x"}});
  ASSERT_TRUE(refresh());
  EXPECT_EQ(copied("key"), "old");
  UniqueFd watch(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ASSERT_GE(inotify_add_watch(watch.get(), target_.c_str(), IN_CREATE | IN_DELETE | IN_MOVE), 0);
  swap("..2", {{"key", "new"}, {"more", "y"}});
  ASSERT_TRUE(remove_file(source_ + "/gone"));
  ASSERT_TRUE(remove_tree(source_ + "/..1"));
  ASSERT_TRUE(refresh());
  EXPECT_EQ(copied("key"), "new");
  EXPECT_EQ(copied("more"), "y");
  const std::vector<std::string> expected = {"create ..2",   "create ..data_tmp", "from ..data_tmp",
                                             "moved ..data", "create more",       "delete ..1",
                                             "delete gone"};
  EXPECT_EQ(events_of(watch.get()), expected);
  ASSERT_TRUE(refresh());
  EXPECT_TRUE(events_of(watch.get()).empty()) << "nothing changed";
}

TEST_F(TreeCopyTest, AGenerationThatIsNotCurrentIsNotCopied) {
  swap("..1", {{"key", "old"}});
  ASSERT_TRUE(make_dir(source_ + "/..2"));
  ASSERT_TRUE(write_file(source_ + "/..2/key", "ne"));
  ASSERT_TRUE(refresh());
  EXPECT_FALSE(path_exists(target_ + "/..2"));
  // The host knows first.
  ASSERT_TRUE(refresh("..2"));
  EXPECT_EQ(copied("key"), "ne");
  EXPECT_FALSE(path_exists(target_ + "/..1"));
  auto gone = refresh("..3");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), Code::kAborted);
  EXPECT_EQ(copied("key"), "ne");
}

TEST_F(TreeCopyTest, NothingIsLeftWhenItTakesTooLong) {
  swap("..1", {{"key", "old"}});
  auto late = refresh("", -1ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kDeadlineExceeded);
  EXPECT_FALSE(path_exists(target_ + "/..1"));
  ASSERT_TRUE(refresh());
  EXPECT_EQ(copied("key"), "old");
}

TEST_F(TreeCopyTest, ALinkOfThatNameThatIsNoGeneration) {
  ASSERT_TRUE(make_dir(source_ + "/..other"));
  ASSERT_EQ(symlink("/elsewhere", (source_ + "/..data").c_str()), 0);
  ASSERT_TRUE(refresh());
  EXPECT_TRUE(path_exists(target_ + "/..other"));
  EXPECT_TRUE(path_exists(target_ + "/..data"));
}

// A container with the right to may have put a link there.
TEST_F(TreeCopyTest, DoesNotFollowWhatWasPlantedInTheCopy) {
  swap("..1", {{"key", "old"}});
  ASSERT_TRUE(refresh());
  const std::string outside = folder_ + "/outside";
  ASSERT_TRUE(make_dir(outside));
  ASSERT_TRUE(write_file(outside + "/key", "untouched"));
  ASSERT_EQ(symlink(outside.c_str(), (target_ + "/..2").c_str()), 0);
  ASSERT_EQ(symlink((outside + "/key").c_str(), (target_ + "/..kata_tmp").c_str()), 0);
  swap("..2", {{"key", "new"}});
  EXPECT_FALSE(refresh());
  EXPECT_EQ(*read_file(outside + "/key"), "untouched");
}

TEST_F(TreeCopyTest, WhatDoesNotFitLeavesTheOldContent) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr), 0);
  ASSERT_EQ(mount("tmpfs", target_.c_str(), "tmpfs", 0, "size=64k"), 0);
  copy_ = open_copy();
  swap("..1", {{"key", "old"}});
  ASSERT_TRUE(refresh());
  swap("..2", {{"key", std::string(100 << 10, 'x')}});
  auto refused = refresh();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted) << refused.error().message();
  EXPECT_EQ(copied("key"), "old");
  EXPECT_FALSE(path_exists(target_ + "/..2"));
  swap("..3", {{"key", "fits"}});
  ASSERT_TRUE(refresh());
  EXPECT_EQ(copied("key"), "fits");
  EXPECT_EQ(umount2(target_.c_str(), MNT_DETACH), 0);
}

}  // namespace
}  // namespace kata::agent
