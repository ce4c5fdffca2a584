// User, groups, capabilities, limits, terminal of a started process.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "agent/container/box.h"
#include "base/file.h"

namespace kata::agent::test {
namespace {

TEST(ProcessProperties, UserAndGroups) {
  REQUIRE_ROOT();
  Box box;
  grpc::User* user = box.spec.mutable_process()->mutable_user();
  user->set_uid(1000);
  user->set_gid(1001);
  user->add_additionalgids(5);
  user->add_additionalgids(77);
  user->set_umask(027);
  Outcome outcome = box.run("id -u; id -g; grep ^Groups /proc/self/status; umask; echo $HOME");
  EXPECT_EQ(outcome.out, "1000\n1001\nGroups:\t5 77 \n0027\n/home/user\n");
}

TEST(ProcessProperties, UserCanReopenItsStreams) {
  REQUIRE_ROOT();
  Box box;
  box.spec.mutable_process()->mutable_user()->set_uid(1000);
  EXPECT_EQ(box.run("echo again > /dev/stdout").out, "again\n");
}

TEST(ProcessProperties, CapabilitySets) {
  REQUIRE_ROOT();
  Box box;
  auto* caps = box.spec.mutable_process()->mutable_capabilities();
  caps->Clear();
  caps->add_bounding("CAP_KILL");
  caps->add_bounding("CAP_NET_RAW");
  caps->add_bounding("CAP_FROM_THE_FUTURE");
  caps->add_permitted("CAP_KILL");
  caps->add_permitted("NET_RAW");
  caps->add_effective("CAP_KILL");
  caps->add_inheritable("CAP_KILL");
  caps->add_ambient("CAP_KILL");
  box.spec.mutable_process()->mutable_user()->set_uid(1000);
  EXPECT_EQ(box.run("grep ^Cap /proc/self/status").out,
            "CapInh:\t0000000000000020\nCapPrm:\t0000000000000020\nCapEff:\t0000000000000020\n"
            "CapBnd:\t0000000000002020\nCapAmb:\t0000000000000020\n");
}

TEST(ProcessProperties, RootGetsTheBoundingSet) {
  REQUIRE_ROOT();
  Box box;
  EXPECT_EQ(box.run("grep CapEff /proc/self/status").out, "CapEff:\t00000000a80425fb\n");
}

TEST(ProcessProperties, NoNewPrivileges) {
  REQUIRE_ROOT();
  Box box;
  EXPECT_EQ(box.run("grep NoNewPrivs /proc/self/status").out, "NoNewPrivs:\t1\n");
  box.spec.mutable_process()->set_nonewprivileges(false);
  EXPECT_EQ(box.run("grep NoNewPrivs /proc/self/status").out, "NoNewPrivs:\t0\n");
}

TEST(ProcessProperties, Rlimits) {
  REQUIRE_ROOT();
  Box box;
  auto* limit = box.spec.mutable_process()->add_rlimits();
  limit->set_type("RLIMIT_NOFILE");
  limit->set_soft(100);
  limit->set_hard(200);
  EXPECT_EQ(box.run("ulimit -Sn; ulimit -Hn").out, "100\n200\n");
}

TEST(ProcessProperties, RlimitsOfAUserAndOfTheVerySmallKind) {
  REQUIRE_ROOT();
  Box box;
  box.spec.mutable_process()->mutable_user()->set_uid(1000);
  for (auto [type, value] : {std::pair("RLIMIT_NOFILE", 4), std::pair("RLIMIT_FSIZE", 0)}) {
    auto* limit = box.spec.mutable_process()->add_rlimits();
    limit->set_type(type);
    limit->set_soft(value);
    limit->set_hard(value);
  }
  EXPECT_EQ(box.run("ulimit -n; ulimit -f").out, "4\n0\n");
}

TEST(ProcessProperties, RlimitBeyondTheHardLimitIsAClearError) {
  REQUIRE_ROOT();
  rlimit now{};
  ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &now), 0);
  if (now.rlim_max == RLIM_INFINITY) GTEST_SKIP() << "this machine has no hard limit";
  Box box;
  auto* limit = box.spec.mutable_process()->add_rlimits();
  limit->set_type("RLIMIT_MEMLOCK");
  limit->set_soft(now.rlim_max + 4096);
  limit->set_hard(now.rlim_max + 4096);
  Outcome outcome = box.run("true");
  if (outcome.created) GTEST_SKIP() << "this user may raise limits";
  EXPECT_NE(outcome.created.error().message().find("error setting rlimit RLIMIT_MEMLOCK"),
            std::string::npos);
}

TEST(ProcessProperties, OomScoreAdjust) {
  REQUIRE_ROOT();
  Box box;
  box.spec.mutable_process()->set_oomscoreadj(500);
  EXPECT_EQ(box.run("cat /proc/self/oom_score_adj").out, "500\n");
  // Lowering needs a right that root may lack: never an error.
  box.spec.mutable_process()->set_oomscoreadj(-998);
  EXPECT_EQ(box.run("true").code, 0);
}

TEST(ProcessProperties, SignalsAreReset) {
  REQUIRE_ROOT();
  Box box;
  EXPECT_EQ(box.run_args({"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"}).out,
            "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(ProcessProperties, OwnSession) {
  REQUIRE_ROOT();
  Box box;
  EXPECT_EQ(box.run("cat /proc/self/stat | (read a b c d e f g; echo $e $f)").out.substr(0, 3),
            "1 1");
}

TEST(ProcessProperties, TerminalIsTheContainersOwn) {
  REQUIRE_ROOT();
  Box box;
  box.spec.mutable_process()->set_terminal(true);
  box.spec.mutable_process()->mutable_consolesize()->set_height(33);
  box.spec.mutable_process()->mutable_consolesize()->set_width(99);
  Outcome outcome =
      box.run("tty; stty size; test -c /dev/console && echo console; echo x > /dev/tty");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  EXPECT_EQ(outcome.out, "/dev/pts/0\r\n33 99\r\nconsole\r\nx\r\n");
}

TEST(ProcessProperties, TerminalNeedsDevpts) {
  REQUIRE_ROOT();
  Box box;
  box.spec.mutable_process()->set_terminal(true);
  box.spec.clear_mounts();
  EXPECT_FALSE(box.run("true").created);
}

TEST(ProcessProperties, NiceValueAndIoPriority) {
  REQUIRE_ROOT();
  Box box;
  box.spec.mutable_process()->mutable_scheduler()->set_policy("SCHED_BATCH");
  box.spec.mutable_process()->mutable_scheduler()->set_nice(7);
  Outcome outcome =
      box.run("read pid comm rest < /proc/self/stat; set -- $rest; shift 16; echo $1");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  EXPECT_EQ(outcome.out, "7\n");
  box.spec.mutable_process()->mutable_scheduler()->set_policy("SCHED_NONE");
  EXPECT_FALSE(box.run("nice").created);
}

}  // namespace
}  // namespace kata::agent::test
