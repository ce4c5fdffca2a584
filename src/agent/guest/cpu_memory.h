#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/device/uevents.h"

// Hot-added CPUs and memory (facts/agent-behaviour.md section 9).
namespace kata::agent {

// How long a guest may take to show one more CPU: under emulation on a busy host it needs tens of
// seconds for each.
inline constexpr Clock::duration kCpuSilence = 60s;

// Waits until `count` CPUs in all are online, bringing each online as it shows up
// (by uevent, no polling). As long as CPUs come there is no end to it; kDeadlineExceeded when none
// came for `silence`, with the number of those that did. CPUs that the kernel brought online by
// itself count. `sysfs` is "/sys" except in tests.
Task<Status> online_cpus(UeventMonitor& uevents, std::string sysfs, uint32_t count,
                         Clock::duration silence = kCpuSilence);

// One pass over the memory blocks; those offline are brought online.
Status online_memory(const std::string& sysfs);

// Tells the kernel where memory was plugged in, one write per address.
Status probe_memory(const std::string& sysfs, const std::vector<uint64_t>& addresses);

// CPUs online now as the kernel lists them, for example "0-3".
Result<std::string> online_cpu_list(const std::string& sysfs);

}  // namespace kata::agent
