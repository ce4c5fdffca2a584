#pragma once

#include <string>
#include <vector>

#include "agent/stats.pb.h"
#include "containerd/sandbox.pb.h"

namespace kata::shim {

// Adds one container's counters to those of its pod: CPU time, memory in use, memory.stat and
// processes. Limits are not added: a pod has none of its own.
void add_to_pod(const grpc::StatsContainerResponse& container, grpc::StatsContainerResponse* pod);

}  // namespace kata::shim
