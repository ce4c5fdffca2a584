#pragma once

#include "agent/oci.pb.h"
#include "base/error.h"
#include "network/netns.h"

namespace kata::runtime {

// Network namespace for the VMM of a sandbox: the one the spec names, or a new empty one. Nothing
// is left behind: a new one lives as long as its descriptor and the processes in it.
// Blocks. kInvalidArgument when the spec asks for the host's network.
Result<network::Netns> sandbox_netns(const grpc::Spec& spec);

}  // namespace kata::runtime
