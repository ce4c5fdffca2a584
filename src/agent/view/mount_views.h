#pragma once

#include "agent/container/rootfs_context.h"
#include "base/error.h"

namespace kata::agent {

// Puts the files of the container's view over the kernel's. A place that is not the kernel's any
// more (the spec mounted something there) or is not there stays as it is. Runs in the child.
Status mount_views(RootfsContext* context);

}  // namespace kata::agent
