// Further processes of a running container.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "agent/container/box.h"
#include "base/file.h"

namespace kata::agent::test {
namespace {

TEST(Exec, SharesTheNamespaces) {
  REQUIRE_ROOT();
  Box box;
  box.start_sleeper();
  Outcome outcome = box.exec(
      "hostname; ls /; cat /proc/1/comm; for n in pid mnt uts ipc net; do "
      "test $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) || echo $n; done");
  ASSERT_TRUE(outcome.started) << outcome.started.error().message();
  EXPECT_EQ(outcome.out, "box\nbin\ndev\netc\nproc\nsys\ntmp\nsleep\n");
}

TEST(Exec, InheritsCapabilitiesUnlessItNamesOwn) {
  REQUIRE_ROOT();
  Box box;
  box.start_sleeper();
  EXPECT_EQ(box.exec("grep CapBnd /proc/self/status").out, "CapBnd:\t00000000a80425fb\n");
  grpc::Process process = Box::shell("grep CapBnd /proc/self/status");
  process.mutable_capabilities()->add_bounding("CAP_KILL");
  EXPECT_EQ(box.exec(process).out, "CapBnd:\t0000000000000020\n");
}

TEST(Exec, UserCwdAndEnvironment) {
  REQUIRE_ROOT();
  Box box;
  box.start_sleeper();
  grpc::Process process = Box::shell("id -u; pwd; echo $X $HOME");
  process.mutable_user()->set_uid(1000);
  process.set_cwd("/etc");
  process.add_env("X=y");
  EXPECT_EQ(box.exec(process).out, "1000\n/etc\ny /home/user\n");
}

TEST(Exec, FailuresHaveTheirClass) {
  REQUIRE_ROOT();
  Box box;
  box.start_sleeper();
  grpc::Process process = Box::shell("");
  process.set_args(0, "foo");
  Outcome outcome = box.exec(process);
  ASSERT_FALSE(outcome.started);
  EXPECT_EQ(outcome.started.error().message(), "exec: \"foo\": executable file not found in $PATH");
  process = Box::shell("true");
  process.set_cwd("/nowhere");
  outcome = box.exec(process);
  ASSERT_FALSE(outcome.started);
  EXPECT_EQ(outcome.started.error().message(),
            "chdir to cwd (\"/nowhere\") set in config.json failed: no such file or directory");
}

TEST(Exec, Terminal) {
  REQUIRE_ROOT();
  Box box;
  box.start_sleeper();
  grpc::Process process = Box::shell("tty; test -t 0 && echo yes");
  process.set_terminal(true);
  EXPECT_EQ(box.exec(process).out, "/dev/pts/0\r\nyes\r\n");
}

TEST(Exec, NoDescriptorLeaks) {
  REQUIRE_ROOT();
  Box box;
  box.start_sleeper();
  grpc::Process process = Box::shell("");
  process.clear_args();
  process.add_args("ls");
  process.add_args("/proc/self/fd");
  EXPECT_EQ(box.exec(process).out, "0\n1\n2\n3\n");
}

TEST(Exec, StoppedContainerIsRefused) {
  REQUIRE_ROOT();
  Box box;
  box.start_sleeper();
  ASSERT_TRUE(signal_pidfd(box.init().pidfd(), SIGKILL));
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PIDFD, static_cast<id_t>(box.init().pidfd()), &info, WEXITED | WNOWAIT), 0);
  Outcome outcome = box.exec("true");
  ASSERT_FALSE(outcome.started);
  EXPECT_EQ(outcome.started.error().message(), "cannot exec in a stopped container");
}

TEST(Exec, JoiningProcessShowsNothingOfTheAgent) {
  // runc CVE-2016-9962: a process of the container looks at everything that comes into its view.
  REQUIRE_ROOT();
  Box box;
  box.start_sleeper();
  grpc::Process process = Box::shell(
      "i=0; while [ $i -lt 300 ]; do i=$((i+1)); for p in /proc/[0-9]*; do for l in root cwd "
      "fd/4 fd/5; do "
      "t=$(readlink $p/$l 2>/dev/null); case \"$t\" in *kata*|*launch*|mnt:*|user:*) echo $l $t;; "
      "esac; done; done; done");
  process.mutable_capabilities()->add_bounding("CAP_SYS_PTRACE");
  process.mutable_capabilities()->add_permitted("CAP_SYS_PTRACE");
  process.mutable_capabilities()->add_effective("CAP_SYS_PTRACE");
  ExecRequest request;
  request.process = &process;
  request.spec = &box.spec;
  int out[2];
  ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
  request.stdio.out.reset(out[1]);
  UniqueFd output(out[0]);
  request.namespaces = &box.init().namespaces();
  auto watcher = wait_for_task(exec_process(std::move(request)));
  ASSERT_TRUE(watcher);
  for (int round = 0; round < 20; ++round) EXPECT_EQ(box.exec("true").code, 0);
  ASSERT_TRUE(signal_pidfd(watcher->pidfd.get(), SIGKILL));
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PIDFD, static_cast<id_t>(watcher->pidfd.get()), &info, WEXITED), 0);
  EXPECT_EQ(*read_fd(output.get()), "");
}

TEST(Exec, AgentKeepsNothing) {
  REQUIRE_ROOT();
  Box box;
  box.start_sleeper();
  EXPECT_EQ(box.exec("true").code, 0);
  auto before = list_dir("/proc/self/fd");
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(box.exec("true").code, 0);
    grpc::Process bad = Box::shell("");
    bad.set_args(0, "missing");
    EXPECT_FALSE(box.exec(bad).started);
  }
  EXPECT_EQ(list_dir("/proc/self/fd")->size(), before->size());
  EXPECT_EQ(read_file("/proc/self/mountinfo")->find(box.rootfs()), std::string::npos);
  siginfo_t info{};
  EXPECT_EQ(waitid(P_ALL, 0, &info, WEXITED | WNOHANG), 0);
  EXPECT_EQ(info.si_pid, 0) << "a child was not reaped";
}

}  // namespace
}  // namespace kata::agent::test
