#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/cpu_list.h"

// What a container with limits sees instead of the machine's own files (docs/design/agent.md).
namespace kata::agent {

// Memory of one container in bytes, as its cgroup counts it.
struct MemoryView {
  uint64_t limit = UINT64_MAX;  // no limit
  uint64_t used = 0;
  uint64_t file = 0;           // page cache
  uint64_t inactive_file = 0;  // what can be had back at once
};

// Each takes the machine's text. An empty set of CPUs and no limit change nothing.
// /proc/cpuinfo: the blocks of these CPUs, with their own numbers.
std::string cpuinfo_of(std::string_view machine, const CpuSet& cpus);
// /proc/stat: the lines of these CPUs, and their sum in the line of all.
std::string stat_of(std::string_view machine, const CpuSet& cpus);
// /proc/meminfo: total, free, available, cached of the container; nothing exceeds the total.
std::string meminfo_of(std::string_view machine, const MemoryView& memory);

}  // namespace kata::agent
