#include "agent/container/spawn_child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "agent/container/emulation.h"
#include "agent/container/launch_config.h"
#include "agent/container/self_image.h"
#include "base/process.h"

namespace kata::agent {
namespace {

constexpr int kSpawnFailed = 125;
// Descriptors are first moved above this number, so that none is overwritten before its turn.
constexpr int kParking = 128;

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) {
    // SIGKILL, SIGSTOP and the C library's own refuse.
    ::signal(signal, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Puts sources[i] on descriptor i and closes the rest at exec.
bool arrange_fds(std::vector<int>* sources) {
  for (int& fd : *sources) {
    fd = fd < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : fd;
    fd = fcntl(fd, F_DUPFD_CLOEXEC, kParking);
    if (fd < 0) return false;
  }
  int number = 0;
  for (int fd : *sources) {
    if (dup2(fd, number++) < 0) return false;
  }
  return close_range(static_cast<unsigned>(number), ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

[[noreturn]] void become_child(std::vector<int> sources, int image, const ChildPlan& plan) {
  reset_signals();
  int moved = fcntl(image, F_DUPFD_CLOEXEC, 2 * kParking);
  if (moved >= 0 && arrange_fds(&sources)) {
    char name[] = "kata-agent";
    char* argv[] = {name, const_cast<char*>(plan.mode), nullptr};
    char* env[] = {nullptr};
    prefer_known_addresses();
    syscall(SYS_execveat, moved, "", argv, env, AT_EMPTY_PATH);
  }
  _exit(kSpawnFailed);
}

}  // namespace

Result<Child> spawn_child(const ChildPlan& plan) {
  TRY(int image, sealed_self_image());
  std::vector<int> sources = {-1, -1, -1, plan.channel, plan.config};
  if (plan.stdio) {
    sources[0] = plan.stdio->in.get();
    sources[1] = plan.stdio->out.get();
    sources[2] = plan.stdio->err.get();
  }
  sources.insert(sources.end(), plan.extra.begin(), plan.extra.end());

  int pidfd = -1;
  clone_args args{};
  args.flags = plan.clone_flags | CLONE_PIDFD;
  args.exit_signal = SIGCHLD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  if (plan.cgroup_dir >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(plan.cgroup_dir);
  }
  long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return fail_errno("clone the container process");
  if (pid == 0) become_child(std::move(sources), image, plan);
  return Child{static_cast<pid_t>(pid), UniqueFd(pidfd)};
}

void kill_and_reap(const Child& child) {
  if (!child.pidfd) return;
  // kNotFound: it is gone already, which is the aim.
  (void)signal_pidfd(child.pidfd.get(), SIGKILL);
  siginfo_t info{};
  while (waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED) < 0 &&
         errno == EINTR) {
  }
}

}  // namespace kata::agent
