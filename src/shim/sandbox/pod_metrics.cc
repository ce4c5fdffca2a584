#include "shim/sandbox/pod_metrics.h"

#include "shim/events/publisher.h"
#include "shim/sandbox/service.h"
#include "shim/task/metrics.h"

namespace kata::shim {

using namespace containerd::runtime::sandbox::v1;

namespace {

void add_cpu(const grpc::CpuStats& from, grpc::CpuStats* to) {
  auto* usage = to->mutable_cpu_usage();
  usage->set_total_usage(usage->total_usage() + from.cpu_usage().total_usage());
  usage->set_usage_in_kernelmode(usage->usage_in_kernelmode() +
                                 from.cpu_usage().usage_in_kernelmode());
  usage->set_usage_in_usermode(usage->usage_in_usermode() + from.cpu_usage().usage_in_usermode());
  auto* throttling = to->mutable_throttling_data();
  throttling->set_periods(throttling->periods() + from.throttling_data().periods());
  throttling->set_throttled_periods(throttling->throttled_periods() +
                                    from.throttling_data().throttled_periods());
  throttling->set_throttled_time(throttling->throttled_time() +
                                 from.throttling_data().throttled_time());
}

void add_memory(const grpc::MemoryStats& from, grpc::MemoryStats* to) {
  to->set_cache(to->cache() + from.cache());
  to->mutable_usage()->set_usage(to->usage().usage() + from.usage().usage());
  to->mutable_swap_usage()->set_usage(to->swap_usage().usage() + from.swap_usage().usage());
  to->mutable_kernel_usage()->set_usage(to->kernel_usage().usage() + from.kernel_usage().usage());
  for (const auto& [key, value] : from.stats()) {
    if (!key.starts_with("hierarchical_")) (*to->mutable_stats())[key] += value;
  }
}

}  // namespace

void add_to_pod(const grpc::StatsContainerResponse& container, grpc::StatsContainerResponse* pod) {
  const grpc::CgroupStats& from = container.cgroup_stats();
  grpc::CgroupStats* to = pod->mutable_cgroup_stats();
  add_cpu(from.cpu_stats(), to->mutable_cpu_stats());
  add_memory(from.memory_stats(), to->mutable_memory_stats());
  auto* pids = to->mutable_pids_stats();
  pids->set_current(pids->current() + from.pids_stats().current());
  // The pod's containers share its interfaces.
  *pod->mutable_network_stats() = container.network_stats();
}

// What the pod's containers use, in the guest's words. A container that ends meanwhile is left out.
Task<Result<SandboxMetricsResponse>> SandboxService::metrics(SandboxMetricsRequest request) {
  CO_TRY_STATUS(known(request.sandbox_id()));
  CO_TRY_STATUS(running());
  auto sandbox = slot_.get();
  grpc::StatsContainerResponse pod;
  for (const std::string& id : sandbox->container_ids()) {
    auto container = sandbox->find(id);
    if (!container) continue;
    auto counters = co_await container->stats();
    if (counters) add_to_pod(*counters, &pod);
  }
  SandboxMetricsResponse response;
  auto* metric = response.mutable_metrics();
  metric->set_id(id_);
  *metric->mutable_timestamp() = to_timestamp(std::chrono::system_clock::now());
  *metric->mutable_data() = host_has_unified_cgroups() ? metrics_v2(pod) : metrics_v1(pod);
  co_return response;
}

}  // namespace kata::shim
