#include "runtime/container.h"

#include <csignal>

#include "base/log.h"
#include "oci/transform.h"
#include "runtime/hooks.h"
#include "runtime/sandbox.h"

namespace kata::runtime {

namespace {

// Limits of an update that the sandbox goes by; 0 and empty mean that they stay as they are.
void keep_limits(const grpc::LinuxResources& update, grpc::LinuxResources& kept) {
  const grpc::LinuxCPU& cpu = update.cpu();
  if (!cpu.cpus().empty()) kept.mutable_cpu()->set_cpus(cpu.cpus());
  if (cpu.quota() != 0) kept.mutable_cpu()->set_quota(cpu.quota());
  if (cpu.period() != 0) kept.mutable_cpu()->set_period(cpu.period());
  if (update.memory().limit() != 0) kept.mutable_memory()->set_limit(update.memory().limit());
}

}  // namespace

Container::Container(Sandbox& sandbox, std::string id, std::string bundle, grpc::Spec spec,
                     oci::ContainerType type)
    : sandbox_(sandbox),
      id_(std::move(id)),
      bundle_(std::move(bundle)),
      spec_(std::move(spec)),
      type_(type),
      init_(std::make_shared<Process>(*this, "", spec_.process())),
      updating_(sandbox.executor()) {}

std::shared_ptr<void> Container::keep_alive() {
  using Pair = std::pair<std::shared_ptr<Container>, std::shared_ptr<Sandbox>>;
  return std::make_shared<Pair>(shared_from_this(), sandbox_.shared_from_this());
}

Container::State Container::state() const {
  switch (init_->state()) {
    case Process::State::kCreated:
      return State::kCreated;
    case Process::State::kStopped:
      return State::kStopped;
    case Process::State::kRunning:
      break;
  }
  if (freeze_ == Freeze::kPausing) return State::kPausing;
  return freeze_ == Freeze::kPaused ? State::kPaused : State::kRunning;
}

Result<std::shared_ptr<Process>> Container::add_exec(const std::string& exec_id,
                                                     grpc::Process spec) {
  if (exec_id.empty()) return fail(Code::kInvalidArgument, "exec id is empty");
  if (execs_.contains(exec_id)) {
    return fail(Code::kAlreadyExists, "exec " + exec_id + " exists in container " + id_);
  }
  if (state() == State::kStopped) {
    return fail(Code::kFailedPrecondition, "container " + id_ + " is stopped");
  }
  auto process = std::make_shared<Process>(*this, exec_id, std::move(spec));
  execs_[exec_id] = process;
  return process;
}

std::shared_ptr<Process> Container::find(const std::string& exec_id) const {
  if (exec_id.empty()) return init_;
  auto found = execs_.find(exec_id);
  return found == execs_.end() ? nullptr : found->second;
}

Status Container::remove_exec(const std::string& exec_id) {
  auto found = execs_.find(exec_id);
  if (found == execs_.end()) return fail(Code::kNotFound, "exec " + exec_id);
  if (found->second->state() == Process::State::kRunning) {
    return fail(Code::kFailedPrecondition, "cannot delete a running process");
  }
  execs_.erase(found);
  return {};
}

Task<Status> Container::pause() {
  auto keep = keep_alive();
  if (state() != State::kRunning) {
    co_return fail(Code::kFailedPrecondition, "cannot pause a container that is not running");
  }
  freeze_ = Freeze::kPausing;
  auto paused = co_await sandbox_.agent().pause(id_);
  freeze_ = paused ? Freeze::kPaused : Freeze::kNone;
  co_return paused;
}

Task<Status> Container::resume() {
  auto keep = keep_alive();
  if (state() != State::kPaused) {
    co_return fail(Code::kFailedPrecondition, "cannot resume a container that is not paused");
  }
  auto resumed = co_await sandbox_.agent().resume(id_);
  if (resumed) freeze_ = Freeze::kNone;
  co_return resumed;
}

Task<Status> Container::update(grpc::LinuxResources resources) {
  auto keep = keep_alive();
  if (state() == State::kStopped) {
    co_return fail(Code::kFailedPrecondition, "cannot update a stopped container");
  }
  CO_TRY_STATUS(Sandbox::check_host_cpus(resources.cpu().cpus()));
  // One at a time: what a failed one takes back must not be another's.
  const auto turn = co_await updating_.lock();
  grpc::LinuxResources& kept = *spec_.mutable_linux()->mutable_resources();
  const grpc::LinuxResources before = kept;
  keep_limits(resources, kept);
  // The VM first: what it has must not be less than what the container may use.
  auto updated = co_await sandbox_.grow_vm();
  if (updated) updated = co_await sandbox_.agent().update(id_, oci::to_guest(resources));
  if (!updated) kept = before;
  sandbox_.shrink_vm();
  if (!updated) co_return updated;
  co_return co_await sandbox_.bind_host_cpus();
}

Task<Result<grpc::StatsContainerResponse>> Container::stats() {
  auto keep = keep_alive();
  // NotFound is what metrics collectors skip silently (facts/shim-v2.md section 8.2).
  if (state() == State::kStopped) co_return fail(Code::kNotFound, "container is not running");
  co_return co_await sandbox_.agent().stats(id_);
}

void Container::process_finished(Process& process, const Exit& exit) {
  // The init's exit must be the last of the container (facts/shim-v2.md section 10.1); the guest
  // has killed the execs with it.
  if (process.is_init()) {
    for (auto& [exec_id, exec] : execs_) {
      exec->abandon("the container's init ended");
    }
  }
  if (!exit.reason.empty()) {
    log::warn("process ended abnormally", {{"container", id_},
                                           {"exec", process.exec_id()},
                                           {"status", std::to_string(exit.status)},
                                           {"reason", exit.reason}});
  }
  sandbox_.observer().process_exited(id_, process.exec_id(), exit);
}

Task<> Container::run_poststart_hooks() {
  auto keep = keep_alive();
  const HookState state(spec_, id_, bundle_, sandbox_.pid());
  const HookRun run{"poststart", "running", {}};
  co_await run_hooks_to_the_end(spec_.hooks().poststart(), state, run);
}

void Container::abandon(const std::string& reason) {
  freeze_ = Freeze::kNone;
  for (auto& [exec_id, exec] : execs_) exec->abandon(reason);
  init_->abandon(reason);
}

}  // namespace kata::runtime
