#pragma once

#include "agent/container/rootfs_context.h"
#include "base/error.h"

namespace kata::agent {

// Furnishes /dev: the default devices, the spec's devices, the standard links and ptmx
// (runtime-spec config-linux "Default Devices"). Nodes are made by mknod, or bound from the
// agent's /dev where mknod is not permitted (user namespace).
Status make_devices(RootfsContext* context);

}  // namespace kata::agent
