#include <unistd.h>

#include "shim/task/service.h"
#include "version.h"

namespace kata::shim {

using namespace containerd::task::v2;
using TaskStatus = containerd::v1::types::Status;

namespace {

// Value of a status enum; an exec shows the freeze of its container.
TaskStatus status_of(const TaskRecord& task, const ProcessRecord& process) {
  if (process.process->state() == runtime::Process::State::kCreated) return TaskStatus::CREATED;
  if (process.process->state() == runtime::Process::State::kStopped) return TaskStatus::STOPPED;
  switch (task.container->state()) {
    case runtime::Container::State::kPausing:
      return TaskStatus::PAUSING;
    case runtime::Container::State::kPaused:
      return TaskStatus::PAUSED;
    default:
      return TaskStatus::RUNNING;
  }
}

}  // namespace

Task<Result<StateResponse>> TaskService::state(StateRequest request) {
  CO_TRY(auto task, find_task(request.id()));
  CO_TRY(auto process, find_process(request.id(), request.exec_id()));
  StateResponse response;
  response.set_id(request.exec_id().empty() ? request.id() : request.exec_id());
  response.set_exec_id(request.exec_id());
  response.set_bundle(task->bundle);
  response.set_pid(task->pid);
  response.set_status(status_of(*task, *process));
  response.set_stdin(process->stdio.in);
  response.set_stdout(process->stdio.out);
  response.set_stderr(process->stdio.err);
  response.set_terminal(process->stdio.terminal);
  // An absent time is "none"; {0, 0} would be read as 1970 (facts/shim-v2.md section 11).
  if (response.status() == TaskStatus::STOPPED && process->process->exited().ready()) {
    const runtime::Exit& exit = process->process->exited().value();
    response.set_exit_status(exit.status);
    *response.mutable_exited_at() = to_timestamp(exit.at);
  }
  co_return response;
}

Task<Result<WaitResponse>> TaskService::wait(WaitRequest request) {
  CO_TRY(auto process, find_process(request.id(), request.exec_id()));
  const runtime::Exit exit = co_await process->process->exited().wait();
  // An exec may end before its Start is answered; that answer goes first.
  co_await process->settled.wait();
  WaitResponse response;
  response.set_exit_status(exit.status);
  *response.mutable_exited_at() = to_timestamp(exit.at);
  co_return response;
}

// Never empty: containerd takes a task without processes for a leaked one (section 5.2).
Task<Result<PidsResponse>> TaskService::pids(PidsRequest request) {
  CO_TRY(auto task, find_task(request.id()));
  PidsResponse response;
  response.add_processes()->set_pid(task->pid);
  co_return response;
}

// Never fails, also for an unknown id: containerd calls it to see whether the shim lives.
Task<Result<ConnectResponse>> TaskService::connect(ConnectRequest request) {
  ConnectResponse response;
  response.set_shim_pid(static_cast<uint32_t>(getpid()));
  if (auto task = find_task(request.id())) {
    response.set_task_pid((*task)->pid);
  } else if (!slot_.held_as().empty() && request.id() == slot_.held_as()) {
    // A pod without a task of its own: `delete` must see that this shim still has it.
    response.set_task_pid(static_cast<uint32_t>(getpid()));
  }
  response.set_version(kVersion);
  co_return response;
}

}  // namespace kata::shim
