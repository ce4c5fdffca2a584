#include "base/process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace kata {

namespace {

struct ChildPlan {
  const SpawnOptions* options;
  const char* program;
  std::vector<char*> argv;
  std::vector<char*> envp;
  int report_fd;
};

// Only async-signal-safe calls from here to exec: the parent may have threads.
[[noreturn]] void child_fail(int report_fd) {
  int saved = errno;
  [[maybe_unused]] ssize_t n = write(report_fd, &saved, sizeof saved);
  _exit(127);
}

// Moves fds to their numbers in two rounds, so that no target overwrites a source.
int place_fds(const SpawnOptions& options, int* report_fd) {
  int highest = 2;
  for (auto [from, to] : options.fds) highest = std::max(highest, to);
  int moved = fcntl(*report_fd, F_DUPFD_CLOEXEC, highest + 1);
  if (moved < 0) return -1;
  *report_fd = moved;
  constexpr size_t kMax = 64;
  int parked[kMax];
  if (options.fds.size() > kMax) {
    errno = E2BIG;
    return -1;
  }
  for (size_t i = 0; i < options.fds.size(); ++i) {
    parked[i] = fcntl(options.fds[i].first, F_DUPFD_CLOEXEC, moved + 1);
    if (parked[i] < 0) return -1;
  }
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2 && null >= 0; ++fd) {
    if (null != fd && dup2(null, fd) < 0) return -1;
  }
  for (size_t i = 0; i < options.fds.size(); ++i) {
    if (dup2(parked[i], options.fds[i].second) < 0) return -1;
  }
  // Whatever else is open closes at exec.
  return static_cast<int>(syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */));
}

bool keep_open(const SpawnOptions& options) {
  for (auto [from, to] : options.fds) {
    if (to > 2 && fcntl(to, F_SETFD, 0) < 0) return false;
  }
  return true;
}

[[noreturn]] void run_child(const ChildPlan& plan, pid_t parent) {
  const SpawnOptions& options = *plan.options;
  int report = plan.report_fd;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  if (options.own_terminal) {
    if (setsid() < 0) child_fail(report);
  } else if (options.new_process_group) {
    setpgid(0, 0);
  }
  if (options.die_with_parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) child_fail(report);
    if (getppid() != parent) _exit(127);
  }
  if (options.netns_fd >= 0 && setns(options.netns_fd, CLONE_NEWNET) < 0) child_fail(report);
  if (!options.cwd.empty() && chdir(options.cwd.c_str()) < 0) child_fail(report);
  if (place_fds(options, &report) < 0 || !keep_open(options)) child_fail(report);
  // 1: also from another session, which is how PID 1 lends out its console.
  if (options.own_terminal && ioctl(0, TIOCSCTTY, 1) < 0) child_fail(report);
  execve(plan.program, plan.argv.data(), plan.envp.empty() ? environ : plan.envp.data());
  child_fail(report);
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::string ExitStatus::describe() const {
  if (signal == 0) return "exit status " + std::to_string(code);
  const char* name = sigabbrev_np(signal);
  return std::string("killed by signal SIG") + (name ? name : std::to_string(signal));
}

Result<Process> Process::spawn(const SpawnOptions& options) {
  if (options.argv.empty()) return fail(Code::kInvalidArgument, "nothing to run");
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) < 0) return fail_errno("pipe");
  UniqueFd read_end(pipe_fds[0]), write_end(pipe_fds[1]);
  const std::string& program = options.program.empty() ? options.argv[0] : options.program;
  ChildPlan plan{&options, program.c_str(), pointers(options.argv), {}, write_end.get()};
  if (options.env) plan.envp = pointers(*options.env);
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid < 0) return fail_errno("fork");
  if (pid == 0) run_child(plan, parent);
  write_end.reset();
  int child_errno = 0;
  ssize_t n;
  do {
    n = read(read_end.get(), &child_errno, sizeof child_errno);
  } while (n < 0 && errno == EINTR);
  if (n == sizeof child_errno) {
    waitpid(pid, nullptr, 0);
    return fail_errno("start " + program, child_errno);
  }
  auto pidfd = open_pidfd(pid);
  if (!pidfd) {
    // Nobody could watch it: it must not run.
    ::kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return std::unexpected(std::move(pidfd.error()));
  }
  return Process(pid, std::move(*pidfd));
}

Status Process::kill(int signal) const {
  return signal_pidfd(pidfd_.get(), signal);
}

Result<ExitStatus> Process::reap() {
  int status = 0;
  pid_t got;
  do {
    got = waitpid(pid_, &status, 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return fail_errno("wait for process " + std::to_string(pid_));
  if (WIFSIGNALED(status)) return ExitStatus{128 + WTERMSIG(status), WTERMSIG(status)};
  return ExitStatus{WEXITSTATUS(status), 0};
}

Task<Result<ExitStatus>> Process::wait() {
  CO_TRY_STATUS(co_await wait_readable(pidfd_.get()));
  co_return reap();
}

Result<ExitStatus> Process::wait_blocking() {
  return reap();
}

Status signal_pidfd(int pidfd, int signal) {
  if (syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) < 0) {
    return fail_errno("send signal " + std::to_string(signal));
  }
  return {};
}

Result<UniqueFd> open_pidfd(pid_t pid) {
  UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!fd) return fail_errno("pidfd of process " + std::to_string(pid));
  return fd;
}

Task<Status> wait_readable(int fd) {
  UniqueFd own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own) co_return fail_errno("dup");
  asio::posix::stream_descriptor descriptor(co_await asio::this_coro::executor);
  boost::system::error_code assigned;
  descriptor.assign(own.get(), assigned);
  if (assigned) co_return fail_errno("watch fd", assigned.value());
  [[maybe_unused]] int moved = own.release();
  auto [error] = co_await descriptor.async_wait(asio::posix::descriptor_base::wait_read, use_tuple);
  if (error) co_return fail_errno("wait for fd", error.value());
  co_return Status{};
}

}  // namespace kata
