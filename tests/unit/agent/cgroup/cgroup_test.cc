// Real cgroups: whatever hierarchy this machine has, plus a cgroup2 mount beside v1 for the parts
// of v2 that need no controller. Each test works in a folder of its own and removes it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "agent/cgroup/cgroup_v2.h"
#include "agent/cgroup/device_rules.h"
#include "agent/container/box.h"
#include "base/event.h"
#include "base/file.h"

namespace kata::agent::test {
namespace {

std::string test_path(const char* name) {
  return "/kata-test-" + std::to_string(getpid()) + "/" + name;
}

// Every usable hierarchy of this machine.
std::vector<CgroupHierarchy> hierarchies() {
  std::vector<CgroupHierarchy> out;
  if (auto found = CgroupHierarchy::detect()) out.push_back(*found);
  struct statfs info {};
  const char* beside = "/sys/fs/cgroup/unified";
  if (statfs(beside, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC) {
    out.push_back(CgroupHierarchy::unified(beside));
  }
  return out;
}

class RealCgroup : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    if (hierarchies().empty()) GTEST_SKIP() << "no cgroups here";
  }
  void TearDown() override {
    for (const CgroupHierarchy& where : hierarchies()) {
      auto top = Cgroup::open_or_create(where, "/kata-test-" + std::to_string(getpid()));
      if (top) {
        EXPECT_TRUE(wait_for_task((*top)->destroy()));
      }
    }
  }
};

TEST_F(RealCgroup, FreezeKillDestroy) {
  for (const CgroupHierarchy& where : hierarchies()) {
    auto cgroup = Cgroup::create(where, test_path("basic"));
    ASSERT_TRUE(cgroup) << cgroup.error().message();
    Cgroup& group = **cgroup;
    Box box;
    box.cgroup = &group;
    box.start_sleeper();
    EXPECT_EQ(*group.pids(), (std::vector<pid_t>{box.init().pid()}));
    ASSERT_TRUE(wait_for_task(group.freeze()));
    EXPECT_TRUE(group.frozen());
    EXPECT_EQ(box.exec("true").started.error().message(), "cannot exec in a paused container");
    ASSERT_TRUE(wait_for_task(group.thaw()));
    EXPECT_FALSE(group.frozen());
    EXPECT_EQ(Cgroup::create(where, test_path("basic")).error().code(), Code::kAlreadyExists);
    ASSERT_TRUE(wait_for_task(group.kill_all()));
    siginfo_t info{};
    ASSERT_EQ(waitid(P_PIDFD, static_cast<id_t>(box.init().pidfd()), &info, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(info.si_status, SIGKILL);
    EXPECT_TRUE(wait_for_task(group.destroy()));
    EXPECT_FALSE(group.stats());
  }
}

TEST_F(RealCgroup, DestroyTakesProcessesAndSubgroups) {
  for (const CgroupHierarchy& where : hierarchies()) {
    auto cgroup = Cgroup::create(where, test_path("deep"));
    ASSERT_TRUE(cgroup);
    auto below = Cgroup::create(where, test_path("deep/er/still"));
    ASSERT_TRUE(below);
    pid_t child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    ASSERT_TRUE((*below)->add(child));
    EXPECT_EQ(*(*cgroup)->pids(), (std::vector<pid_t>{child}));
    EXPECT_TRUE(wait_for_task((*cgroup)->kill_all()));
    EXPECT_EQ(waitpid(child, nullptr, 0), child);
    EXPECT_TRUE(wait_for_task((*cgroup)->destroy()));
    EXPECT_FALSE((*below)->stats());
  }
}

TEST_F(RealCgroup, DevicesAreDeniedAndAllowed) {
  for (const CgroupHierarchy& where : hierarchies()) {
    auto cgroup = Cgroup::create(where, test_path("devices"));
    ASSERT_TRUE(cgroup);
    grpc::LinuxResources resources;
    auto* all = resources.add_devices();
    all->set_allow(false);
    all->set_access("rwm");
    ASSERT_TRUE((*cgroup)->apply(resources));
    Box box;
    box.cgroup = cgroup->get();
    // /dev/mem is 1:1: it can be made but not opened.
    Outcome outcome =
        box.run("mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem; echo x > /dev/null && echo ok");
    ASSERT_TRUE(outcome.created) << outcome.created.error().message();
    EXPECT_EQ(outcome.out, "ok\n");
    EXPECT_NE(outcome.err.find("Operation not permitted"), std::string::npos) << outcome.err;
    EXPECT_TRUE(wait_for_task((*cgroup)->destroy()));
  }
}

TEST_F(RealCgroup, GuestDiskCannotBeOpenedByAPrivilegedContainer) {
  dev_t disk = root_device();
  if (gnu_dev_major(disk) == 0) GTEST_SKIP() << "/ is on no disk";
  for (const CgroupHierarchy& where : hierarchies()) {
    auto cgroup = Cgroup::create(where, test_path("disk"));
    ASSERT_TRUE(cgroup);
    grpc::LinuxResources resources;
    auto* all = resources.add_devices();
    all->set_allow(true);
    all->set_access("rwm");
    ASSERT_TRUE((*cgroup)->apply(resources));
    Box box;
    box.cgroup = cgroup->get();
    std::string numbers =
        std::to_string(gnu_dev_major(disk)) + " " + std::to_string(gnu_dev_minor(disk));
    Outcome outcome = box.run("mknod /tmp/d b " + numbers +
                              "; head -c 1 /tmp/d | wc -c; head -c 1 /dev/zero | wc -c");
    EXPECT_EQ(outcome.out, "0\n1\n") << outcome.err;
    EXPECT_TRUE(wait_for_task((*cgroup)->destroy()));
  }
}

TEST_F(RealCgroup, ExecJoinsTheCgroup) {
  for (const CgroupHierarchy& where : hierarchies()) {
    auto cgroup = Cgroup::create(where, test_path("exec"));
    ASSERT_TRUE(cgroup);
    {
      Box box;
      box.cgroup = cgroup->get();
      box.start_sleeper();
      Outcome outcome = box.exec("cat /proc/self/cgroup; cat /proc/1/cgroup");
      ASSERT_TRUE(outcome.started) << outcome.started.error().message();
      std::string text = outcome.out;
      EXPECT_EQ(text.substr(0, text.size() / 2), text.substr(text.size() / 2));
    }
    EXPECT_TRUE(wait_for_task((*cgroup)->destroy()));
  }
}

TEST_F(RealCgroup, V2ViewIsNamespacedAndReadonly) {
  for (const CgroupHierarchy& where : hierarchies()) {
    if (!where.is_v2()) continue;
    auto cgroup = Cgroup::create(where, test_path("view"));
    ASSERT_TRUE(cgroup);
    Box box;
    box.cgroup = cgroup->get();
    auto* mount = box.spec.add_mounts();
    mount->set_destination("/sys/fs/cgroup");
    mount->set_type("cgroup");
    mount->set_source("cgroup");
    for (const char* option : {"ro", "nosuid", "noexec", "nodev"}) mount->add_options(option);
    Outcome outcome = box.run(
        "cat /sys/fs/cgroup/cgroup.procs | wc -l; grep 0:: /proc/self/cgroup; mkdir "
        "/sys/fs/cgroup/x");
    ASSERT_TRUE(outcome.created) << outcome.created.error().message();
    EXPECT_EQ(outcome.out.substr(outcome.out.find("0::")), "0::/\n");
    EXPECT_NE(outcome.err.find("Read-only"), std::string::npos) << outcome.err;
    EXPECT_TRUE(wait_for_task((*cgroup)->destroy()));
  }
}

// Enough for a copy of this program, sanitized too.
constexpr uint64_t kMemory = 256 << 20;

grpc::LinuxResources small_limits() {
  grpc::LinuxResources resources;
  resources.mutable_memory()->set_limit(kMemory);
  resources.mutable_cpu()->set_shares(512);
  resources.mutable_cpu()->set_quota(50000);
  resources.mutable_cpu()->set_period(100000);
  resources.mutable_cpu()->set_cpus("0");
  resources.mutable_pids()->set_limit(8);
  return resources;
}

TEST_F(RealCgroup, LimitsStatsAndView) {
  auto where = CgroupHierarchy::detect();
  auto cgroup = Cgroup::create(*where, test_path("limits"));
  ASSERT_TRUE(cgroup) << cgroup.error().message();
  auto applied = (*cgroup)->apply(small_limits());
  ASSERT_TRUE(applied) << applied.error().message();
  Box box;
  box.cgroup = cgroup->get();
  auto* mount = box.spec.add_mounts();
  mount->set_destination("/sys/fs/cgroup");
  mount->set_type("cgroup");
  mount->set_source("cgroup");
  mount->add_options("ro");
  const std::string files =
      where->is_v2()
          ? "memory.max cpu.weight cpuset.cpus pids.max; cat cpu.max"
          : "memory/memory.limit_in_bytes cpu/cpu.shares cpuset/cpuset.cpus pids/pids.max";
  Outcome outcome = box.run("cd /sys/fs/cgroup; cat " + files +
                            "; for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; mkdir memory/x");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  EXPECT_EQ(outcome.out,
            where->is_v2() ? "268435456\n20\n0\n8\n50000 100000\n" : "268435456\n512\n0\n8\n");
  EXPECT_NE(outcome.err.find("can't fork"), std::string::npos) << outcome.err;
  auto stats = (*cgroup)->stats();
  ASSERT_TRUE(stats);
  EXPECT_GT(stats->cpu_stats().cpu_usage().total_usage(), 0U);
  EXPECT_EQ(stats->memory_stats().usage().limit(), kMemory);
  EXPECT_EQ(stats->pids_stats().limit(), 8U);
  EXPECT_TRUE(wait_for_task((*cgroup)->destroy()));
}

TEST_F(RealCgroup, UpdateChangesOnlyWhatIsGiven) {
  auto where = CgroupHierarchy::detect();
  auto cgroup = Cgroup::create(*where, test_path("update"));
  ASSERT_TRUE(cgroup);
  ASSERT_TRUE((*cgroup)->apply(small_limits()));
  grpc::LinuxResources resources;
  resources.mutable_memory()->set_limit(kMemory / 2);
  auto updated = (*cgroup)->update(resources);
  ASSERT_TRUE(updated) << updated.error().message();
  EXPECT_EQ((*cgroup)->stats()->memory_stats().usage().limit(), kMemory / 2);
  EXPECT_EQ((*cgroup)->stats()->pids_stats().limit(), 8U);
  resources.mutable_memory()->set_limit(-1);
  EXPECT_TRUE((*cgroup)->update(resources));
  EXPECT_GT((*cgroup)->stats()->memory_stats().usage().limit(), uint64_t{1} << 60);
  EXPECT_TRUE((*cgroup)->set_cpuset("0", "0"));
  EXPECT_TRUE(wait_for_task((*cgroup)->destroy()));
}

TEST_F(RealCgroup, OomIsReportedEachTime) {
  auto where = CgroupHierarchy::detect();
  auto cgroup = Cgroup::create(*where, test_path("oom"));
  ASSERT_TRUE(cgroup);
  grpc::LinuxResources resources;
  resources.mutable_memory()->set_limit(192 << 20);
  resources.mutable_memory()->set_swap(192 << 20);
  ASSERT_TRUE((*cgroup)->apply(resources));
  auto watch = (*cgroup)->watch_oom();
  ASSERT_TRUE(watch) << watch.error().message();
  {
    Box box;
    box.cgroup = cgroup->get();
    box.start_sleeper();
    for (int round = 0; round < 2; ++round) {
      Outcome outcome = box.exec("dd if=/dev/zero of=/dev/null bs=400M count=1");
      EXPECT_EQ(outcome.code, 137) << outcome.err;
      pollfd ready{(*watch)->fd(), POLLIN, 0};
      EXPECT_EQ(poll(&ready, 1, 5000), 1);
      auto kills = (*watch)->take();
      ASSERT_TRUE(kills);
      EXPECT_GE(*kills, 1U);
    }
    EXPECT_EQ(*(*watch)->take(), 0U);
  }
  // Once its last process is gone (v2) or it is removed (v1), the watch wakes up and ends.
  EXPECT_TRUE(wait_for_task((*cgroup)->destroy()));
  pollfd ready{(*watch)->fd(), POLLIN, 0};
  EXPECT_EQ(poll(&ready, 1, 5000), 1);
  EXPECT_EQ((*watch)->take().error().code(), Code::kNotFound);
}

TEST_F(RealCgroup, ExecWhenTheWorkloadMadeSubgroups) {
  // A container engine inside: its init moves into a sub-cgroup and hands controllers on, after
  // which the kernel takes no process in the container's own cgroup any more.
  for (const CgroupHierarchy& where : hierarchies()) {
    if (!where.is_v2()) continue;
    auto cgroup = Cgroup::create(where, test_path("nested"));
    ASSERT_TRUE(cgroup);
    {
      Box box;
      box.cgroup = cgroup->get();
      auto* mount = box.spec.add_mounts();
      mount->set_destination("/sys/fs/cgroup");
      mount->set_type("cgroup");
      mount->set_source("cgroup");
      box.start_sleeper();
      Outcome outcome = box.exec(
          "cd /sys/fs/cgroup && mkdir init && echo 1 > init/cgroup.procs && echo $$ > "
          "init/cgroup.procs &&"
          "read c rest < cgroup.controllers && echo +$c > cgroup.subtree_control && echo split");
      ASSERT_EQ(outcome.out, "split\n") << outcome.err;
      outcome = box.exec("cat /proc/self/cgroup | grep 0::");
      ASSERT_TRUE(outcome.started) << outcome.started.error().message();
      EXPECT_EQ(outcome.out, "0::/init\n");
    }
    EXPECT_TRUE(wait_for_task((*cgroup)->destroy()));
  }
}

TEST_F(RealCgroup, MissingControllerIsNamed) {
  for (const CgroupHierarchy& where : hierarchies()) {
    auto cgroup = Cgroup::create(where, test_path("missing"));
    ASSERT_TRUE(cgroup);
    grpc::LinuxResources resources;
    auto* huge = resources.add_hugepagelimits();
    huge->set_pagesize("3MB");
    huge->set_limit(1);
    auto applied = (*cgroup)->apply(resources);
    ASSERT_FALSE(applied);
    EXPECT_NE(applied.error().message().find("hugetlb.3MB"), std::string::npos);
    EXPECT_TRUE(wait_for_task((*cgroup)->destroy()));
  }
}

template <class T>
Task<> store_and_stop(Task<T> task, std::optional<T>* result, asio::io_context* loop) {
  result->emplace(co_await std::move(task));
  loop->stop();
}
Task<> count_turns(int* turns) {
  while (true) {
    co_await sleep_for(5ms);
    ++*turns;
  }
}
// Counts turns of the loop while the task runs.
template <class T>
T wait_counting(Task<T> task, int* turns) {
  asio::io_context loop(1);
  std::optional<T> result;
  spawn(loop.get_executor(), store_and_stop(std::move(task), &result, &loop));
  spawn(loop.get_executor(), count_turns(turns));
  loop.run();
  return std::move(*result);
}

// A directory that plays a cgroup whose tasks do not freeze.
class StubbornCgroup : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/kata-cgroup-XXXXXX";
    root_ = mkdtemp(name);
    ASSERT_TRUE(make_dir(root_ + "/c"));
    ASSERT_TRUE(write_file(root_ + "/c/cgroup.freeze", "0"));
    set_events("frozen 0\n");
  }
  void TearDown() override { (void)remove_tree(root_); }
  void set_events(const std::string& text) {
    ASSERT_TRUE(write_file(root_ + "/c/cgroup.events", text));
  }
  std::string wish() { return read_file(root_ + "/c/cgroup.freeze")->substr(0, 1); }
  std::string root_;
};

Task<> store_freeze(Cgroup* group, std::optional<Status>* result, Event done) {
  result->emplace(co_await group->freeze());
  done.set();
}
// Result of a freeze during which something else happens.
Task<Status> freeze_while(Cgroup* group, Task<> other) {
  auto executor = co_await asio::this_coro::executor;
  std::optional<Status> result;
  Event done(executor);
  spawn(executor, store_freeze(group, &result, done));
  co_await sleep_for(200ms);
  co_await std::move(other);
  co_await done.wait();
  co_return std::move(*result);
}
Task<> report_frozen(std::string folder, std::string* wish) {
  *wish = read_file(folder + "/cgroup.freeze")->substr(0, 1);
  EXPECT_TRUE(write_file(folder + "/cgroup.events", "frozen 1\n"));
  co_return;
}
Task<> thaw(Cgroup* group) {
  EXPECT_TRUE(co_await group->thaw());
}

TEST_F(StubbornCgroup, FreezingSuspendsAndNothingElseWaits) {
  CgroupV2 group(root_, "/c");
  int turns = 0;
  std::string wish_meanwhile;
  auto frozen =
      wait_counting(freeze_while(&group, report_frozen(root_ + "/c", &wish_meanwhile)), &turns);
  EXPECT_TRUE(frozen) << frozen.error().message();
  EXPECT_EQ(wish_meanwhile, "1");
  EXPECT_GE(turns, 3);
}

TEST_F(StubbornCgroup, WhatDoesNotFreezeIsLetGoOn) {
  CgroupV2 group(root_, "/c");
  int turns = 0;
  auto frozen = wait_counting(group.freeze(), &turns);
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().code(), Code::kDeadlineExceeded);
  EXPECT_EQ(wish(), "0");
  EXPECT_GE(turns, 20);  // of some 100 on a quiet machine
}

TEST_F(StubbornCgroup, AThawEndsAFreezeThatIsUnderWay) {
  CgroupV2 group(root_, "/c");
  int turns = 0;
  auto frozen = wait_counting(freeze_while(&group, thaw(&group)), &turns);
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().code(), Code::kAborted);
  EXPECT_EQ(wish(), "0");
}

TEST_F(RealCgroup, RemovingWaitsForTheDyingWithoutStallingTheLoop) {
  for (const CgroupHierarchy& where : hierarchies()) {
    auto cgroup = Cgroup::create(where, test_path("dying"));
    ASSERT_TRUE(cgroup);
    pid_t child = fork();
    if (child == 0) {
      usleep(200'000);
      _exit(0);
    }
    ASSERT_TRUE((*cgroup)->add(child));
    std::string folder = where.is_v2() ? where.root() : where.mounts().at("pids");
    int turns = 0;
    auto removed = wait_counting(CgroupDir(folder + test_path("dying")).remove(), &turns);
    EXPECT_TRUE(removed) << removed.error().message();
    EXPECT_GE(turns, 5);
    waitpid(child, nullptr, 0);
    EXPECT_TRUE(wait_for_task((*cgroup)->destroy()));
  }
}

}  // namespace
}  // namespace kata::agent::test
