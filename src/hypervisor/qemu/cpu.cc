#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {

void add_cpu(const Build& build, Arguments* args) {
  const VmConfig& config = build.config;
  Props model(build.tcg() ? "max" : "host");
  // TCG runs `rep movsb` and `rep stosb` byte by byte. A guest that is not told that they are fast
  // copies and clears eight to 32 bytes at a time.
  if (build.tcg()) model.append("erms=off").append("fsrm=off");
  if (build.tcg_cpu_hotplug()) model.append("-hypervisor");
  model.append(config.cpu_features);
  args->add("-cpu", model);
  // One core per socket: each plugged vCPU is a new socket.
  uint64_t most = std::max(config.vcpus, config.max_vcpus);
  Props count(std::to_string(config.vcpus));
  count.set("cores", 1).set("threads", 1).set("sockets", most).set("maxcpus", most);
  args->add("-smp", count);
}

}  // namespace kata::hypervisor::qemu
