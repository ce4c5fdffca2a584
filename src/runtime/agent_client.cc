#include "runtime/agent_client.h"

#include "wkt/any.pb.h"

namespace kata::runtime {

namespace {

constexpr char kAgent[] = "grpc.AgentService";
constexpr char kHealth[] = "grpc.Health";
constexpr Clock::duration kForever = Clock::duration::zero();

// Most requests that follow name a container, many also a process in it.
template <class Request>
Request about(std::string container) {
  Request request;
  request.set_container_id(std::move(container));
  return request;
}

template <class Request>
Request about(std::string container, std::string exec) {
  Request request = about<Request>(std::move(container));
  request.set_exec_id(std::move(exec));
  return request;
}

// Data of a serialized ReadStreamResponse, in place where it can be.
Result<std::string> read_data(std::string reply) {
  constexpr int kData = grpc::ReadStreamResponse::kDataFieldNumber;
  if (auto begin = ttrpc::sole_bytes_field(reply, kData)) {
    reply.erase(0, *begin);
    return reply;
  }
  grpc::ReadStreamResponse response;
  if (!ttrpc::parse_message(reply, &response)) return fail(Code::kInternal, "malformed reply");
  return std::move(*response.mutable_data());
}

}  // namespace

template <class Response, class Request>
Task<Result<Response>> AgentClient::call(std::string method, Request request,
                                         Clock::duration limit) {
  auto client = client_;
  auto durations = durations_;
  ttrpc::CallOptions options;
  options.timeout = limit;
  const auto began = Clock::now();
  auto reply =
      co_await client->call<Response>(kAgent, std::move(method), request, std::move(options));
  durations->observe(request.GetTypeName(), Clock::now() - began);
  co_return reply;
}

template <class Request>
Task<Status> AgentClient::command(std::string method, Request request, Clock::duration limit) {
  auto reply = co_await call<wkt::Empty>(std::move(method), std::move(request), limit);
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  co_return Status{};
}

Task<Status> AgentClient::check(Clock::duration limit) {
  auto client = client_;
  auto durations = durations_;
  ttrpc::CallOptions options;
  options.timeout = limit;
  const auto began = Clock::now();
  auto reply = co_await client->call<grpc::HealthCheckResponse>(
      kHealth, "Check", grpc::CheckRequest(), std::move(options));
  durations->observe("grpc.CheckRequest", Clock::now() - began);
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  if (reply->status() != grpc::HealthCheckResponse::SERVING) {
    co_return fail(Code::kUnavailable, "Check: the agent says it is not serving");
  }
  co_return Status{};
}

Task<Status> AgentClient::create_sandbox(grpc::CreateSandboxRequest request) {
  return command("CreateSandbox", std::move(request), deadlines_.request);
}

Task<Status> AgentClient::online(uint32_t cpus) {
  constexpr Clock::duration kPerCpu = 120s;
  grpc::OnlineCPUMemRequest request;
  request.set_nb_cpus(cpus);
  request.set_cpu_only(cpus > 0);
  return command("OnlineCPUMem", std::move(request), deadlines_.request + cpus * kPerCpu);
}

Task<Status> AgentClient::destroy_sandbox() {
  return command("DestroySandbox", grpc::DestroySandboxRequest(), deadlines_.request);
}

Task<Result<grpc::GuestDetailsResponse>> AgentClient::guest_details() {
  grpc::GuestDetailsRequest request;
  request.set_mem_block_size(true);
  request.set_mem_hotplug_probe(true);
  return call<grpc::GuestDetailsResponse>("GetGuestDetails", std::move(request),
                                          deadlines_.request);
}

Task<Status> AgentClient::update_mounts(std::vector<grpc::Storage> storages) {
  grpc::UpdateEphemeralMountsRequest request;
  for (auto& storage : storages) *request.add_storages() = std::move(storage);
  return command("UpdateEphemeralMounts", std::move(request), deadlines_.request);
}

Task<Status> AgentClient::update_interface(types::Interface wanted) {
  grpc::UpdateInterfaceRequest request;
  *request.mutable_interface() = std::move(wanted);
  auto reply =
      co_await call<types::Interface>("UpdateInterface", std::move(request), deadlines_.request);
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  co_return Status{};
}

Task<Status> AgentClient::update_routes(grpc::Routes routes) {
  grpc::UpdateRoutesRequest request;
  *request.mutable_routes() = std::move(routes);
  auto reply = co_await call<grpc::Routes>("UpdateRoutes", std::move(request), deadlines_.request);
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  co_return Status{};
}

Task<Status> AgentClient::add_neighbors(grpc::ARPNeighbors neighbors) {
  grpc::AddARPNeighborsRequest request;
  *request.mutable_neighbors() = std::move(neighbors);
  return command("AddARPNeighbors", std::move(request), deadlines_.request);
}

Task<Status> AgentClient::create_container(grpc::CreateContainerRequest request) {
  return command("CreateContainer", std::move(request), deadlines_.create_container);
}

Task<Status> AgentClient::start_container(std::string container) {
  return command("StartContainer", about<grpc::StartContainerRequest>(std::move(container)),
                 deadlines_.request);
}

Task<Status> AgentClient::remove_container(std::string container) {
  return command("RemoveContainer", about<grpc::RemoveContainerRequest>(std::move(container)),
                 deadlines_.request);
}

Task<Status> AgentClient::exec_process(std::string container, std::string exec,
                                       grpc::Process process) {
  auto request = about<grpc::ExecProcessRequest>(std::move(container), std::move(exec));
  *request.mutable_process() = std::move(process);
  return command("ExecProcess", std::move(request), deadlines_.request);
}

Task<Status> AgentClient::signal(std::string container, std::string exec, uint32_t number) {
  auto request = about<grpc::SignalProcessRequest>(std::move(container), std::move(exec));
  request.set_signal(number);
  return command("SignalProcess", std::move(request), deadlines_.request);
}

Task<Result<uint32_t>> AgentClient::wait_process(std::string container, std::string exec) {
  auto reply = co_await call<grpc::WaitProcessResponse>(
      "WaitProcess", about<grpc::WaitProcessRequest>(std::move(container), std::move(exec)),
      kForever);
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  if (reply->status() < 0 || reply->status() > 255) {
    co_return fail(Code::kInternal, "WaitProcess: exit status " + std::to_string(reply->status()) +
                                        " is out of range");
  }
  co_return static_cast<uint32_t>(reply->status());
}

Task<Status> AgentClient::pause(std::string container) {
  return command("PauseContainer", about<grpc::PauseContainerRequest>(std::move(container)),
                 deadlines_.request);
}

Task<Status> AgentClient::resume(std::string container) {
  return command("ResumeContainer", about<grpc::ResumeContainerRequest>(std::move(container)),
                 deadlines_.request);
}

Task<Status> AgentClient::update(std::string container, grpc::LinuxResources resources) {
  auto request = about<grpc::UpdateContainerRequest>(std::move(container));
  *request.mutable_resources() = std::move(resources);
  return command("UpdateContainer", std::move(request), deadlines_.request);
}

Task<Result<grpc::StatsContainerResponse>> AgentClient::stats(std::string container) {
  return stats(std::move(container), deadlines_.request);
}

Task<Result<grpc::StatsContainerResponse>> AgentClient::stats(std::string container,
                                                              Clock::duration limit) {
  return call<grpc::StatsContainerResponse>(
      "StatsContainer", about<grpc::StatsContainerRequest>(std::move(container)), limit);
}

Task<Result<std::string>> AgentClient::metrics(Clock::duration limit) {
  auto reply = co_await call<grpc::Metrics>("GetMetrics", grpc::GetMetricsRequest(), limit);
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  co_return std::move(*reply->mutable_metrics());
}

Task<Result<grpc::VolumeStatsResponse>> AgentClient::volume_stats(std::string guest_path) {
  grpc::VolumeStatsRequest request;
  request.set_volume_guest_path(std::move(guest_path));
  co_return co_await call<grpc::VolumeStatsResponse>("GetVolumeStats", std::move(request),
                                                     deadlines_.request);
}

Task<Status> AgentClient::resize_volume(std::string guest_path, uint64_t bytes) {
  grpc::ResizeVolumeRequest request;
  request.set_volume_guest_path(std::move(guest_path));
  request.set_size(bytes);
  co_return co_await command("ResizeVolume", std::move(request), deadlines_.request);
}

Task<Result<std::string>> AgentClient::ip_tables(bool v6) {
  grpc::GetIPTablesRequest request;
  request.set_is_ipv6(v6);
  auto reply = co_await call<grpc::GetIPTablesResponse>("GetIPTables", std::move(request),
                                                        deadlines_.request);
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  co_return std::move(*reply->mutable_data());
}

Task<Status> AgentClient::set_ip_tables(bool v6, std::string rules) {
  grpc::SetIPTablesRequest request;
  request.set_is_ipv6(v6);
  request.set_data(std::move(rules));
  auto reply = co_await call<grpc::SetIPTablesResponse>("SetIPTables", std::move(request),
                                                        deadlines_.request);
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  co_return Status{};
}

Task<Status> AgentClient::set_policy(std::string policy) {
  grpc::SetPolicyRequest request;
  request.set_policy(std::move(policy));
  auto set = co_await command("SetPolicy", std::move(request), deadlines_.request);
  // Upstream's agent, built without one, says that it does not know the call.
  if (!set && set.error().code() == Code::kNotFound) {
    co_return std::unexpected(std::move(set.error()).as(Code::kUnimplemented));
  }
  co_return set;
}

Task<Result<std::string>> AgentClient::read(Output stream, std::string container, std::string exec,
                                            uint32_t max) {
  auto request = about<grpc::ReadStreamRequest>(std::move(container), std::move(exec));
  request.set_len(max);
  const char* method = stream == Output::kStdout ? "ReadStdout" : "ReadStderr";
  auto client = client_;
  auto durations = durations_;
  const auto began = Clock::now();
  auto answered = co_await client->call_raw(kAgent, method, request.SerializeAsString());
  durations->observe("grpc.ReadStreamRequest", Clock::now() - began);
  CO_TRY(std::string reply, std::move(answered));
  CO_TRY(std::string data, in_step(method, read_data(std::move(reply))));
  if (data.size() > max) {
    co_return fail(Code::kInternal, std::string(method) + ": more data than asked for");
  }
  co_return data;
}

Task<Status> AgentClient::write_stdin(std::string container, std::string exec, std::string data) {
  auto request = about<grpc::WriteStreamRequest>(std::move(container), std::move(exec));
  request.set_data(std::move(data));
  // No deadline: a process that does not read its input is no failure.
  auto reply = co_await call<grpc::WriteStreamResponse>("WriteStdin", std::move(request), kForever);
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  co_return Status{};
}

Task<Status> AgentClient::close_stdin(std::string container, std::string exec) {
  return command("CloseStdin",
                 about<grpc::CloseStdinRequest>(std::move(container), std::move(exec)),
                 deadlines_.request);
}

Task<Status> AgentClient::resize(std::string container, std::string exec, uint32_t width,
                                 uint32_t height) {
  auto request = about<grpc::TtyWinResizeRequest>(std::move(container), std::move(exec));
  request.set_column(width);
  request.set_row(height);
  return command("TtyWinResize", std::move(request), deadlines_.request);
}

Task<Result<std::string>> AgentClient::oom_event() {
  auto reply = co_await call<grpc::OOMEvent>("GetOOMEvent", grpc::GetOOMEventRequest(), kForever);
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  co_return std::move(*reply->mutable_container_id());
}

}  // namespace kata::runtime
