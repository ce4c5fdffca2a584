#include "journal/undo.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <filesystem>

#include "base/file.h"
#include "gmock/gmock.h"
#include "journal/journal.h"
#include "support/private_mounts.h"

namespace kata::journal {
namespace {

using test::in_private_mounts;
using test::mount_table;
using test::temp_dir;

struct Bed {
  std::string dir = temp_dir();
  std::string path = dir + "/journal";
  UndoOptions options{{dir}, {}, std::chrono::milliseconds(2000)};
  Journal journal = std::move(*Journal::open(path));
  ~Bed() { std::filesystem::remove_all(dir); }

  void folder(const std::string& name) { std::filesystem::create_directories(dir + "/" + name); }
  void file(const std::string& name) { std::ofstream(dir + "/" + name) << "data"; }
  bool exists(const std::string& name) { return std::filesystem::exists(dir + "/" + name); }
  void add(const Entry& entry) { ASSERT_TRUE(journal.add(entry)); }
  Status undo() { return undo_all(path, options); }
};

TEST(Undo, EverythingGoesNewestFirst) {
  in_private_mounts([] {
    Bed bed;
    const std::string before = mount_table();
    bed.add(dir_entry(bed.dir + "/a"));
    bed.folder("a");
    bed.add(mount_entry(bed.dir + "/a"));
    ASSERT_EQ(mount("t", (bed.dir + "/a").c_str(), "tmpfs", 0, nullptr), 0);
    bed.add(tree_entry(bed.dir + "/a/tree"));
    bed.folder("a/tree/deep/er");
    bed.file("a/tree/deep/f");
    bed.add(file_entry(bed.dir + "/a/sock"));
    bed.file("a/sock");
    EXPECT_TRUE(bed.undo());
    EXPECT_FALSE(bed.exists("a"));
    EXPECT_FALSE(bed.exists("journal"));
    EXPECT_EQ(mount_table(), before);
    EXPECT_TRUE(bed.undo());
  });
}

TEST(Undo, HalfMadeThingsAreFine) {
  Bed bed;
  bed.add(mount_entry(bed.dir + "/no"));
  bed.add(mount_entry(bed.dir + "/no/such/parent"));
  bed.folder("plain");
  bed.add(mount_entry(bed.dir + "/plain"));
  bed.add(tree_entry(bed.dir + "/no"));
  bed.add(file_entry(bed.dir + "/no/file"));
  bed.add(Entry{std::string(kProcess), {"2147483000", "1", "/bin/x"}});
  EXPECT_TRUE(bed.undo());
  EXPECT_TRUE(bed.exists("plain"));
}

TEST(Undo, SymlinksAreNeverFollowed) {
  in_private_mounts([] {
    Bed bed;
    bed.folder("victim/inner");
    bed.file("victim/precious");
    ASSERT_EQ(mount("t", (bed.dir + "/victim/inner").c_str(), "tmpfs", 0, nullptr), 0);
    const std::string before = mount_table();
    std::filesystem::create_directory_symlink(bed.dir + "/victim", bed.dir + "/link");
    std::filesystem::create_directory_symlink(bed.dir + "/victim/inner", bed.dir + "/inner");
    bed.add(file_entry(bed.dir + "/link/precious"));
    bed.add(mount_entry(bed.dir + "/inner"));
    bed.add(mount_entry(bed.dir + "/link/inner"));
    bed.add(tree_entry(bed.dir + "/link/inner"));
    bed.folder("tree");
    std::filesystem::create_directory_symlink(bed.dir + "/victim", bed.dir + "/tree/link");
    bed.add(tree_entry(bed.dir + "/tree"));
    EXPECT_FALSE(bed.undo());  // the paths through a link are refused, the rest is done
    EXPECT_FALSE(bed.exists("tree"));
    EXPECT_TRUE(bed.exists("victim/precious"));
    EXPECT_EQ(mount_table(), before);
    EXPECT_EQ(read_journal(bed.path)->size(), 3u);
    umount2((bed.dir + "/victim/inner").c_str(), MNT_DETACH);
  });
}

TEST(Undo, TreesStopAtBindMountsOfTheSameFileSystem) {
  in_private_mounts([] {
    Bed bed;
    bed.folder("user");
    bed.file("user/precious");
    bed.folder("tree/bind");
    bed.add(tree_entry(bed.dir + "/tree"));
    const std::string bind = bed.dir + "/tree/bind";
    ASSERT_EQ(mount((bed.dir + "/user").c_str(), bind.c_str(), nullptr, MS_BIND, nullptr), 0);
    EXPECT_FALSE(bed.undo());
    EXPECT_TRUE(bed.exists("user/precious"));
    ASSERT_EQ(umount(bind.c_str()), 0);
    EXPECT_TRUE(bed.undo());
    EXPECT_TRUE(bed.exists("user/precious"));
    EXPECT_FALSE(bed.exists("tree"));
  });
}

TEST(Undo, ForeignPathsAreRefusedAndKept) {
  Bed bed;
  UndoOptions none;
  bed.file("f");
  bed.add(file_entry(bed.dir + "/f"));
  EXPECT_EQ(undo_all(bed.path, none).error().code(), Code::kPermissionDenied);
  EXPECT_TRUE(bed.exists("f"));
  EXPECT_TRUE(bed.undo());
  EXPECT_FALSE(bed.exists("f"));
}

TEST(Undo, OtherModulesUndoTheirKinds) {
  Bed bed;
  std::vector<std::string> order;
  bed.options.undoers["tap"] = [&](const Entry& entry) -> Status {
    order.push_back(entry.fields.at(0));
    return {};
  };
  bed.add(Entry{"tap", {"one"}});
  bed.add(Entry{"tap", {"two"}});
  bed.add(Entry{"unknown", {}});
  EXPECT_FALSE(bed.undo());
  EXPECT_THAT(order, ::testing::ElementsAre("two", "one"));
  EXPECT_EQ(read_journal(bed.path)->size(), 1u);
}

TEST(Undo, TheFolderOfTheJournalGoesLast) {
  Bed bed;
  const std::string state = bed.dir + "/state";
  bed.folder("state");
  auto journal = Journal::open(state + "/journal");
  ASSERT_TRUE(journal->add(tree_entry(state)));
  ASSERT_TRUE(journal->add(Entry{"later", {}}));
  EXPECT_FALSE(undo_all(state + "/journal", bed.options));
  EXPECT_TRUE(bed.exists("state/journal"));
  bed.options.undoers["later"] = [](const Entry&) -> Status { return {}; };
  EXPECT_TRUE(undo_all(state + "/journal", bed.options));
  EXPECT_FALSE(bed.exists("state"));
}

TEST(Undo, WhatTakesLongIsTriedAgainWithinThePatience) {
  Bed bed;
  int tries = 0, others = 0;
  bed.options.undoers["slow"] = [&](const Entry&) -> Status {
    if (++tries < 3) return fail(Code::kDeadlineExceeded, "not gone yet");
    return {};
  };
  bed.options.undoers["other"] = [&](const Entry&) -> Status {
    ++others;
    return {};
  };
  bed.add(Entry{"slow", {}});
  bed.add(Entry{"other", {}});
  EXPECT_FALSE(bed.undo());
  EXPECT_EQ(tries, 1);
  bed.options.patience = std::chrono::minutes(1);
  EXPECT_TRUE(bed.undo());
  EXPECT_EQ(tries, 3);
  EXPECT_EQ(others, 1);
  EXPECT_FALSE(bed.exists("journal"));
}

TEST(Undo, WhatFailsIsNotTriedAgain) {
  Bed bed;
  bed.options.patience = std::chrono::minutes(1);
  int tries = 0;
  bed.options.undoers["bad"] = [&](const Entry&) -> Status {
    ++tries;
    return fail(Code::kPermissionDenied, "never");
  };
  bed.add(Entry{"bad", {}});
  EXPECT_EQ(bed.undo().error().code(), Code::kPermissionDenied);
  EXPECT_EQ(tries, 1);
}

pid_t start_sleeper() {
  pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    execl("/bin/sleep", "sleep", "100", nullptr);
    _exit(127);
  }
  // The name changes at exec: identify() must see the final program.
  for (int i = 0; i < 1000; ++i) {
    std::error_code error;
    auto exe = std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", error);
    if (exe.filename() == "sleep") break;
    usleep(1000);
  }
  return pid;
}

TEST(Undo, KillsTheProcessItKnows) {
  Bed bed;
  pid_t pid = start_sleeper();
  bed.add(*process_entry(pid));
  EXPECT_TRUE(bed.undo());
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, WNOHANG), pid);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST(Undo, SparesAnotherProcessWithTheSamePid) {
  Bed bed;
  pid_t pid = start_sleeper();
  Entry entry = *process_entry(pid);
  entry.fields[1] = std::to_string(std::stoull(entry.fields[1]) + 1);
  bed.add(entry);
  EXPECT_TRUE(bed.undo());
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
}

TEST(Undo, KillsWhatAGoneLeaderLeft) {
  Bed bed;
  pid_t leader = start_sleeper();
  pid_t member = fork();
  if (member == 0) {
    setpgid(0, leader);
    execl("/bin/sleep", "sleep", "100", nullptr);
    _exit(127);
  }
  setpgid(member, leader);
  usleep(50'000);
  bed.add(*process_entry(leader));
  kill(leader, SIGKILL);
  waitpid(leader, nullptr, 0);
  EXPECT_TRUE(bed.undo());
  int status = 0;
  EXPECT_EQ(waitpid(member, &status, WNOHANG), member);
}

TEST(Undo, RemovesCgroupsWithTheirChildren) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  std::string base = std::filesystem::exists("/sys/fs/cgroup/cgroup.procs") ? "/sys/fs/cgroup"
                                                                            : "/sys/fs/cgroup/pids";
  const std::string group = base + "/kata-test-" + std::to_string(getpid());
  std::error_code error;
  std::filesystem::create_directories(group + "/a/b", error);
  if (error) GTEST_SKIP() << "no cgroups here: " << error.message();
  Bed bed;
  bed.add(cgroup_entry(group));
  EXPECT_TRUE(bed.undo());
  EXPECT_FALSE(std::filesystem::exists(group));
}

}  // namespace
}  // namespace kata::journal
