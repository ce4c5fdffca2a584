#include <sys/utsname.h>

#include "agent/device/block.h"
#include "agent/device/pci_path.h"
#include "agent/guest/copy_file.h"
#include "agent/guest/cpu_memory.h"
#include "agent/guest/machine.h"
#include "agent/guest/metrics.h"
#include "agent/rpc/services.h"
#include "agent/storage/grow.h"
#include "base/log.h"
#include "base/utf8.h"
#include "version.h"

namespace kata::agent {
namespace {

constexpr char kSysfs[] = "/sys";

Task<Result<grpc::GuestDetailsResponse>> get_guest_details(Agent& agent,
                                                           grpc::GuestDetailsRequest request) {
  grpc::GuestDetailsResponse response;
  if (request.mem_block_size()) response.set_mem_block_size_bytes(memory_block_size(kSysfs));
  if (request.mem_hotplug_probe()) {
    response.set_support_mem_hotplug_probe(has_memory_probe(kSysfs));
  }
  auto* details = response.mutable_agent_details();
  details->set_version(kCompatVersion);
  details->set_init_daemon(agent.is_init);
  for (const auto& name : storage_driver_names()) details->add_storage_handlers(name);
  details->set_supports_seccomp(true);
  details->add_extra_features("seccomp");
  co_return response;
}

Task<Result<grpc::Metrics>> get_metrics(Agent&, grpc::GetMetricsRequest) {
  grpc::Metrics response;
  // Names of disks and links are labels.
  response.set_metrics(to_valid_utf8(agent_metrics()));
  co_return response;
}

// A container that was pinned gets the new CPUs too.
Status widen_cpusets(Agent& agent) {
  TRY(std::string cpus, online_cpu_list(kSysfs));
  for (const auto& container : agent.sandbox.containers()) {
    container->follow_cpu_limit();
    if (!container->cgroup() || container->spec().linux().resources().cpu().cpus().empty())
      continue;
    TRY_STATUS(in_step("cpuset of " + container->id(), container->cgroup()->set_cpuset(cpus, {})));
  }
  return {};
}

Task<Result<Empty>> online_cpu_mem(Agent& agent, grpc::OnlineCPUMemRequest request) {
  CO_TRY_STATUS(require_guest(agent, "bring CPUs and memory online"));
  if (request.nb_cpus() > 0) {
    CO_TRY_STATUS(co_await online_cpus(agent.uevents, kSysfs, request.nb_cpus()));
  }
  if (!request.cpu_only()) CO_TRY_STATUS(online_memory(kSysfs));
  if (request.nb_cpus() > 0) CO_TRY_STATUS(widen_cpusets(agent));
  co_return Empty();
}

Task<Result<Empty>> mem_hotplug_by_probe(Agent& agent, grpc::MemHotplugByProbeRequest request) {
  CO_TRY_STATUS(require_guest(agent, "probe memory"));
  CO_TRY_STATUS(probe_memory(
      kSysfs, {request.memhotplugprobeaddr().begin(), request.memhotplugprobeaddr().end()}));
  co_return Empty();
}

Task<Result<Empty>> reseed_random_dev(Agent& agent, grpc::ReseedRandomDevRequest request) {
  CO_TRY_STATUS(require_guest(agent, "reseed the random generator"));
  CO_TRY_STATUS(reseed_random(request.data()));
  co_return Empty();
}

Task<Result<Empty>> set_guest_date_time(Agent& agent, grpc::SetGuestDateTimeRequest request) {
  CO_TRY_STATUS(require_guest(agent, "set the clock"));
  CO_TRY_STATUS(set_clock(request.sec(), request.usec()));
  co_return Empty();
}

Task<Result<Empty>> call_copy_file(Agent& agent, grpc::CopyFileRequest request) {
  CO_TRY_STATUS(copy_file(agent.config.shared_dir(), request));
  co_return Empty();
}

Task<Result<Empty>> call_add_swap(Agent& agent, grpc::AddSwapRequest request) {
  CO_TRY_STATUS(require_guest(agent, "add swap"));
  std::string path;
  for (uint32_t slot : request.pcipath()) {
    if (slot > 0x1f) co_return fail(Code::kInvalidArgument, "PCI slot out of range");
    static constexpr char kHex[] = "0123456789abcdef";
    path += (path.empty() ? "" : "/") + std::string{kHex[slot >> 4], kHex[slot & 15]};
  }
  CO_TRY(std::string node,
         co_await await_pci_block(agent.uevents, path, agent.config.hotplug_timeout));
  CO_TRY_STATUS(add_swap(node));
  co_return Empty();
}

Task<Result<Empty>> call_add_swap_path(Agent& agent, grpc::AddSwapPathRequest request) {
  CO_TRY_STATUS(require_guest(agent, "add swap"));
  CO_TRY(std::string node,
         co_await await_named_block(agent.uevents, request.path(), agent.config.hotplug_timeout));
  CO_TRY_STATUS(add_swap(node));
  co_return Empty();
}

Task<Result<grpc::VolumeStatsResponse>> get_volume_stats(Agent&, grpc::VolumeStatsRequest request) {
  co_return volume_stats(request.volume_guest_path());
}

Task<Result<Empty>> resize_volume(Agent& agent, grpc::ResizeVolumeRequest request) {
  CO_TRY_STATUS(require_guest(agent, "grow a volume"));
  CO_TRY_STATUS(co_await grow_volume(agent.uevents, agent.config.hotplug_timeout,
                                     request.volume_guest_path(), request.size()));
  co_return Empty();
}

}  // namespace

void add_guest_calls(ttrpc::Server& server, Agent& agent) {
  add_call(server, agent, kAgentServiceName, "GetGuestDetails", &get_guest_details);
  add_call(server, agent, kAgentServiceName, "GetMetrics", &get_metrics);
  add_call(server, agent, kAgentServiceName, "OnlineCPUMem", &online_cpu_mem);
  add_call(server, agent, kAgentServiceName, "MemHotplugByProbe", &mem_hotplug_by_probe);
  add_call(server, agent, kAgentServiceName, "ReseedRandomDev", &reseed_random_dev);
  add_call(server, agent, kAgentServiceName, "SetGuestDateTime", &set_guest_date_time);
  add_call(server, agent, kAgentServiceName, "CopyFile", &call_copy_file);
  add_call(server, agent, kAgentServiceName, "AddSwap", &call_add_swap);
  add_call(server, agent, kAgentServiceName, "AddSwapPath", &call_add_swap_path);
  add_call(server, agent, kAgentServiceName, "GetVolumeStats", &get_volume_stats);
  add_call(server, agent, kAgentServiceName, "ResizeVolume", &resize_volume);
}

}  // namespace kata::agent
