#include "resources/sandbox_cgroups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "journal/undo.h"

namespace kata::resources {
namespace {

using testing::HasSubstr;

// The real groups of this machine; a child does what would move the test program.
class SandboxCgroupsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    host_ = find_host_cgroups(*read_file("/proc/self/mountinfo"));
    if (host_.empty()) GTEST_SKIP() << "no writable control groups";
    const std::string name = "kata-unit-" + std::to_string(getpid());
    probe_ = host_.hierarchies[0].root + "/" + name;
    if (!make_dir(probe_)) GTEST_SKIP() << "control groups cannot be made here";
    request_.id = name + "-s1";
    request_.cgroups_path = "/" + name + "/c1";
    folder_ = std::filesystem::temp_directory_path() / name;
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override {
    for (const auto& hierarchy : host_.hierarchies) {
      std::error_code ignored;
      std::filesystem::remove(
          hierarchy.root + request_.cgroups_path.substr(0, request_.cgroups_path.rfind('/')),
          ignored);
    }
    std::filesystem::remove_all(folder_);
  }
  std::string journal() const { return folder_ + "/journal"; }

  // Runs `check` in a child that is in the groups; undoes all and returns whether it held.
  template <class Check>
  bool in_groups(Check check) {
    const pid_t child = fork();
    if (child == 0) {
      auto open = Journal::open(journal());
      if (!open) _exit(2);
      auto groups = SandboxCgroups::create(request_, host_, *open);
      if (!groups || !(*groups)->enter()) _exit(3);
      const bool held = check(**groups);
      (*groups)->leave();
      _exit(held && undo_all(journal()) ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status == 0;
  }
  static bool is_in(const std::string& group) {
    return read_file("/proc/self/cgroup")->find(":" + group + "\n") != std::string::npos;
  }
  bool anything_left(const std::string& group) const {
    for (const auto& hierarchy : host_.hierarchies) {
      if (path_exists(hierarchy.root + group)) return true;
    }
    return false;
  }

  HostCgroups host_;
  SandboxCgroups::Request request_;
  std::string probe_, folder_;
};

TEST_F(SandboxCgroupsTest, SandboxOnlyIsTheGroupOfTheSpec) {
  request_.sandbox_only = true;
  const std::string group = dirname(request_.cgroups_path) + "/kata_c1";
  EXPECT_TRUE(in_groups(
      [&](SandboxCgroups& groups) { return is_in(group) && !groups.keeps_vcpus_apart(); }));
  EXPECT_FALSE(anything_left(group));
}

TEST_F(SandboxCgroupsTest, OtherwiseHelpersAreApart) {
  const std::string group = "/kata_overhead/" + request_.id;
  EXPECT_TRUE(in_groups([&](SandboxCgroups& groups) {
    return is_in(group) && groups.keeps_vcpus_apart() == !host_.unified &&
           groups.add_vcpus({getpid()}).has_value();
  }));
  EXPECT_FALSE(anything_left(group));
  EXPECT_FALSE(anything_left(dirname(request_.cgroups_path) + "/kata_c1"));
}

TEST_F(SandboxCgroupsTest, TheJournalFreesWhatADeadShimLeft) {
  request_.sandbox_only = true;
  const pid_t shim = fork();
  if (shim == 0) {
    auto open = Journal::open(journal());
    auto groups = SandboxCgroups::create(request_, host_, *open);
    if (!groups || !(*groups)->enter()) _exit(3);
    // A hook left this in the background; it is nobody's to kill.
    if (fork() == 0) {
      sleep(30);
      _exit(0);
    }
    _exit(0);
  }
  int status = -1;
  waitpid(shim, &status, 0);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(undo_all(journal()));
  EXPECT_FALSE(anything_left(dirname(request_.cgroups_path) + "/kata_c1"));
}

TEST_F(SandboxCgroupsTest, AGroupWithSomebodyInItStays) {
  request_.sandbox_only = true;
  const std::string group = dirname(request_.cgroups_path) + "/kata_c1";
  const pid_t inhabitant = fork();
  if (inhabitant == 0) {
    pause();
    _exit(0);
  }
  // In the group of every hierarchy, which a sandbox made.
  EXPECT_TRUE(in_groups([&](SandboxCgroups&) {
    for (const auto& hierarchy : host_.hierarchies) {
      if (!write_existing(hierarchy.root + group + "/cgroup.procs", std::to_string(inhabitant))) {
        return false;
      }
    }
    // Another one comes, and goes.
    const std::string second = folder_ + "/second";
    auto open = Journal::open(second);
    auto groups = SandboxCgroups::create(request_, host_, *open);
    return groups && open->live().empty() && undo_all(second) && anything_left(group);
  }));
  kill(inhabitant, SIGKILL);
  waitpid(inhabitant, nullptr, 0);
  EXPECT_FALSE(anything_left(group));
}

TEST_F(SandboxCgroupsTest, AFailureCostsOnlyTheCounting) {
  // A file where the group would be made.
  host_.hierarchies = {{folder_, {"cpu"}}};
  host_.unified = false;
  ASSERT_TRUE(write_file(folder_ + "/kata_overhead", ""));
  auto open = Journal::open(journal());
  ASSERT_TRUE(open);
  auto groups = SandboxCgroups::create(request_, host_, *open);
  ASSERT_TRUE(groups) << groups.error().message();
  EXPECT_TRUE((*groups)->enter());
  EXPECT_FALSE((*groups)->keeps_vcpus_apart());
}

TEST_F(SandboxCgroupsTest, AskedForGroupsMustBeHad) {
  request_.sandbox_only = true;
  auto open = Journal::open(journal());
  ASSERT_TRUE(open);
  auto refused = SandboxCgroups::create(request_, {}, *open);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("sandbox_cgroup_only"));
  request_.sandbox_only = false;
  auto without = SandboxCgroups::create(request_, {}, *open);
  ASSERT_TRUE(without);
  EXPECT_TRUE((*without)->enter());
}

}  // namespace
}  // namespace kata::resources
