#pragma once

#include "agent/container/rootfs_context.h"
#include "agent/oci.pb.h"
#include "base/error.h"
#include "base/unique_fd.h"

namespace kata::agent {

struct Console {
  UniqueFd master, slave;
};

// Opens a pty in the devpts mounted at dev/pts below `root` and gives it the wanted size. The node
// is checked to be on a devpts, and the slave comes from the master itself, not from a path (runc
// CVE-2025-52565).
Result<Console> open_console(int root, const grpc::Box& size);

// Binds the slave on /dev/console of a container that is being furnished.
Status mount_console(RootfsContext* context, const Console& console);

// Makes the slave the standard streams and the controlling terminal of this (new) session.
Status use_console(const Console& console);

}  // namespace kata::agent
