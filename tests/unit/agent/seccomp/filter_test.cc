// Seccomp profiles: compiled rules and their effect on a real process.
#include <gtest/gtest.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "agent/container/box.h"
#include "agent/seccomp/filter.h"
#include "agent/seccomp/unknown_calls.h"

namespace kata::agent::test {
namespace {

grpc::LinuxSeccomp profile(const char* default_action) {
  grpc::LinuxSeccomp out;
  out.set_defaultaction(default_action);
  out.add_architectures("SCMP_ARCH_X86_64");
  out.add_architectures("SCMP_ARCH_X86");
  return out;
}

grpc::LinuxSyscall* add(grpc::LinuxSeccomp* out, std::vector<const char*> names,
                        const char* action) {
  grpc::LinuxSyscall* entry = out->add_syscalls();
  for (const char* name : names) entry->add_names(name);
  entry->set_action(action);
  return entry;
}

void arg(grpc::LinuxSyscall* entry, uint64_t index, uint64_t value, const char* op,
         uint64_t two = 0) {
  auto* out = entry->add_args();
  out->set_index(index);
  out->set_value(value);
  out->set_op(op);
  out->set_valuetwo(two);
}

TEST(Seccomp, ErrnoOfAnEntry) {
  REQUIRE_ROOT();
  Box box;
  *box.spec.mutable_linux()->mutable_seccomp() = profile("SCMP_ACT_ALLOW");
  add(box.spec.mutable_linux()->mutable_seccomp(), {"mkdir", "mkdirat", "no_such_call"},
      "SCMP_ACT_ERRNO")
      ->set_errnoret(ENOTTY);
  Outcome outcome = box.run("mkdir /tmp/x; grep Seccomp: /proc/self/status");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  EXPECT_EQ(outcome.out, "Seccomp:\t2\n");
  EXPECT_NE(outcome.err.find("Inappropriate ioctl"), std::string::npos) << outcome.err;
}

TEST(Seccomp, WithoutNoNewPrivilegesAndForUsers) {
  REQUIRE_ROOT();
  Box box;
  *box.spec.mutable_linux()->mutable_seccomp() = profile("SCMP_ACT_ALLOW");
  add(box.spec.mutable_linux()->mutable_seccomp(), {"mkdir"}, "SCMP_ACT_ERRNO");
  for (bool no_new_privileges : {false, true}) {
    box.spec.mutable_process()->set_nonewprivileges(no_new_privileges);
    box.spec.mutable_process()->mutable_user()->set_uid(1000);
    Outcome outcome = box.run("mkdir /tmp/x; grep -E '^(Seccomp|CapEff):' /proc/self/status");
    ASSERT_TRUE(outcome.started) << outcome.started.error().message();
    EXPECT_EQ(outcome.out, "CapEff:\t0000000000000000\nSeccomp:\t2\n");
    EXPECT_NE(outcome.err.find("Operation not permitted"), std::string::npos) << outcome.err;
  }
}

TEST(Seccomp, DefaultErrnoIsHonoured) {
  REQUIRE_ROOT();
  Box box;
  auto* seccomp = box.spec.mutable_linux()->mutable_seccomp();
  *seccomp = profile("SCMP_ACT_ERRNO");
  seccomp->set_defaulterrnoret(ENOSYS);
  // All that ash needs, and what we need between filter and program.
  add(seccomp,
      {"execve",
       "capset",
       "prctl",
       "brk",
       "mmap",
       "munmap",
       "mprotect",
       "arch_prctl",
       "set_tid_address",
       "set_robust_list",
       "rseq",
       "prlimit64",
       "readlink",
       "readlinkat",
       "getrandom",
       "getpid",
       "getppid",
       "getuid",
       "geteuid",
       "getgid",
       "getegid",
       "rt_sigaction",
       "rt_sigprocmask",
       "rt_sigreturn",
       "write",
       "read",
       "fstat",
       "newfstatat",
       "stat",
       "lstat",
       "getcwd",
       "ioctl",
       "exit_group",
       "uname",
       "poll",
       "fcntl",
       "open",
       "openat",
       "close",
       "dup2",
       "clone",
       "fork",
       "vfork",
       "wait4",
       "sigaltstack"},
      "SCMP_ACT_ALLOW");
  Outcome outcome = box.run("mkdir /tmp/x");
  ASSERT_TRUE(outcome.started) << outcome.started.error().message();
  EXPECT_NE(outcome.err.find("Function not implemented"), std::string::npos)
      << outcome.err << outcome.code;
}

TEST(Seccomp, KillEndsTheProcess) {
  REQUIRE_ROOT();
  Box box;
  *box.spec.mutable_linux()->mutable_seccomp() = profile("SCMP_ACT_ALLOW");
  add(box.spec.mutable_linux()->mutable_seccomp(), {"mkdir"}, "SCMP_ACT_KILL_PROCESS");
  EXPECT_EQ(box.run_args({"mkdir", "/tmp/x"}).code, 128 + SIGSYS);
}

TEST(Seccomp, ExecGetsTheContainersProfile) {
  REQUIRE_ROOT();
  Box box;
  *box.spec.mutable_linux()->mutable_seccomp() = profile("SCMP_ACT_ALLOW");
  add(box.spec.mutable_linux()->mutable_seccomp(), {"mkdir"}, "SCMP_ACT_ERRNO");
  box.start_sleeper();
  EXPECT_EQ(box.exec("grep Seccomp: /proc/self/status").out, "Seccomp:\t2\n");
}

TEST(Seccomp, ArgumentConditions) {
  REQUIRE_ROOT();
  Box box;
  auto* seccomp = box.spec.mutable_linux()->mutable_seccomp();
  *seccomp = profile("SCMP_ACT_ALLOW");
  // kill(pid, 0) with both arguments; value is the mask, the second value what is left under it.
  auto* entry = add(seccomp, {"kill"}, "SCMP_ACT_ERRNO");
  arg(entry, 0, 0xff, "SCMP_CMP_MASKED_EQ", 1);
  arg(entry, 1, 0, "SCMP_CMP_EQ");
  Outcome outcome = box.run("kill -0 1; echo $?; kill -0 2; kill -CONT 1; echo $?");
  EXPECT_EQ(outcome.out, "1\n0\n") << outcome.err;
  EXPECT_NE(outcome.err.find("Operation not permitted"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("No such process"), std::string::npos) << outcome.err;
}

TEST(Seccomp, BadProfilesAreRefused) {
  auto refused = [](const grpc::LinuxSeccomp& bad) { return !SeccompFilter::compile(bad); };
  EXPECT_TRUE(refused(profile("SCMP_ACT_WRONG")));
  EXPECT_TRUE(refused(profile("SCMP_ACT_NOTIFY")));
  auto bad = profile("SCMP_ACT_ALLOW");
  bad.add_architectures("SCMP_ARCH_ABACUS");
  EXPECT_TRUE(refused(bad));
  bad = profile("SCMP_ACT_ALLOW");
  bad.add_flags("SECCOMP_FILTER_FLAG_WRONG");
  EXPECT_TRUE(refused(bad));
  bad = profile("SCMP_ACT_ALLOW");
  add(&bad, {}, "SCMP_ACT_ERRNO");
  EXPECT_TRUE(refused(bad));
  bad = profile("SCMP_ACT_ALLOW");
  arg(add(&bad, {"mkdir"}, "SCMP_ACT_ERRNO"), 6, 0, "SCMP_CMP_EQ");
  EXPECT_TRUE(refused(bad));
  bad = profile("SCMP_ACT_ALLOW");
  arg(add(&bad, {"mkdir"}, "SCMP_ACT_ERRNO"), 0, 0, "SCMP_CMP_WRONG");
  EXPECT_TRUE(refused(bad));
}

TEST(Seccomp, EveryGoodWordIsTaken) {
  auto good = profile("SCMP_ACT_ERRNO");
  for (const char* flag :
       {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"}) {
    good.add_flags(flag);
  }
  uint64_t value = 0;
  for (const char* action : {"SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRAP", "SCMP_ACT_TRACE",
                             "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS"}) {
    arg(add(&good, {"personality"}, action), 0, ++value, "SCMP_CMP_EQ");
  }
  auto* twice = add(&good, {"socket"}, "SCMP_ACT_ALLOW");
  arg(twice, 0, 1, "SCMP_CMP_EQ");
  arg(twice, 0, 2, "SCMP_CMP_EQ");
  for (const char* op :
       {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_GE", "SCMP_CMP_GT"}) {
    arg(add(&good, {"clone"}, "SCMP_ACT_ALLOW"), 0, 7, op);
  }
  auto compiled = SeccompFilter::compile(good);
  EXPECT_TRUE(compiled) << compiled.error().message();
}

// errno of a system call in a child under the profile; 0 = done, 128 + signal = killed.
int errno_under(const grpc::LinuxSeccomp& seccomp, long number) {
  pid_t pid = fork();
  if (pid == 0) {
    auto filter = SeccompFilter::compile(seccomp);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!filter || !filter->load()) _exit(99);
    const int result = syscall(number, -1, -1, -1, -1, -1, -1) == -1 ? errno : 0;
    syscall(SYS_exit_group, result);  // sanitizers do more in _exit() than the profile allows
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

constexpr long kFuture = 600, kX32 = 0x40000000;

// A profile that knows calls up to faccessat2 (439).
grpc::LinuxSeccomp refusing(const char* default_action) {
  auto out = profile(default_action);
  add(&out, {"exit_group", "exit", "read", "write", "rt_sigreturn", "faccessat2"},
      "SCMP_ACT_ALLOW");
  return out;
}

TEST(Seccomp, CallsNewerThanTheProfileDoNotExist) {
  REQUIRE_ROOT();
  for (const char* action : {"SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"}) {
    EXPECT_EQ(errno_under(refusing(action), kFuture), ENOSYS) << action;
    EXPECT_EQ(errno_under(refusing(action), SYS_faccessat2 + 1), ENOSYS) << action;
  }
  EXPECT_EQ(errno_under(refusing("SCMP_ACT_ERRNO"), SYS_faccessat2 - 1), EPERM);
  EXPECT_EQ(errno_under(refusing("SCMP_ACT_ERRNO"), SYS_read), EBADF);
  EXPECT_EQ(errno_under(refusing("SCMP_ACT_KILL_PROCESS"), SYS_ptrace), 128 + SIGSYS);
  auto other = refusing("SCMP_ACT_ERRNO");
  other.set_defaulterrnoret(ENOTTY);
  EXPECT_EQ(errno_under(other, kFuture), ENOSYS);
  EXPECT_EQ(errno_under(other, SYS_ptrace), ENOTTY);
}

TEST(Seccomp, ARuleForANewerCallCounts) {
  REQUIRE_ROOT();
  auto seccomp = refusing("SCMP_ACT_ERRNO");
  add(&seccomp, {"futex_waitv"}, "SCMP_ACT_ERRNO");  // 449, with the default's action
  EXPECT_EQ(errno_under(seccomp, SYS_faccessat2 + 1), EPERM);
  EXPECT_EQ(errno_under(seccomp, kFuture), ENOSYS);
}

TEST(Seccomp, X32CallsAreNotTakenForNewOnes) {
  REQUIRE_ROOT();
  // Without the x32 architecture the library kills them.
  EXPECT_EQ(errno_under(refusing("SCMP_ACT_ERRNO"), kX32 | SYS_read), 128 + SIGSYS);
  auto with = refusing("SCMP_ACT_ERRNO");
  with.add_architectures("SCMP_ARCH_X32");
  EXPECT_EQ(errno_under(with, kX32 | SYS_ptrace), EPERM);
  EXPECT_EQ(errno_under(with, kX32 | kFuture), ENOSYS);
  EXPECT_EQ(errno_under(with, kFuture), ENOSYS);
}

TEST(Seccomp, NothingIsPutBeforeAProfileThatLetsCallsThrough) {
  auto front = [](const grpc::LinuxSeccomp& seccomp) {
    return unknown_call_filter(seccomp, {SCMP_ARCH_X86_64, SCMP_ARCH_X86}).size();
  };
  for (const char* action : {"SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"}) {
    EXPECT_EQ(front(refusing(action)), 0u) << action;
  }
  auto own = refusing("SCMP_ACT_ERRNO");
  EXPECT_EQ(front(own), 12u);
  own.set_defaulterrnoret(ENOSYS);
  EXPECT_EQ(front(own), 0u);
  EXPECT_EQ(front(profile("SCMP_ACT_ERRNO")), 0u) << "names no call";
}

}  // namespace
}  // namespace kata::agent::test
