#include "agent/process/process.h"

#include <sys/wait.h>

#include <charconv>
#include <csignal>

#include "agent/process/orphans.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"

namespace kata::agent {
namespace {

constexpr int kUnknownExit = 255;

int reap(pid_t pid) {
  int status = 0;
  pid_t got;
  do {
    got = waitpid(pid, &status, __WALL);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    log::failure("exit code lost", errno_error("wait for process " + std::to_string(pid)));
    return kUnknownExit;
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// A signal mask line of /proc/<pid>/status, for example "SigBlk:\t0000000000010000".
bool mask_has(std::string_view status, std::string_view name, int number) {
  size_t at = status.find(name);
  if (at == std::string_view::npos) return true;
  status.remove_prefix(at + name.size());
  status.remove_prefix(std::min(status.size(), status.find_first_not_of(" \t")));
  uint64_t mask = 0;
  std::from_chars(status.data(), status.data() + std::min<size_t>(status.size(), 16), mask, 16);
  return (mask >> (number - 1)) & 1;
}

}  // namespace

ContainerProcess::ContainerProcess(asio::any_io_executor executor, std::string exec_id, pid_t pid,
                                   UniqueFd pidfd, ProcessIo io)
    : exec_id_(std::move(exec_id)),
      pid_(pid),
      pidfd_(std::move(pidfd)),
      io_(std::move(io)),
      exit_(std::move(executor)) {}

std::shared_ptr<ContainerProcess> ContainerProcess::adopt(asio::any_io_executor executor,
                                                          std::string exec_id, pid_t pid,
                                                          UniqueFd pidfd, ProcessIo io) {
  auto self = std::shared_ptr<ContainerProcess>(
      new ContainerProcess(executor, std::move(exec_id), pid, std::move(pidfd), std::move(io)));
  spawn(executor, watch(self));
  return self;
}

Task<> ContainerProcess::watch(std::shared_ptr<ContainerProcess> self) {
  while (true) {
    auto ended = co_await wait_readable(self->pidfd_.get());
    if (ended) break;
    // Out of descriptors, for example. Waiting for the process here would stop the whole agent.
    log::failure("watch process", ended.error(), {{"exec_id", self->exec_id_}});
    co_await sleep_for(1s);
    if (is_zombie(self->pid_)) break;
  }
  int code = reap(self->pid_);
  self->io_.process_ended();
  log::info("process ended", {{"exec_id", self->exec_id_},
                              {"process", std::to_string(self->pid_)},
                              {"exit_code", std::to_string(code)}});
  self->exit_.set(code);
}

Status ContainerProcess::signal(int number) const {
  if (has_exited()) return fail(Code::kNotFound, "Process not found: already ended");
  auto sent = signal_pidfd(pidfd_.get(), number);
  if (!sent && sent.error().sys_errno() == ESRCH) return {};
  return sent;
}

bool ContainerProcess::takes_default_action(int number) const {
  if (number < 1 || number > 64 || has_exited()) return false;
  auto status = read_file("/proc/" + std::to_string(pid_) + "/status");
  if (!status) return false;
  return !mask_has(*status, "\nSigBlk:", number) && !mask_has(*status, "\nSigIgn:", number) &&
         !mask_has(*status, "\nSigCgt:", number);
}

}  // namespace kata::agent
