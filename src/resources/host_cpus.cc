#include "resources/host_cpus.h"

#include <algorithm>

#include "base/file.h"

namespace kata::resources {

Result<CpuSet> host_cpus(const std::string& list, const CpuSet& online) {
  TRY(CpuSet cpus, in_step("linux.resources.cpu.cpus", parse_cpu_list(list)));
  if (!std::ranges::includes(online, cpus)) {
    return fail(Code::kInvalidArgument, "linux.resources.cpu.cpus \"" + cpu_list(cpus) +
                                            "\": the host has only the CPUs " + cpu_list(online));
  }
  return cpus;
}

Result<CpuSet> online_host_cpus() {
  TRY(std::string text, read_file("/sys/devices/system/cpu/online"));
  return parse_cpu_list(text);
}

}  // namespace kata::resources
