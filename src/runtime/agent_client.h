#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/agent.pb.h"
#include "agent/health.pb.h"
#include "metrics/histogram.h"
#include "ttrpc/client.h"

// Typed calls to the guest's agent (facts/agent-protocol.md). The agent is not trusted: replies are
// bounded by ttrpc, and every value that reaches a caller is checked here.
namespace kata::runtime {

class AgentClient {
 public:
  enum class Output { kStdout, kStderr };
  struct Deadlines {
    Clock::duration request = 60s;  // most calls
    Clock::duration create_container = 60s;
    Clock::duration check = 90s;
  };

  AgentClient(std::shared_ptr<ttrpc::Client> client, Deadlines deadlines)
      : client_(std::move(client)), deadlines_(deadlines) {}

  // Set when the guest hung up.
  Event closed() const { return client_->closed(); }
  void close() { client_->close(); }

  Task<Status> check(Clock::duration limit);
  Task<Status> create_sandbox(grpc::CreateSandboxRequest request);
  Task<Status> destroy_sandbox();
  Task<Result<grpc::GuestDetailsResponse>> guest_details();

  // Brings what was plugged online. `cpus`: vCPUs that there are in all now, 0 = memory only. Waits
  // as long as an emulated guest needs for that many.
  Task<Status> online(uint32_t cpus);

  // New options for mounts in the guest's memory; of watched volumes: they have changed.
  Task<Status> update_mounts(std::vector<grpc::Storage> storages);

  // The agent's "Link not found" means that the guest has no such device yet.
  Task<Status> update_interface(types::Interface wanted);
  Task<Status> update_routes(grpc::Routes routes);
  Task<Status> add_neighbors(grpc::ARPNeighbors neighbors);

  Task<Status> create_container(grpc::CreateContainerRequest request);
  Task<Status> start_container(std::string container);
  Task<Status> remove_container(std::string container);
  Task<Status> exec_process(std::string container, std::string exec, grpc::Process process);
  // kNotFound when the process is gone already.
  Task<Status> signal(std::string container, std::string exec, uint32_t number);
  // Suspends for the life of the process. Exit status, always 0..255.
  Task<Result<uint32_t>> wait_process(std::string container, std::string exec);
  Task<Status> pause(std::string container);
  Task<Status> resume(std::string container);
  Task<Status> update(std::string container, grpc::LinuxResources resources);
  Task<Result<grpc::StatsContainerResponse>> stats(std::string container);
  Task<Result<grpc::StatsContainerResponse>> stats(std::string container, Clock::duration limit);

  // At most `max` bytes, empty = end of stream. More than asked for is a failure.
  Task<Result<std::string>> read(Output stream, std::string container, std::string exec,
                                 uint32_t max);
  Task<Status> write_stdin(std::string container, std::string exec, std::string data);
  Task<Status> close_stdin(std::string container, std::string exec);
  Task<Status> resize(std::string container, std::string exec, uint32_t width, uint32_t height);

  // Figures of what is mounted on a path of the guest, unchecked.
  Task<Result<grpc::VolumeStatsResponse>> volume_stats(std::string guest_path);
  // Grows the file system there. kUnimplemented when the agent, or the file system, cannot.
  Task<Status> resize_volume(std::string guest_path, uint64_t bytes);

  // Prometheus text about agent and guest, unchecked.
  Task<Result<std::string>> metrics(Clock::duration limit);
  // The guest's packet filter, as iptables-save and iptables-restore have it.
  Task<Result<std::string>> ip_tables(bool v6);
  Task<Status> set_ip_tables(bool v6, std::string rules);
  // kUnimplemented when the agent has no policy engine.
  Task<Status> set_policy(std::string policy);

  // How long the calls took, by the name of the request's message.
  const metrics::Histograms& durations() const { return *durations_; }

  // Suspends until a container of the sandbox ran out of memory; its id, unchecked.
  Task<Result<std::string>> oom_event();

 private:
  template <class Response, class Request>
  Task<Result<Response>> call(std::string method, Request request, Clock::duration limit);
  template <class Request>
  Task<Status> command(std::string method, Request request, Clock::duration limit);

  // Shared with the calls under way, which may outlive us.
  using Durations = std::shared_ptr<metrics::Histograms>;

  std::shared_ptr<ttrpc::Client> client_;
  Deadlines deadlines_;
  Durations durations_ = std::make_shared<metrics::Histograms>(
      "kata_shim_agent_rpc_durations_histogram_milliseconds",
      "Time of the calls to the agent in milliseconds.", "action", metrics::kUpstreamBuckets);
};

}  // namespace kata::runtime
