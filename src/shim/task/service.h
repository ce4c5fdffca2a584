#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "containerd/task.pb.h"
#include "runtime/sandbox.h"
#include "shim/events/publisher.h"
#include "shim/sandbox/slot.h"
#include "shim/stdio/opener.h"
#include "shim/task/record.h"
#include "ttrpc/server.h"

namespace kata::shim {

// containerd's Task service, versions 2 and 3, over the engine (facts/shim-v2.md sections 7 and 8):
// one sandbox per shim, any number of containers in it. State, Connect and Pids answer from memory.
// Must outlive the server it is registered on; one event loop.
class TaskService : public runtime::Observer {
 public:
  // `shutdown` is set once containerd wants the shim to end. `crio`: Options::is_of_crio().
  TaskService(asio::any_io_executor executor, SandboxSlot& slot, Publisher& publisher,
              StdioOpener& stdio, Event shutdown, bool crio)
      : executor_(executor),
        slot_(slot),
        publisher_(publisher),
        stdio_(stdio),
        shutdown_(shutdown),
        crio_(crio) {}

  void register_on(ttrpc::Server& server);
  // A Create is under way: its sandbox has to be freed through the journal.
  bool is_creating() const { return !creating_.empty(); }

  void process_exited(const std::string& container_id, const std::string& exec_id,
                      const runtime::Exit& exit) override;
  void container_oom(const std::string& container_id) override;

 private:
  using Empty = kata::wkt::Empty;
  template <class Request, class Response>
  using Method = Task<Result<Response>> (TaskService::*)(Request);

  // `action` is the method's name in the figures.
  template <class Request, class Response>
  void add(ttrpc::Server& server, const char* service, const char* method, const char* action,
           Method<Request, Response> function);
  template <class Request, class Response>
  Task<Result<Response>> timed(Method<Request, Response> function, const char* action,
                               Request request);
  void register_version(ttrpc::Server& server, const char* service);

  // lifecycle.cc
  Task<Result<containerd::task::v2::CreateTaskResponse>> create(
      containerd::task::v2::CreateTaskRequest request);
  Task<Result<std::shared_ptr<TaskRecord>>> make_task(
      containerd::task::v2::CreateTaskRequest& request);
  Task<Status> ensure_sandbox(const containerd::task::v2::CreateTaskRequest& request,
                              grpc::Spec* spec, bool* made);
  Status check_join(const grpc::Spec& spec) const;
  Task<Result<containerd::task::v2::StartResponse>> start(
      containerd::task::v2::StartRequest request);
  Task<Status> start_process(std::shared_ptr<ProcessRecord> process, std::string process_id);
  Task<Result<Empty>> shutdown(containerd::task::v2::ShutdownRequest request);
  // delete.cc
  Task<Result<containerd::task::v2::DeleteResponse>> delete_task(
      containerd::task::v2::DeleteRequest request);
  Result<containerd::task::v2::DeleteResponse> delete_exec(TaskRecord& task,
                                                           const std::string& exec_id);
  Task<Result<containerd::task::v2::DeleteResponse>> delete_init(std::shared_ptr<TaskRecord> task);
  // exec.cc
  Task<Result<Empty>> exec(containerd::task::v2::ExecProcessRequest request);
  Task<Result<Empty>> resize_pty(containerd::task::v2::ResizePtyRequest request);
  Task<Result<Empty>> close_io(containerd::task::v2::CloseIORequest request);
  // control.cc
  Task<Result<Empty>> kill(containerd::task::v2::KillRequest request);
  Task<Result<Empty>> pause(containerd::task::v2::PauseRequest request);
  Task<Result<Empty>> resume(containerd::task::v2::ResumeRequest request);
  Task<Result<Empty>> update(containerd::task::v2::UpdateTaskRequest request);
  Task<Result<Empty>> checkpoint(containerd::task::v2::CheckpointTaskRequest request);
  Task<Result<containerd::task::v2::StatsResponse>> stats(
      containerd::task::v2::StatsRequest request);
  // query.cc
  Task<Result<containerd::task::v2::StateResponse>> state(
      containerd::task::v2::StateRequest request);
  Task<Result<containerd::task::v2::WaitResponse>> wait(containerd::task::v2::WaitRequest request);
  Task<Result<containerd::task::v2::PidsResponse>> pids(containerd::task::v2::PidsRequest request);
  Task<Result<containerd::task::v2::ConnectResponse>> connect(
      containerd::task::v2::ConnectRequest request);

  // kNotFound for unknown ids.
  Result<std::shared_ptr<TaskRecord>> find_task(const std::string& id) const;
  Result<std::shared_ptr<ProcessRecord>> find_process(const std::string& id,
                                                      const std::string& exec_id) const;
  void publish_exit(const TaskRecord& task, const std::string& exec_id, const runtime::Exit& exit);
  void publish_started(const TaskRecord& task, const std::string& exec_id);

  asio::any_io_executor executor_;
  SandboxSlot& slot_;
  Publisher& publisher_;
  StdioOpener& stdio_;
  Event shutdown_;
  const bool crio_;
  std::string netns_path_;  // of the sandbox, as its specification has it
  std::map<std::string, std::shared_ptr<TaskRecord>> tasks_;
  std::set<std::string> creating_;
};

}  // namespace kata::shim
