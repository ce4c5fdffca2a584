#pragma once

#include <string>

#include "base/cpu_list.h"

namespace kata::resources {

// The CPUs that a spec's linux.resources.cpu.cpus names. kInvalidArgument when it is no list or
// names a CPU that the host, whose CPUs are `online`, does not have. Empty text = empty set.
Result<CpuSet> host_cpus(const std::string& list, const CpuSet& online);

// CPUs of this host that are online.
Result<CpuSet> online_host_cpus();

}  // namespace kata::resources
