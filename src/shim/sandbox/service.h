#pragma once

#include <optional>
#include <string>

#include "containerd/sandbox.pb.h"
#include "shim/sandbox/slot.h"
#include "ttrpc/server.h"

namespace kata::shim {

// containerd's Sandbox service (facts/shim-v2.md section 13): the pod is made and ended by calls of
// its own, without a pause container, and containers join it through the Task service. Create notes
// what is wanted, Start boots the VM, Stop ends it, Shutdown ends the shim. All calls but Start,
// Stop, Shutdown and Metrics answer from memory. Must outlive the server it is registered on; one
// event loop.
class SandboxService {
 public:
  // `id` is the shim's own, `config_path` what `start` was told. `shutdown` is set once containerd
  // wants the shim to end.
  SandboxService(asio::any_io_executor executor, std::string id, std::string config_path,
                 SandboxSlot& slot, runtime::Observer& observer, Event shutdown);

  void register_on(ttrpc::Server& server);
  // ShutdownSandbox was called: its caller must be the first to close the connection.
  bool is_shut_down() const { return shut_down_; }

 private:
  enum class Phase { kNone, kCreated, kStarting, kRunning, kEnded };
  template <class Request, class Response>
  using Method = Task<Result<Response>> (SandboxService::*)(Request);

  template <class Request, class Response>
  void add(ttrpc::Server& server, const char* method, Method<Request, Response> function);

  Task<Result<containerd::runtime::sandbox::v1::CreateSandboxResponse>> create(
      containerd::runtime::sandbox::v1::CreateSandboxRequest request);
  Task<Result<containerd::runtime::sandbox::v1::StartSandboxResponse>> start(
      containerd::runtime::sandbox::v1::StartSandboxRequest request);
  Task<Result<containerd::runtime::sandbox::v1::PlatformResponse>> platform(
      containerd::runtime::sandbox::v1::PlatformRequest request);
  Task<Result<containerd::runtime::sandbox::v1::StopSandboxResponse>> stop(
      containerd::runtime::sandbox::v1::StopSandboxRequest request);
  Task<Result<containerd::runtime::sandbox::v1::WaitSandboxResponse>> wait(
      containerd::runtime::sandbox::v1::WaitSandboxRequest request);
  Task<Result<containerd::runtime::sandbox::v1::SandboxStatusResponse>> status(
      containerd::runtime::sandbox::v1::SandboxStatusRequest request);
  Task<Result<containerd::runtime::sandbox::v1::PingResponse>> ping(
      containerd::runtime::sandbox::v1::PingRequest request);
  Task<Result<containerd::runtime::sandbox::v1::ShutdownSandboxResponse>> shutdown(
      containerd::runtime::sandbox::v1::ShutdownSandboxRequest request);
  Task<Result<containerd::runtime::sandbox::v1::SandboxMetricsResponse>> metrics(
      containerd::runtime::sandbox::v1::SandboxMetricsRequest request);

  // kInvalidArgument for an empty id, kNotFound for one that no CreateSandbox named.
  Status known(const std::string& id) const;
  // kFailedPrecondition unless the VM runs; the text says what became of it.
  Status running() const;
  void end(runtime::Exit exit);
  void write_pid_file(const std::string& bundle) const;
  // Ends the service's phase with the VM, and frees what a dead one has on the host.
  static Task<> watch(SandboxService* self, std::shared_ptr<runtime::Sandbox> sandbox);

  asio::any_io_executor executor_;
  const std::string id_;
  const std::string config_path_;
  SandboxSlot& slot_;
  runtime::Observer& observer_;
  Event shutdown_;
  Phase phase_ = Phase::kNone;
  bool stop_wanted_ = false;  // while it starts
  bool shut_down_ = false;
  runtime::SandboxRequest request_;
  std::chrono::system_clock::time_point created_at_;
  Promise<runtime::Exit> ended_;
};

}  // namespace kata::shim
