#include "base/log.h"
#include "containerd/events.pb.h"
#include "shim/events/topics.h"
#include "shim/task/service.h"

namespace kata::shim {

using namespace containerd::task::v2;

namespace {

// Time the last Delete waits for the VM's end; CRI gives up after 10 s and tries again.
constexpr auto kStopLimit = 8s;

DeleteResponse response_of(uint32_t pid, runtime::Process& process) {
  DeleteResponse response;
  response.set_pid(pid);
  if (process.exited().ready()) {
    response.set_exit_status(process.exited().value().status);
    *response.mutable_exited_at() = to_timestamp(process.exited().value().at);
  }
  return response;
}

}  // namespace

Task<Result<DeleteResponse>> TaskService::delete_task(DeleteRequest request) {
  CO_TRY(auto task, find_task(request.id()));
  if (!request.exec_id().empty()) co_return delete_exec(*task, request.exec_id());
  if (task->deleting) {
    co_await task->deleting->wait();
    co_return fail(Code::kNotFound, "container " + request.id());
  }
  co_return co_await delete_init(task);
}

Result<DeleteResponse> TaskService::delete_exec(TaskRecord& task, const std::string& exec_id) {
  auto exec = task.find(exec_id);
  if (!exec) return fail(Code::kNotFound, "exec " + exec_id + " of container " + task.id);
  if (!exec->settled.is_set()) {
    return fail(Code::kFailedPrecondition, "a start of this process is under way");
  }
  TRY_STATUS(task.container->remove_exec(exec_id));
  DeleteResponse response = response_of(task.pid, *exec->process);
  // Whoever waits for an exec that was never started must not wait for ever.
  exec->process->exited().set({255, std::chrono::system_clock::now(), ""});
  task.execs.erase(exec_id);
  return response;
}

Task<Result<DeleteResponse>> TaskService::delete_init(std::shared_ptr<TaskRecord> task) {
  using State = runtime::Container::State;
  const State state = task->container->state();
  if ((state != State::kStopped && state != State::kCreated) || !task->init->settled.is_set()) {
    co_return fail(Code::kFailedPrecondition, "cannot delete a running process");
  }
  task->deleting.emplace(executor_);
  if (auto& io = task->init->opened; io.out || io.err || io.in) io = {};  // never started
  auto sandbox = slot_.get();
  auto removed = co_await sandbox->remove_container(task->id);
  if (!removed && removed.error().code() != Code::kNotFound) {
    log::failure("delete failed", removed.error(), {{"container", task->id}});
  }
  DeleteResponse response = response_of(task->pid, *task->init->process);
  containerd::events::TaskDelete event;
  event.set_container_id(task->id);
  event.set_pid(task->pid);
  event.set_exit_status(response.exit_status());
  if (response.has_exited_at()) *event.mutable_exited_at() = response.exited_at();
  publisher_.publish(topics::kDelete, event);
  // The VM ends with its last container: after Delete and Shutdown nothing may be left.
  if (sandbox->container_count() == 0 && slot_.held_as().empty()) {
    [[maybe_unused]] const bool ended = co_await slot_.end(kStopLimit);
  }
  tasks_.erase(task->id);
  task->deleting->set();
  co_return response;
}

}  // namespace kata::shim
