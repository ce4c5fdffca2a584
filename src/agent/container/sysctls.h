#pragma once

#include "agent/oci.pb.h"
#include "base/error.h"

namespace kata::agent {

// kInvalidArgument for a key that is not bound to a namespace the container has of its own
// (facts/agent-behaviour.md section 4.2).
Status check_sysctls(const grpc::Spec& spec);

// Writes linux.sysctl through the agent's own /proc/sys. A key the kernel lacks is
// an error (ENOENT), as under runc.
Status write_sysctls(const grpc::Linux& spec);

}  // namespace kata::agent
