#include "shim/sandbox/service.h"

#include <sys/utsname.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/log.h"
#include "oci/annotations.h"
#include "shim/events/publisher.h"
#include "shim/sandbox/pod_request.h"

namespace kata::shim {

using namespace containerd::runtime::sandbox::v1;

namespace {

constexpr char kService[] = "containerd.runtime.sandbox.v1.Sandbox";

// Time a Shutdown waits for the VM's end; the shim's own end waits on.
constexpr auto kShutdownLimit = 8s;
constexpr auto kNoLimit = std::chrono::hours(24);

// As image indexes name it.
std::string architecture() {
  struct utsname name {};
  uname(&name);
  const std::string_view machine = name.machine;
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  return std::string(machine);
}

Clock::duration stop_limit(uint32_t seconds) {
  return seconds > 0 ? Clock::duration(std::chrono::seconds(seconds)) : Clock::duration(kNoLimit);
}

}  // namespace

SandboxService::SandboxService(asio::any_io_executor executor, std::string id,
                               std::string config_path, SandboxSlot& slot,
                               runtime::Observer& observer, Event shutdown)
    : executor_(executor),
      id_(std::move(id)),
      config_path_(std::move(config_path)),
      slot_(slot),
      observer_(observer),
      shutdown_(std::move(shutdown)),
      ended_(executor) {}

template <class Request, class Response>
void SandboxService::add(ttrpc::Server& server, const char* method,
                         Method<Request, Response> function) {
  server.handle<Request, Response>(kService, method, [this, function](Request request) {
    return (this->*function)(std::move(request));
  });
}

void SandboxService::register_on(ttrpc::Server& server) {
  add(server, "CreateSandbox", &SandboxService::create);
  add(server, "StartSandbox", &SandboxService::start);
  add(server, "Platform", &SandboxService::platform);
  add(server, "StopSandbox", &SandboxService::stop);
  add(server, "WaitSandbox", &SandboxService::wait);
  add(server, "SandboxStatus", &SandboxService::status);
  add(server, "PingSandbox", &SandboxService::ping);
  add(server, "ShutdownSandbox", &SandboxService::shutdown);
  add(server, "SandboxMetrics", &SandboxService::metrics);
}

Status SandboxService::known(const std::string& id) const {
  if (id.empty()) return fail(Code::kInvalidArgument, "sandbox_id is empty");
  if (id != id_ || phase_ == Phase::kNone) return fail(Code::kNotFound, "sandbox " + id);
  return {};
}

Status SandboxService::running() const {
  const auto& sandbox = slot_.get();
  if (phase_ == Phase::kRunning && sandbox && sandbox->lives()) return {};
  std::string text = "sandbox " + id_ + " does not run";
  if (sandbox && !sandbox->death_reason().empty()) text += ": " + sandbox->death_reason();
  return fail(Code::kFailedPrecondition, text);
}

void SandboxService::end(runtime::Exit exit) {
  phase_ = Phase::kEnded;
  ended_.set(std::move(exit));
}

Task<Result<CreateSandboxResponse>> SandboxService::create(CreateSandboxRequest request) {
  CO_TRY_STATUS(in_step("sandbox_id", oci::check_id(request.sandbox_id())));
  if (request.sandbox_id() != id_) {
    co_return fail(Code::kInvalidArgument,
                   "this shim was started for " + id_ + ", not for " + request.sandbox_id());
  }
  if (phase_ != Phase::kNone) co_return fail(Code::kAlreadyExists, "sandbox " + id_);
  if (slot_.get() || slot_.is_making()) {
    co_return fail(Code::kFailedPrecondition, "a task has made the sandbox of this shim");
  }
  CO_TRY(request_, pod_request(request));
  request_.outlives_containers = true;
  request_.config_path = config_path_;
  phase_ = Phase::kCreated;
  slot_.hold(id_);
  co_return CreateSandboxResponse();
}

Task<Result<StartSandboxResponse>> SandboxService::start(StartSandboxRequest request) {
  CO_TRY_STATUS(known(request.sandbox_id()));
  if (phase_ != Phase::kCreated) {
    co_return fail(Code::kFailedPrecondition, "sandbox " + id_ + " was started before");
  }
  phase_ = Phase::kStarting;
  const std::string bundle = request_.bundle;
  auto made = co_await slot_.make(std::move(request_), observer_);
  if (made && stop_wanted_) {
    co_await slot_.get()->stop();
    made = fail(Code::kAborted, "sandbox " + id_ + " was stopped while it started");
  }
  if (!made) {
    log::failure("start of the sandbox failed", made.error());
    end({255, std::chrono::system_clock::now(), made.error().message()});
    co_return std::unexpected(std::move(made.error()));
  }
  phase_ = Phase::kRunning;
  created_at_ = std::chrono::system_clock::now();
  spawn(executor_, watch(this, slot_.get()));
  write_pid_file(bundle);
  slot_.get()->publish_phases();
  StartSandboxResponse response;
  response.set_pid(static_cast<uint32_t>(slot_.get()->pid()));
  *response.mutable_created_at() = to_timestamp(created_at_);
  co_return response;
}

// For the `delete` action, which may run when we are gone.
void SandboxService::write_pid_file(const std::string& bundle) const {
  auto written = write_file(bundle + "/init.pid", std::to_string(slot_.get()->pid()));
  if (!written) log::failure("no pid file", written.error());
}

Task<> SandboxService::watch(SandboxService* self, std::shared_ptr<runtime::Sandbox> sandbox) {
  runtime::Exit exit = co_await sandbox->ended().wait();
  self->end(std::move(exit));
  co_await sandbox->stop();
}

Task<Result<PlatformResponse>> SandboxService::platform(PlatformRequest request) {
  CO_TRY_STATUS(known(request.sandbox_id()));
  PlatformResponse response;
  response.mutable_platform()->set_os("linux");
  response.mutable_platform()->set_architecture(architecture());
  co_return response;
}

Task<Result<StopSandboxResponse>> SandboxService::stop(StopSandboxRequest request) {
  CO_TRY_STATUS(known(request.sandbox_id()));
  const auto limit = stop_limit(request.timeout_secs());
  bool ended = true;
  if (phase_ == Phase::kCreated) {
    end({0, std::chrono::system_clock::now(), ""});
  } else if (phase_ == Phase::kStarting) {
    stop_wanted_ = true;
    ended = co_await ended_.wait_for(limit);
  } else {
    ended = co_await slot_.stop(limit);
  }
  if (!ended) {
    co_return fail(Code::kDeadlineExceeded, "the VM of sandbox " + id_ + " takes more than " +
                                                std::to_string(request.timeout_secs()) +
                                                " s to stop; it goes on");
  }
  co_return StopSandboxResponse();
}

Task<Result<WaitSandboxResponse>> SandboxService::wait(WaitSandboxRequest request) {
  CO_TRY_STATUS(known(request.sandbox_id()));
  const runtime::Exit exit = co_await ended_.wait();
  WaitSandboxResponse response;
  response.set_exit_status(exit.status);
  *response.mutable_exited_at() = to_timestamp(exit.at);
  co_return response;
}

Task<Result<SandboxStatusResponse>> SandboxService::status(SandboxStatusRequest request) {
  CO_TRY_STATUS(known(request.sandbox_id()));
  const bool ready = running().has_value();
  SandboxStatusResponse response;
  response.set_sandbox_id(id_);
  response.set_state(ready ? "SANDBOX_READY" : "SANDBOX_NOTREADY");
  if (ready) response.set_pid(static_cast<uint32_t>(slot_.get()->pid()));
  if (created_at_.time_since_epoch().count() > 0) {
    *response.mutable_created_at() = to_timestamp(created_at_);
  }
  if (ended_.ready()) *response.mutable_exited_at() = to_timestamp(ended_.value().at);
  if (!request.verbose()) co_return response;
  // What containerd's own sandboxes say in the first place; crictl shows it as it is.
  nlohmann::json info = {{"pid", response.pid()}, {"processStatus", ready ? "running" : "stopped"}};
  if (ended_.ready() && !ended_.value().reason.empty()) info["reason"] = ended_.value().reason;
  (*response.mutable_info())["info"] =
      info.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  co_return response;
}

Task<Result<PingResponse>> SandboxService::ping(PingRequest request) {
  CO_TRY_STATUS(known(request.sandbox_id()));
  CO_TRY_STATUS(running());
  co_return PingResponse();
}

// Also before a CreateSandbox or after one that failed: the shim has to go.
Task<Result<ShutdownSandboxResponse>> SandboxService::shutdown(ShutdownSandboxRequest request) {
  if (request.sandbox_id().empty()) {
    co_return fail(Code::kInvalidArgument, "sandbox_id is empty");
  }
  if (request.sandbox_id() != id_) {
    co_return fail(Code::kNotFound, "sandbox " + request.sandbox_id());
  }
  if (phase_ == Phase::kNone && slot_.get()) {
    co_return fail(Code::kFailedPrecondition, "a task has made the sandbox of this shim");
  }
  if (phase_ == Phase::kStarting) {  // what the start makes has to be in the journal by then
    stop_wanted_ = true;
    [[maybe_unused]] const bool over = co_await ended_.wait_for(kShutdownLimit);
  }
  [[maybe_unused]] const bool stopped = co_await slot_.stop(kShutdownLimit);
  shut_down_ = true;
  // The answer is queued before whoever waits for this event runs.
  shutdown_.set();
  co_return ShutdownSandboxResponse();
}

}  // namespace kata::shim
