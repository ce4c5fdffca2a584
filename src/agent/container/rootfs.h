#pragma once

#include "agent/container/rootfs_context.h"
#include "base/error.h"

namespace kata::agent {

// Step 1: the mount namespace stops sending mounts out (rootfsPropagation, default rslave), and the
// root file system becomes a mount of its own.
Result<RootfsContext> open_rootfs(const LaunchConfig& config);

// Last step: linux.rootfsPropagation and root.readonly take effect and the process moves in:
// pivot_root, or, when the agent lives in an initramfs (which cannot be pivoted away), a move of
// the mount onto / plus chroot. The agent's own tree is not reachable afterwards.
Status enter_rootfs(RootfsContext* context);

}  // namespace kata::agent
