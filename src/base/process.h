#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/task.h"
#include "base/unique_fd.h"

namespace kata {

// How a process ended.
struct ExitStatus {
  int code = 0;    // exit status, or 128 + signal
  int signal = 0;  // signal that killed it, 0 = none
  std::string describe() const;
};

// What to run and with what around it.
struct SpawnOptions {
  std::vector<std::string> argv;                // argv[0] is the program's path, unless
  std::string program;                          // names another one
  std::optional<std::vector<std::string>> env;  // absent = ours
  // {our fd, number in the child}. Everything else is closed; absent 0/1/2 become /dev/null.
  std::vector<std::pair<int, int>> fds;
  std::string cwd;
  int netns_fd = -1;             // network namespace to enter first
  bool die_with_parent = false;  // SIGKILL when our thread ends
  bool new_process_group = true;
  // Fd 0 of the child is a terminal that becomes its own, in a session of its own: a shell without
  // that waits for ever to come to the foreground of whatever terminal we have.
  bool own_terminal = false;
};

// A child of ours. Owns its pidfd; the destructor neither kills nor reaps.
class Process {
 public:
  // Starts it; an exec failure is returned here with the program's path in the text.
  static Result<Process> spawn(const SpawnOptions& options);

  pid_t pid() const { return pid_; }
  // Readable once the process has ended.
  int pidfd() const { return pidfd_.get(); }
  Status kill(int signal) const;
  // Suspends until it ended, then reaps it. Call once.
  Task<Result<ExitStatus>> wait();
  // Blocking form for programs without a loop.
  Result<ExitStatus> wait_blocking();

 private:
  Process(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  Result<ExitStatus> reap();

  pid_t pid_;
  UniqueFd pidfd_;
};

// Sends a signal to the process behind a pidfd; ESRCH is an error of class kNotFound.
Status signal_pidfd(int pidfd, int signal);
Result<UniqueFd> open_pidfd(pid_t pid);
// Suspends until fd is readable (or hung up); the fd stays the caller's.
Task<Status> wait_readable(int fd);

}  // namespace kata
