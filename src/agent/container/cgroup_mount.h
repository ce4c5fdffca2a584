#pragma once

#include "agent/container/mount_options.h"
#include "agent/container/rootfs_context.h"
#include "base/error.h"

namespace kata::agent {

// The container's view of its cgroups: only its own subtree, read-only or writable as the options
// say. v2: a cgroup2 mount inside the container's cgroup namespace. v1: a tmpfs with one entry per
// hierarchy, mounted in a cgroup namespace or else bound from the container's own folder.
Status mount_cgroups(RootfsContext* context, const grpc::Mount& mount, const MountOptions& options);

}  // namespace kata::agent
