#include "agent/cgroup/limits_v1.h"

#include <cstdio>
#include <utility>

namespace kata::agent {
namespace {

using Writes = std::vector<ControlWrite>;

void cpu_limits(const grpc::LinuxCPU& cpu, Writes* out) {
  if (cpu.has_shares() && cpu.shares() != 0)
    out->push_back({"cpu.shares", std::to_string(cpu.shares())});
  if (cpu.has_idle()) out->push_back({"cpu.idle", std::to_string(cpu.idle()), cpu.idle() == 0});
  if (cpu.has_period() && cpu.period() != 0) {
    out->push_back({"cpu.cfs_period_us", std::to_string(cpu.period())});
  }
  if (cpu.has_quota() && cpu.quota() != 0) {
    out->push_back({"cpu.cfs_quota_us", std::to_string(cpu.quota())});
  }
  if (cpu.has_burst()) {
    out->push_back({"cpu.cfs_burst_us", std::to_string(cpu.burst()), cpu.burst() == 0});
  }
  if (cpu.has_realtimeperiod() && cpu.realtimeperiod() != 0) {
    out->push_back({"cpu.rt_period_us", std::to_string(cpu.realtimeperiod())});
  }
  if (cpu.has_realtimeruntime() && cpu.realtimeruntime() != 0) {
    out->push_back({"cpu.rt_runtime_us", std::to_string(cpu.realtimeruntime())});
  }
}

void memory_limits(const grpc::LinuxMemory& memory, uint64_t limit_now, Writes* out) {
  int64_t swap = memory.swap();
  // Unlimited memory with a limited sum is refused by the kernel.
  if (memory.limit() == -1 && swap == 0) swap = -1;
  Writes pair;
  if (memory.limit() != 0)
    pair.push_back({"memory.limit_in_bytes", std::to_string(memory.limit())});
  if (swap != 0) {
    pair.push_back(
        {"memory.memsw.limit_in_bytes", std::to_string(swap), swap <= memory.limit() || swap < 0});
  }
  bool raising = swap < 0 || static_cast<uint64_t>(swap) > limit_now;
  if (pair.size() == 2 && raising) std::swap(pair[0], pair[1]);
  out->insert(out->end(), pair.begin(), pair.end());
  if (memory.reservation() != 0) {
    out->push_back({"memory.soft_limit_in_bytes", std::to_string(memory.reservation())});
  }
  if (memory.kerneltcp() != 0) {
    out->push_back({"memory.kmem.tcp.limit_in_bytes", std::to_string(memory.kerneltcp())});
  }
  if (memory.disableoomkiller()) out->push_back({"memory.oom_control", "1"});
  if (memory.has_swappiness() && memory.swappiness() <= 100) {
    out->push_back({"memory.swappiness", std::to_string(memory.swappiness())});
  }
}

void io_limits(const grpc::LinuxBlockIO& io, Writes* out) {
  if (io.weight() != 0) out->push_back({"blkio.weight", std::to_string(io.weight()), true});
  auto key = [](const auto& device) {
    return std::to_string(device.major()) + ':' + std::to_string(device.minor()) + ' ';
  };
  for (const grpc::LinuxWeightDevice& device : io.weightdevice()) {
    out->push_back({"blkio.weight_device", key(device) + std::to_string(device.weight())});
  }
  auto throttle = [&](const auto& devices, const char* file) {
    for (const grpc::LinuxThrottleDevice& device : devices) {
      out->push_back(
          {std::string("blkio.throttle.") + file, key(device) + std::to_string(device.rate())});
    }
  };
  throttle(io.throttlereadbpsdevice(), "read_bps_device");
  throttle(io.throttlewritebpsdevice(), "write_bps_device");
  throttle(io.throttlereadiopsdevice(), "read_iops_device");
  throttle(io.throttlewriteiopsdevice(), "write_iops_device");
}

}  // namespace

std::map<std::string, std::vector<ControlWrite>> limits_v1(const grpc::LinuxResources& resources,
                                                           uint64_t memory_limit_now) {
  std::map<std::string, Writes> out;
  cpu_limits(resources.cpu(), &out["cpu"]);
  memory_limits(resources.memory(), memory_limit_now, &out["memory"]);
  io_limits(resources.blockio(), &out["blkio"]);
  if (!resources.cpu().cpus().empty()) {
    out["cpuset"].push_back({"cpuset.cpus", resources.cpu().cpus()});
  }
  if (!resources.cpu().mems().empty()) {
    out["cpuset"].push_back({"cpuset.mems", resources.cpu().mems()});
  }
  if (resources.has_pids() && resources.pids().limit() != 0) {
    int64_t limit = resources.pids().limit();
    out["pids"].push_back({"pids.max", limit < 0 ? "max" : std::to_string(limit)});
  }
  for (const grpc::LinuxHugepageLimit& limit : resources.hugepagelimits()) {
    out["hugetlb"].push_back(
        {"hugetlb." + limit.pagesize() + ".limit_in_bytes", std::to_string(limit.limit())});
  }
  const grpc::LinuxNetwork& network = resources.network();
  if (network.classid() != 0) {
    out["net_cls"].push_back({"net_cls.classid", std::to_string(network.classid())});
  }
  for (const grpc::LinuxInterfacePriority& priority : network.priorities()) {
    out["net_prio"].push_back(
        {"net_prio.ifpriomap", priority.name() + ' ' + std::to_string(priority.priority())});
  }
  return out;
}

}  // namespace kata::agent
