#pragma once

#include <vector>

#include "agent/oci.pb.h"
#include "base/error.h"
#include "config/config.h"
#include "runtime/vm.h"

namespace kata::runtime {

// Size of a VM at boot: the configured base plus the limits of its first container, for a pod those
// of all its containers as its annotations io.kubernetes.cri.sandbox-* say
// (facts/runtime-behaviour.md section 7), at most what the host has.
Result<VmSize> boot_size(const grpc::Spec& spec, const config::HypervisorConfig& config);

// What a VM with these containers should have: the same base plus the sum of their limits, not less
// than at boot. `first` is the spec that boot_size() was given.
Result<VmSize> size_with(const std::vector<const grpc::LinuxResources*>& containers,
                         const grpc::Spec& first, const config::HypervisorConfig& config);

// The most that a VM can grow to: the host's and 240 vCPUs, or less where the configuration says
// so.
VmSize most_size(const config::HypervisorConfig& config);

}  // namespace kata::runtime
