#include "agent/cgroup/limits_v2.h"

#include <algorithm>

#include "agent/container/words.h"

namespace kata::agent {
namespace {

using Writes = std::vector<ControlWrite>;

std::string or_max(int64_t value) {
  return value < 0 ? "max" : std::to_string(value);
}

void cpu_limits(const grpc::LinuxCPU& cpu, const std::string& cpu_max, Writes* out) {
  if (cpu.has_idle()) out->push_back({"cpu.idle", std::to_string(cpu.idle()), cpu.idle() == 0});
  if (cpu.has_shares() && cpu.shares() != 0) {
    out->push_back({"cpu.weight", std::to_string(cpu_weight(cpu.shares()))});
  }
  const bool quota = cpu.has_quota() && cpu.quota() != 0;
  const bool period = cpu.has_period() && cpu.period() != 0;
  if (quota || period) {
    auto present = split(cpu_max, ' ');
    std::string first = quota ? or_max(cpu.quota()) : std::string(present[0]);
    if (first.empty()) first = "max";
    std::string second = period ? std::to_string(cpu.period())
                                : std::string(present.size() > 1 ? present[1] : "100000");
    while (!second.empty() && second.back() == '\n') second.pop_back();
    out->push_back({"cpu.max", first + ' ' + second});
  }
  if (cpu.has_burst()) {
    out->push_back({"cpu.max.burst", std::to_string(cpu.burst()), cpu.burst() == 0});
  }
  if (!cpu.mems().empty()) out->push_back({"cpuset.mems", cpu.mems()});
  if (!cpu.cpus().empty()) out->push_back({"cpuset.cpus", cpu.cpus()});
}

// memory.swap.max counts swap alone; the spec's value is memory plus swap.
Status swap_limit(const grpc::LinuxMemory& memory, Writes* out) {
  const int64_t limit = memory.limit();
  int64_t swap = memory.swap();
  if (limit == -1 && swap == 0) swap = -1;
  if (swap == 0) return {};
  if (swap > 0) {
    if (limit <= 0) {
      return fail(Code::kInvalidArgument, "unable to set swap limit without memory limit");
    }
    if (swap < limit) {
      return fail(Code::kInvalidArgument, "memory+swap limit is below the memory limit");
    }
    swap -= limit;
  }
  // A kernel without swap accounting has nothing to limit.
  out->push_back({"memory.swap.max", or_max(swap), swap <= 0});
  return {};
}

Status memory_limits(const grpc::LinuxMemory& memory, Writes* out) {
  TRY_STATUS(swap_limit(memory, out));
  if (memory.limit() != 0) out->push_back({"memory.max", or_max(memory.limit())});
  if (memory.reservation() != 0) out->push_back({"memory.low", or_max(memory.reservation())});
  return {};
}

std::string device_key(int64_t major, int64_t minor) {
  return std::to_string(major) + ':' + std::to_string(minor) + ' ';
}

void io_limits(const grpc::LinuxBlockIO& io, Writes* out) {
  if (io.weight() != 0) {
    out->push_back({"io.weight", "default " + std::to_string(io_weight(io.weight()))});
  }
  for (const grpc::LinuxWeightDevice& device : io.weightdevice()) {
    out->push_back({"io.weight", device_key(device.major(), device.minor()) +
                                     std::to_string(io_weight(device.weight()))});
  }
  auto throttle = [&](const auto& devices, const char* word) {
    for (const grpc::LinuxThrottleDevice& device : devices) {
      out->push_back({"io.max", device_key(device.major(), device.minor()) + word + '=' +
                                    (device.rate() ? std::to_string(device.rate()) : "max")});
    }
  };
  throttle(io.throttlereadbpsdevice(), "rbps");
  throttle(io.throttlewritebpsdevice(), "wbps");
  throttle(io.throttlereadiopsdevice(), "riops");
  throttle(io.throttlewriteiopsdevice(), "wiops");
}

Status unified_values(const grpc::LinuxResources& resources, Writes* out) {
  for (const auto& [file, value] : resources.unified()) {
    // The map sets resources, not membership, and names files of this directory only.
    bool core = file.starts_with("cgroup.");
    if (file.empty() || core || file.find('/') != std::string::npos ||
        file.find('.') == std::string::npos) {
      return fail(Code::kInvalidArgument, "unified resource \"" + file + "\" must be a file name");
    }
    out->push_back({file, value});
  }
  return {};
}

}  // namespace

uint64_t cpu_weight(uint64_t shares) {
  shares = std::clamp<uint64_t>(shares, 2, 262144);
  return 1 + (shares - 2) * 9999 / 262142;
}

uint64_t io_weight(uint64_t weight) {
  weight = std::clamp<uint64_t>(weight, 10, 1000);
  return 1 + (weight - 10) * 9999 / 990;
}

Result<std::vector<ControlWrite>> limits_v2(const grpc::LinuxResources& resources,
                                            const std::string& cpu_max) {
  Writes out;
  cpu_limits(resources.cpu(), cpu_max, &out);
  TRY_STATUS(memory_limits(resources.memory(), &out));
  if (resources.has_pids() && resources.pids().limit() != 0) {
    out.push_back({"pids.max", or_max(resources.pids().limit())});
  }
  io_limits(resources.blockio(), &out);
  for (const grpc::LinuxHugepageLimit& limit : resources.hugepagelimits()) {
    out.push_back({"hugetlb." + limit.pagesize() + ".max", std::to_string(limit.limit())});
    // Reservations are bounded too where the kernel can.
    out.push_back(
        {"hugetlb." + limit.pagesize() + ".rsvd.max", std::to_string(limit.limit()), true});
  }
  TRY_STATUS(unified_values(resources, &out));
  return out;
}

}  // namespace kata::agent
