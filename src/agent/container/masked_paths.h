#pragma once

#include "agent/container/rootfs_context.h"
#include "base/error.h"

namespace kata::agent {

// linux.maskedPaths: files are covered with /dev/null, folders with an empty read-only tmpfs.
// Missing paths are skipped.
Status mask_paths(RootfsContext* context);

// linux.readonlyPaths: bound on themselves, read-only. Missing paths are skipped.
Status make_paths_readonly(RootfsContext* context);

}  // namespace kata::agent
