#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/cgroup/cgroup_dir.h"
#include "agent/oci.pb.h"

namespace kata::agent {

// Control file values of cgroup v1, by controller. `memory_limit_now` is the present limit: memory
// and memory+swap must be moved in the order that keeps memory <= memory+swap.
std::map<std::string, std::vector<ControlWrite>> limits_v1(const grpc::LinuxResources& resources,
                                                           uint64_t memory_limit_now);

}  // namespace kata::agent
