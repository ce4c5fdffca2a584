#include "agent/container/pause_process.h"

#include <gtest/gtest.h>

#include "agent/container/box.h"
#include "base/file.h"
#include "base/user_namespace.h"

namespace kata::agent::test {
namespace {

NamespaceFd pid_namespace_of(const PauseProcess& pause) {
  return {CLONE_NEWPID, UniqueFd(dup(pause.pid_namespace().get()))};
}

TEST(PauseProcess, ContainersShareItsNamespaceAndCannotLookIntoIt) {
  REQUIRE_ROOT();
  auto pause = wait_for_task(PauseProcess::start());
  ASSERT_TRUE(pause) << pause.error().message();
  for (int round = 0; round < 2; ++round) {  // a container's end is not that of the namespace
    Box box;
    box.join.push_back(pid_namespace_of(*pause));
    Outcome outcome = box.run(
        "tr '\\0' ' ' < /proc/1/cmdline; echo; [ $$ -ne 1 ] && echo not first;"
        "ls /proc/1/root 2>&1 | grep -c ermission;"
        "grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs)' /proc/1/status | tr -d '\\t'");
    ASSERT_TRUE(outcome.created) << outcome.created.error().message();
    EXPECT_EQ(outcome.out,
              "kata-agent pause \nnot first\n1\nUid:65534655346553465534\n"
              "CapEff:0000000000000000\nCapBnd:0000000000000000\nNoNewPrivs:1\n");
  }
}

TEST(PauseProcess, ItsRootIsEmptyAlsoForThosePrivilegedToLook) {
  REQUIRE_ROOT();
  auto pause = wait_for_task(PauseProcess::start());
  ASSERT_TRUE(pause) << pause.error().message();
  auto pids = read_file("/proc/self/task/" + std::to_string(getpid()) + "/children");
  ASSERT_TRUE(pids);
  std::string pid = *pids;
  while (!pid.empty() && pid.back() == ' ') pid.pop_back();
  pid = pid.substr(pid.rfind(' ') + 1);
  auto seen = list_dir("/proc/" + pid + "/root");
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_TRUE(seen->empty()) << seen->front();
}

// A container that shares the PID namespace needs a /proc of it, which the kernel allows only to a
// root over that namespace.
TEST(PauseProcess, LivesInTheUserNamespaceOfThePod) {
  REQUIRE_ROOT();
  for (uint32_t size : {65536U, 1000U}) {  // the smaller one has no nobody
    const std::vector<IdMapping> map = {{0, 100000, size}};
    auto user = make_user_namespace({map, map});
    ASSERT_TRUE(user) << user.error().message();
    auto pause = wait_for_task(PauseProcess::start(user->front().get()));
    ASSERT_TRUE(pause) << pause.error().message();
    Box box;
    box.join.push_back({CLONE_NEWUSER, UniqueFd(dup(user->front().get()))});
    box.join.push_back(pid_namespace_of(*pause));
    Outcome outcome = box.run(
        "tr '\\0' ' ' < /proc/1/cmdline; echo; cat /proc/1/uid_map | tr -s ' ';"
        "ls /proc/1/root 2>&1 | grep -c ermission; kill -KILL 1 2>/dev/null; ls -d /proc/1;"
        "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/1/status | tr -d '\\t'");
    ASSERT_TRUE(outcome.created) << outcome.created.error().message();
    EXPECT_EQ(outcome.out, "kata-agent pause \n 0 100000 " + std::to_string(size) +
                               "\n1\n/proc/1\n"
                               "CapEff:0000000000000000\nCapBnd:0000000000000000\nNoNewPrivs:1\n");
  }
}

TEST(PauseProcess, TheNamespaceEndsWithTheObject) {
  REQUIRE_ROOT();
  NamespaceFd left;
  {
    auto pause = wait_for_task(PauseProcess::start());
    ASSERT_TRUE(pause) << pause.error().message();
    left = pid_namespace_of(*pause);
  }
  Box box;
  box.join.push_back(std::move(left));
  EXPECT_FALSE(box.run("true").created);
}

}  // namespace
}  // namespace kata::agent::test
