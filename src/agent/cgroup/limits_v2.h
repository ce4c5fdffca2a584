#pragma once

#include <string>
#include <vector>

#include "agent/cgroup/cgroup_dir.h"
#include "agent/oci.pb.h"
#include "base/error.h"

namespace kata::agent {

// Control file values of cgroup v2 for a set of resources; only what is present. `cpu_max` is the
// present content of cpu.max, so that a new period keeps the quota and the other way round.
// kInvalidArgument for values that contradict each other.
Result<std::vector<ControlWrite>> limits_v2(const grpc::LinuxResources& resources,
                                            const std::string& cpu_max);

// cpu.shares (2..262144) as cpu.weight (1..10000).
uint64_t cpu_weight(uint64_t shares);
// blkio weight (10..1000) as io.weight (1..10000).
uint64_t io_weight(uint64_t weight);

}  // namespace kata::agent
