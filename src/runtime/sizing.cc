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

// A pod's first container is the pause program with next to no resources of its own; the container
// manager puts the sums over the pod into annotations (facts/configuration.md section 7).
Workload workload_of(const grpc::Spec& spec) {
  const auto& resources = spec.linux().resources();
  Workload own{cpu_limit(resources.cpu().quota(), resources.cpu().period()),
               resources.memory().limit()};
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

}  // namespace

Result<VmSize> boot_size(const grpc::Spec& spec, const config::HypervisorConfig& config) {
  const Workload workload = workload_of(spec);
  const double cpus = config.default_vcpus + config.overhead_vcpus + workload.cpus;
  uint64_t most_cpus = static_cast<uint64_t>(get_nprocs());
  if (config.default_maxvcpus > 0) most_cpus = std::min(most_cpus, config.default_maxvcpus);

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
  uint64_t most_memory = host;
  if (config.default_maxmemory > 0) most_memory = std::min(host, config.default_maxmemory);
  const int64_t limit = workload.memory;
  uint64_t wanted = base;
  if (limit > 0) wanted += std::min<uint64_t>(static_cast<uint64_t>(limit) / kMiB, host);

  VmSize size;
  size.vcpus = static_cast<uint32_t>(
      std::clamp<double>(std::ceil(cpus - 1e-9), 1, static_cast<double>(most_cpus)));
  size.memory_mib = static_cast<uint32_t>(std::max(base, std::min(wanted, most_memory)));
  return size;
}

}  // namespace kata::runtime
