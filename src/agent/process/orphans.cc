#include "agent/process/orphans.h"

#include <sys/wait.h>

#include <charconv>
#include <csignal>
#include <map>

#include "base/file.h"
#include "base/log.h"

namespace kata::agent {
namespace {

constexpr auto kRound = 20ms;
constexpr int kRoundsToOrphan = 10;

bool any_zombie() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && info.si_pid != 0;
}

// waitid() shows one zombie and always the same one, so they are looked for by number.
std::vector<pid_t> all_zombies() {
  std::vector<pid_t> zombies;
  auto names = list_dir("/proc");
  if (!names) {
    log::failure("look for orphans", names.error());
    return zombies;
  }
  for (const auto& name : *names) {
    pid_t pid = 0;
    auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (problem != std::errc() || *end != 0 || pid <= 0) continue;
    if (is_zombie(pid)) zombies.push_back(pid);
  }
  return zombies;
}

}  // namespace

bool is_zombie(pid_t child) {
  siginfo_t info{};
  int flags = WEXITED | WNOHANG | WNOWAIT | __WALL;
  return waitid(P_PID, static_cast<id_t>(child), &info, flags) == 0 && info.si_pid != 0;
}

Task<> reap_orphans() {
  asio::signal_set child_ended(co_await asio::this_coro::executor, SIGCHLD);
  while (true) {
    auto [error, number] = co_await child_ended.async_wait(use_tuple);
    if (error) co_return;
    std::map<pid_t, int> rounds;
    co_await sleep_for(kRound);
    while (any_zombie()) {
      std::map<pid_t, int> still;
      for (pid_t zombie : all_zombies()) {
        int seen = rounds[zombie] + 1;
        if (seen < kRoundsToOrphan) {
          still[zombie] = seen;
        } else {
          waitpid(zombie, nullptr, WNOHANG | __WALL);
        }
      }
      rounds = std::move(still);
      co_await sleep_for(kRound);
    }
  }
}

}  // namespace kata::agent
