#pragma once

#include "agent/stats.pb.h"
#include "wkt/any.pb.h"

// Counters of a container in the form containerd's collectors take (facts/shim-v2.md section 12).
// The guest may be on either cgroup version; containerd accepts only the type of the host's.
namespace kata::shim {

bool host_has_unified_cgroups();

// io.containerd.cgroups.v1.Metrics and io.containerd.cgroups.v2.Metrics. cpu.usage and memory.usage
// are always there: readers rely on them.
kata::wkt::Any metrics_v1(const grpc::StatsContainerResponse& counters);
kata::wkt::Any metrics_v2(const grpc::StatsContainerResponse& counters);

}  // namespace kata::shim
