#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "agent/stdio/process_io.h"
#include "base/event.h"

namespace kata::agent {

// One process of a container as the host knows it: an id, streams, an exit code. The record lives
// until the host has waited for it (exec) or removed the container (init); calls in flight hold a
// reference. Event-loop thread only.
class ContainerProcess : public std::enable_shared_from_this<ContainerProcess> {
 public:
  // Takes over a running (or gated) process and starts to wait for its end.
  static std::shared_ptr<ContainerProcess> adopt(asio::any_io_executor executor,
                                                 std::string exec_id, pid_t pid, UniqueFd pidfd,
                                                 ProcessIo io);

  const std::string& exec_id() const { return exec_id_; }
  pid_t pid() const { return pid_; }
  ProcessIo& io() { return io_; }

  bool has_exited() const { return exit_.ready(); }
  // Exit status, or 128 + signal. Any number of waiters.
  Task<int> wait() { return exit_.wait(); }

  // kNotFound once the process is reaped; a process that ends in between is no error.
  Status signal(int number) const;
  // True when the process would simply die of the signal: it neither blocks, ignores nor catches
  // it. The first process of a pid namespace would not, the kernel shields it.
  bool takes_default_action(int number) const;

 private:
  ContainerProcess(asio::any_io_executor executor, std::string exec_id, pid_t pid, UniqueFd pidfd,
                   ProcessIo io);
  static Task<> watch(std::shared_ptr<ContainerProcess> self);

  std::string exec_id_;
  pid_t pid_;
  UniqueFd pidfd_;
  ProcessIo io_;
  Promise<int> exit_;
};

}  // namespace kata::agent
