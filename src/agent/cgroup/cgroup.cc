#include "agent/cgroup/cgroup.h"

#include <csignal>

#include "agent/cgroup/cgroup_v1.h"
#include "agent/cgroup/cgroup_v2.h"

namespace kata::agent {
namespace {

constexpr auto kFreezeLimit = 5s;
constexpr auto kFreezePause = 5ms;

}  // namespace

Result<std::unique_ptr<Cgroup>> Cgroup::open_or_create(const CgroupHierarchy& where,
                                                       std::string path) {
  if (where.is_v2()) {
    auto made = std::make_unique<CgroupV2>(where.root(), std::move(path));
    TRY_STATUS(in_step("create cgroup " + made->path(), made->make()));
    return made;
  }
  auto made = std::make_unique<CgroupV1>(where.mounts(), std::move(path));
  TRY_STATUS(in_step("create cgroup " + made->path(), made->make()));
  return made;
}

Result<std::unique_ptr<Cgroup>> Cgroup::create(const CgroupHierarchy& where, std::string path) {
  TRY(std::unique_ptr<Cgroup> made, open_or_create(where, std::move(path)));
  TRY(std::vector<pid_t> inside, made->pids());
  if (!inside.empty()) {
    return fail(Code::kAlreadyExists, "cgroup " + made->path() + " already holds processes");
  }
  return made;
}

Status Cgroup::signal_all(int signal) {
  TRY(std::vector<pid_t> all, pids());
  for (pid_t pid : all) {
    if (::kill(pid, signal) < 0 && errno != ESRCH) return fail_errno("signal process");
  }
  return {};
}

Task<Status> Cgroup::set_frozen(bool frozen) {
  const unsigned turn = ++freeze_turn_;
  const auto limit = Clock::now() + kFreezeLimit;
  while (true) {
    // Asked again each time: on v1 a task that forks can keep the state at FREEZING.
    CO_TRY(bool reached, ask_frozen(frozen));
    if (reached) co_return Status();
    if (Clock::now() >= limit) break;
    co_await sleep_for(kFreezePause);
    if (turn != freeze_turn_) co_return fail(Code::kAborted, "another freeze or thaw came between");
  }
  // Half frozen would be a container that neither runs nor can be resumed.
  if (frozen) (void)ask_frozen(false);
  co_return fail(Code::kDeadlineExceeded, "cgroup did not freeze or thaw in time");
}

// Frozen tasks cannot fork while the signals go out; without a freezer two rounds must do.
Task<Status> Cgroup::kill_all() {
  Status stopped = co_await set_frozen(true);
  Status killed = signal_all(SIGKILL);
  // In any case: a pause that was under way must not keep the dying from dying.
  Status thawed = co_await set_frozen(false);
  if (stopped) {
    CO_TRY_STATUS(std::move(killed));
    co_return thawed;
  }
  co_return killed ? signal_all(SIGKILL) : killed;
}

}  // namespace kata::agent
