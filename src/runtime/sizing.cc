#include "runtime/sizing.h"

#include <sys/sysinfo.h>

#include <algorithm>
#include <cmath>

#include "oci/annotations.h"
#include "runtime/workload.h"

namespace kata::runtime {

namespace {

// A kernel and an agent do not fit in less.
constexpr uint64_t kLeastMemory = 64;
constexpr uint64_t kMiB = 1 << 20;
// Of our kernel, and below what q35 takes under any accelerator.
constexpr uint64_t kMostVcpus = 240;

uint64_t host_memory_mib() {
  struct sysinfo info {};
  sysinfo(&info);
  return uint64_t{info.totalram} * info.mem_unit / kMiB;
}

// A pod's first container is the pause program with next to no resources of its own; the container
// manager tells the sums over the pod.
Workload workload_of(const grpc::Spec& spec) {
  const Workload own = limits_of(spec.linux().resources());
  auto type = oci::container_type(spec);
  if (!type || *type != oci::ContainerType::kPodSandbox) return own;
  const Workload pod = pod_workload(spec);
  return {std::max(own.cpus, pod.cpus), std::max(own.memory, pod.memory)};
}

Result<VmSize> size_for(const Workload& workload, const config::HypervisorConfig& config) {
  const double cpus = config.default_vcpus + config.overhead_vcpus + workload.cpus;
  const VmSize most = most_size(config);
  const uint64_t base = config.default_memory + config.overhead_memory;
  const uint64_t host = host_memory_mib();
  if (base < kLeastMemory) {
    return fail(Code::kInvalidArgument, "default_memory = " + std::to_string(base) +
                                            " MiB is too small for a guest; use 64 or more");
  }
  if (base > host) {
    return fail(Code::kResourceExhausted,
                "default_memory = " + std::to_string(base) + " MiB, but the host has only " +
                    std::to_string(host) + " MiB; lower default_memory in the configuration");
  }
  uint64_t wanted = base;
  if (workload.memory > 0) {
    wanted += std::min<uint64_t>(static_cast<uint64_t>(workload.memory) / kMiB, host);
  }
  VmSize size;
  size.vcpus = static_cast<uint32_t>(
      std::clamp<double>(std::ceil(cpus - 1e-9), 1, static_cast<double>(most.vcpus)));
  size.memory_mib =
      static_cast<uint32_t>(std::max(base, std::min<uint64_t>(wanted, most.memory_mib)));
  return size;
}

}  // namespace

VmSize most_size(const config::HypervisorConfig& config) {
  auto bounded = [](uint64_t host, uint64_t configured) {
    return static_cast<uint32_t>(configured > 0 ? std::min(host, configured) : host);
  };
  const auto host_cpus = static_cast<uint64_t>(get_nprocs());
  return {bounded(std::min(host_cpus, kMostVcpus), config.default_maxvcpus),
          bounded(host_memory_mib(), config.default_maxmemory)};
}

Result<VmSize> boot_size(const grpc::Spec& spec, const config::HypervisorConfig& config) {
  return size_for(workload_of(spec), config);
}

Result<VmSize> size_with(const std::vector<const grpc::LinuxResources*>& containers,
                         const grpc::Spec& first, const config::HypervisorConfig& config) {
  Workload sum;
  for (const grpc::LinuxResources* resources : containers) {
    const Workload own = limits_of(*resources);
    sum.cpus += own.cpus;
    sum.memory += own.memory;
  }
  const Workload boot = workload_of(first);
  return size_for({std::max(sum.cpus, boot.cpus), std::max(sum.memory, boot.memory)}, config);
}

}  // namespace kata::runtime
