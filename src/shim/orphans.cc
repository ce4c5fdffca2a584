#include "shim/orphans.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <set>
#include <string>

#include "base/file.h"
#include "base/log.h"

namespace kata::shim {

namespace {

// Long enough for every waiter on this loop to have had its turn.
constexpr auto kSettleTime = 10s;

bool is_zombie(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

std::set<pid_t> zombies() {
  std::set<pid_t> found;
  auto text = read_file("/proc/self/task/" + std::to_string(getpid()) + "/children");
  if (!text) return found;
  char* end = text->data();
  while (auto pid = static_cast<pid_t>(strtol(end, &end, 10))) {
    if (is_zombie(pid)) found.insert(pid);
  }
  return found;
}

}  // namespace

Task<> reap_orphans() {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGCHLD);
  while (true) {
    auto [error, number] = co_await signals.async_wait(use_tuple);
    if (error) co_return;
    const std::set<pid_t> before = zombies();
    if (before.empty()) continue;
    co_await sleep_for(kSettleTime);
    for (pid_t pid : zombies()) {
      if (!before.contains(pid) || waitpid(pid, nullptr, WNOHANG) != pid) continue;
      log::debug("reaped an orphan", {{"orphan", std::to_string(pid)}});
    }
  }
}

}  // namespace kata::shim
