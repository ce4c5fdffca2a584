#include "runtime/sizing.h"

#include <sys/sysinfo.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/log.h"
#include "oci/annotations.h"

namespace kata::runtime {

namespace {

// A kernel and an agent do not fit in less.
constexpr uint64_t kLeastMemory = 64;
constexpr uint64_t kMiB = 1 << 20;
// Of our kernel, and below what q35 takes under any accelerator.
constexpr uint64_t kMostVcpus = 240;
constexpr int64_t kMostMemory = int64_t{1} << 50;

uint64_t host_memory_mib() {
  struct sysinfo info {};
  sysinfo(&info);
  return uint64_t{info.totalram} * info.mem_unit / kMiB;
}

double cpu_limit(int64_t quota, uint64_t period) {
  if (quota <= 0 || period == 0) return 0;
  return static_cast<double>(quota) / static_cast<double>(period);
}

// What the containers of a pod need in all, as far as it is known before the boot.
struct Workload {
  double cpus = 0;
  int64_t memory = 0;  // bytes
};

// Decimal text of one of the pod's annotations; what is no number counts as absent.
int64_t number_of(const grpc::Spec& spec, std::string_view key) {
  const std::string_view text = oci::annotation(spec, key);
  if (text.empty()) return 0;
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  log::warn("annotation is no number and is ignored",
            {{"annotation", std::string(key)}, {"value", std::string(text.substr(0, 64))}});
  return 0;
}

// Huge pages come on top of the memory limit, which does not count them. Each amount is cut to what
// any host has, so that no sum overflows.
int64_t memory_limit(const grpc::LinuxResources& resources) {
  int64_t sum = std::clamp<int64_t>(resources.memory().limit(), 0, kMostMemory);
  for (const auto& pages : resources.hugepagelimits()) {
    const uint64_t limit = std::min<uint64_t>(pages.limit(), kMostMemory);
    sum = std::min(sum + static_cast<int64_t>(limit), kMostMemory);
  }
  return sum;
}

Workload limits_of(const grpc::LinuxResources& resources) {
  return {cpu_limit(resources.cpu().quota(), resources.cpu().period()), memory_limit(resources)};
}

// A pod's first container is the pause program with next to no resources of its own; the container
// manager puts the sums over the pod into annotations (facts/configuration.md section 7).
Workload workload_of(const grpc::Spec& spec) {
  const Workload own = limits_of(spec.linux().resources());
  auto type = oci::container_type(spec);
  if (!type || *type != oci::ContainerType::kPodSandbox) return own;
  const int64_t quota = number_of(spec, "io.kubernetes.cri.sandbox-cpu-quota");
  const int64_t period = number_of(spec, "io.kubernetes.cri.sandbox-cpu-period");
  const int64_t shares = number_of(spec, "io.kubernetes.cri.sandbox-cpu-shares");
  Workload pod{cpu_limit(quota, period > 0 ? static_cast<uint64_t>(period) : 0),
               number_of(spec, "io.kubernetes.cri.sandbox-memory")};
  // Unlimited, but asked for; 2 is what a pod without requests has.
  if (quota < 0 && shares > 2) pod.cpus = std::ceil(static_cast<double>(shares) / 1024);
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
