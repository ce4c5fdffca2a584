#pragma once

#include <cstdint>

#include "agent/oci.pb.h"

// What containers need, as far as their limits say it.
namespace kata::runtime {

struct Workload {
  double cpus = 0;
  int64_t memory = 0;  // bytes, huge pages included
};

// By one container's own limits. Amounts are cut to what any host has, so that no sum overflows.
Workload limits_of(const grpc::LinuxResources& resources);

// All containers of the pod that this first container is of, as its container manager tells it by
// annotations (facts/configuration.md section 7): containerd with one number each, CRI-O with one
// JSON object. Nothing where none tells.
Workload pod_workload(const grpc::Spec& spec);

}  // namespace kata::runtime
