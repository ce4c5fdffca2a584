#include "shim/task/service.h"

#include "base/file.h"
#include "base/log.h"
#include "containerd/events.pb.h"
#include "shim/events/topics.h"

namespace kata::shim {

using namespace containerd::task::v2;  // the messages serve both versions

template <class Request, class Response>
void TaskService::add(ttrpc::Server& server, const char* service, const char* method,
                      const char* action, Method<Request, Response> function) {
  server.handle<Request, Response>(service, method, [this, function, action](Request request) {
    return timed(function, action, std::move(request));
  });
}

template <class Request, class Response>
Task<Result<Response>> TaskService::timed(Method<Request, Response> function, const char* action,
                                          Request request) {
  const auto began = Clock::now();
  auto result = co_await (this->*function)(std::move(request));
  slot_.rpc_times().observe(action, Clock::now() - began);
  co_return result;
}

void TaskService::register_version(ttrpc::Server& server, const char* service) {
  add<StateRequest, StateResponse>(server, service, "State", "state", &TaskService::state);
  add<CreateTaskRequest, CreateTaskResponse>(server, service, "Create", "create",
                                             &TaskService::create);
  add<StartRequest, StartResponse>(server, service, "Start", "start", &TaskService::start);
  add<DeleteRequest, DeleteResponse>(server, service, "Delete", "delete",
                                     &TaskService::delete_task);
  add<PidsRequest, PidsResponse>(server, service, "Pids", "pids", &TaskService::pids);
  add<PauseRequest, Empty>(server, service, "Pause", "pause", &TaskService::pause);
  add<ResumeRequest, Empty>(server, service, "Resume", "resume", &TaskService::resume);
  add<CheckpointTaskRequest, Empty>(server, service, "Checkpoint", "checkpoint",
                                    &TaskService::checkpoint);
  add<KillRequest, Empty>(server, service, "Kill", "kill", &TaskService::kill);
  add<ExecProcessRequest, Empty>(server, service, "Exec", "exec", &TaskService::exec);
  add<ResizePtyRequest, Empty>(server, service, "ResizePty", "resize_pty",
                               &TaskService::resize_pty);
  add<CloseIORequest, Empty>(server, service, "CloseIO", "close_io", &TaskService::close_io);
  add<UpdateTaskRequest, Empty>(server, service, "Update", "update", &TaskService::update);
  add<WaitRequest, WaitResponse>(server, service, "Wait", "wait", &TaskService::wait);
  add<StatsRequest, StatsResponse>(server, service, "Stats", "stats", &TaskService::stats);
  add<ConnectRequest, ConnectResponse>(server, service, "Connect", "connect",
                                       &TaskService::connect);
  add<ShutdownRequest, Empty>(server, service, "Shutdown", "shutdown", &TaskService::shutdown);
}

void TaskService::register_on(ttrpc::Server& server) {
  register_version(server, "containerd.task.v2.Task");
  register_version(server, "containerd.task.v3.Task");
}

Result<std::shared_ptr<TaskRecord>> TaskService::find_task(const std::string& id) const {
  auto found = tasks_.find(id);
  if (found == tasks_.end()) return fail(Code::kNotFound, "container " + id);
  return found->second;
}

Result<std::shared_ptr<ProcessRecord>> TaskService::find_process(const std::string& id,
                                                                 const std::string& exec_id) const {
  TRY(auto task, find_task(id));
  auto process = task->find(exec_id);
  if (!process) return fail(Code::kNotFound, "exec " + exec_id + " of container " + id);
  return process;
}

void TaskService::publish_started(const TaskRecord& task, const std::string& exec_id) {
  if (exec_id.empty()) {
    containerd::events::TaskStart event;
    event.set_container_id(task.id);
    event.set_pid(task.pid);
    publisher_.publish(topics::kStart, event);
    return;
  }
  containerd::events::TaskExecStarted event;
  event.set_container_id(task.id);
  event.set_exec_id(exec_id);
  event.set_pid(task.pid);
  publisher_.publish(topics::kExecStarted, event);
}

void TaskService::publish_exit(const TaskRecord& task, const std::string& exec_id,
                               const runtime::Exit& exit) {
  containerd::events::TaskExit event;
  event.set_container_id(task.id);
  event.set_id(exec_id.empty() ? task.id : exec_id);
  event.set_pid(task.pid);
  event.set_exit_status(exit.status);
  *event.mutable_exited_at() = to_timestamp(exit.at);
  publisher_.publish(topics::kExit, event);
}

void TaskService::process_exited(const std::string& container_id, const std::string& exec_id,
                                 const runtime::Exit& exit) {
  auto task = find_task(container_id);
  auto process = find_process(container_id, exec_id);
  if (!task || !process) return;  // a Create that fails: containerd never heard of the task
  if (!(*process)->settled.is_set()) {
    (*process)->held_exit = exit;
    return;
  }
  publish_exit(**task, exec_id, exit);
}

void TaskService::container_oom(const std::string& container_id) {
  auto task = find_task(container_id);
  if (!task) return;
  containerd::events::TaskOOM event;
  event.set_container_id(container_id);
  publisher_.publish(topics::kOom, event);
  // It takes no events but looks for a file (facts/shim-v2.md section 15).
  if (!crio_) return;
  auto marked = write_file((*task)->bundle + "/oom", "");
  if (!marked) log::failure("cannot mark the OOM for CRI-O", marked.error());
}

}  // namespace kata::shim
