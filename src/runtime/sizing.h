#pragma once

#include "agent/oci.pb.h"
#include "base/error.h"
#include "config/config.h"
#include "runtime/vm.h"

namespace kata::runtime {

// Size of a VM at boot: the configured base plus the limits of its first container, for a pod those
// of all its containers as its annotations io.kubernetes.cri.sandbox-* say
// (facts/runtime-behaviour.md section 7), at most what the host has.
Result<VmSize> boot_size(const grpc::Spec& spec, const config::HypervisorConfig& config);

}  // namespace kata::runtime
