#pragma once

#include <map>

#include "agent/oci.pb.h"
#include "base/cpu_list.h"

namespace kata::agent {

// How many CPUs a CPU limit is worth: ceil(quota / period); 0 = no limit.
uint32_t cpus_of_limit(const grpc::LinuxCPU& cpu);

// `count` of the CPUs that are online: of those it has as many as it may keep, then those that the
// fewest other containers have (`taken`), then the lowest numbers. Everything when there are no
// more.
CpuSet choose_cpus(uint32_t count, const CpuSet& online, const CpuSet& had,
                   const std::map<uint32_t, uint32_t>& taken);

}  // namespace kata::agent
