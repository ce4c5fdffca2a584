// What a program sees when it is started, and how failures are told (facts/agent-behaviour.md 5).
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "agent/container/box.h"
#include "base/file.h"

namespace kata::agent::test {
namespace {

TEST(Launch, OutputAndExitCode) {
  REQUIRE_ROOT();
  Box box;
  Outcome outcome = box.run("echo hello; echo oops >&2; exit 7");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  ASSERT_TRUE(outcome.started) << outcome.started.error().message();
  EXPECT_EQ(outcome.out, "hello\n");
  EXPECT_EQ(outcome.err, "oops\n");
  EXPECT_EQ(outcome.code, 7);
}

TEST(Launch, IsFirstProcessWithItsHostname) {
  REQUIRE_ROOT();
  Box box;
  Outcome outcome = box.run("echo $$; hostname; pwd; echo $HOME");
  EXPECT_EQ(outcome.out, "1\nbox\n/\n/root\n");
}

TEST(Launch, KilledBySignalIs128PlusNumber) {
  REQUIRE_ROOT();
  Box box;
  box.start_sleeper();
  EXPECT_EQ(box.exec("kill -9 $$").code, 137);
}

TEST(Launch, MissingProgramFailsAtCreate) {
  REQUIRE_ROOT();
  Box box;
  Outcome outcome = box.run_args({"foo"});
  ASSERT_FALSE(outcome.created);
  EXPECT_EQ(outcome.created.error().message(), "exec: \"foo\": executable file not found in $PATH");
  EXPECT_EQ(outcome.created.error().code(), Code::kNotFound);

  outcome = box.run_args({"/bin/foo"});
  ASSERT_FALSE(outcome.created);
  EXPECT_EQ(outcome.created.error().message(),
            "exec: \"/bin/foo\": stat /bin/foo: no such file or directory");
}

TEST(Launch, UnexecutableProgramFailsAtCreate) {
  REQUIRE_ROOT();
  Box box;
  ASSERT_TRUE(write_file(box.rootfs() + "/bin/data", "x", 0644));
  for (const char* program : {"/bin/data", "/etc"}) {
    Outcome outcome = box.run_args({program});
    ASSERT_FALSE(outcome.created);
    EXPECT_EQ(outcome.created.error().message(),
              std::string("exec: \"") + program + "\": permission denied");
    EXPECT_EQ(outcome.created.error().code(), Code::kPermissionDenied);
  }
}

TEST(Launch, ProgramTheKernelRefusesExitsWithReasonOnStderr) {
  REQUIRE_ROOT();
  Box box;
  ASSERT_TRUE(write_file(box.rootfs() + "/bin/garbage", "garbage", 0755));
  ASSERT_EQ(chmod((box.rootfs() + "/bin/garbage").c_str(), 0755), 0);
  Outcome outcome = box.run_args({"/bin/garbage"});
  EXPECT_TRUE(outcome.created);
  EXPECT_TRUE(outcome.started);
  EXPECT_EQ(outcome.err, "exec /bin/garbage: exec format error\n");
  EXPECT_EQ(outcome.code, 1);
}

TEST(Launch, CwdIsMadeAndChecked) {
  REQUIRE_ROOT();
  Box box;
  box.spec.mutable_process()->set_cwd("/work/deep");
  EXPECT_EQ(box.run("pwd").out, "/work/deep\n");
  box.spec.mutable_process()->set_cwd("/bin/cat");
  Outcome outcome = box.run("pwd");
  ASSERT_FALSE(outcome.created);
  EXPECT_EQ(outcome.created.error().message(), "mkdir /bin/cat: not a directory");
}

TEST(Launch, CwdOfTheAgentIsRefused) {
  // runc CVE-2024-21626: a descriptor of the runtime as working directory.
  REQUIRE_ROOT();
  Box box;
  for (int fd = 3; fd < 12; ++fd) {
    box.spec.mutable_process()->set_cwd("/proc/self/fd/" + std::to_string(fd));
    EXPECT_FALSE(box.run("pwd").created) << fd;
  }
}

TEST(Launch, NoDescriptorLeaks) {
  REQUIRE_ROOT();
  Box box;
  EXPECT_EQ(box.run_args({"ls", "/proc/self/fd"}).out, "0\n1\n2\n3\n");
}

TEST(Launch, EnvironmentLastValueWins) {
  REQUIRE_ROOT();
  Box box;
  box.spec.mutable_process()->add_env("A=1");
  box.spec.mutable_process()->add_env("B=2");
  box.spec.mutable_process()->add_env("A=3");
  EXPECT_EQ(box.run_args({"env"}).out,
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nA=3\nB=2\nHOME=/root\n");
}

TEST(Launch, NothingIsLeftAfterGivingUp) {
  REQUIRE_ROOT();
  Box box;
  box.spec.mutable_process()->add_args("true");
  InitRequest request;
  request.id = "box";
  request.rootfs = box.rootfs();
  request.spec = &box.spec;
  pid_t pid = 0;
  {
    auto created = wait_for_task(create_init(std::move(request)));
    ASSERT_TRUE(created);
    pid = (*created)->pid();
    EXPECT_TRUE(path_exists("/proc/" + std::to_string(pid)));
  }
  EXPECT_FALSE(path_exists("/proc/" + std::to_string(pid)));
}

TEST(Launch, BadSpecsAreRefused) {
  REQUIRE_ROOT();
  Box box;
  EXPECT_FALSE(box.run_args({}).created);
  (*box.spec.mutable_linux()->mutable_sysctl())["kernel.core_pattern"] = "x";
  EXPECT_FALSE(box.run("true").created);
  box.spec.mutable_linux()->clear_sysctl();
  box.spec.mutable_linux()->add_namespaces()->set_type("wrong");
  EXPECT_FALSE(box.run("true").created);
}

}  // namespace
}  // namespace kata::agent::test
