#pragma once

#include <string>

#include "agent/agent.pb.h"
#include "base/task.h"

namespace kata::agent {

// Gives a volume to a group, recursively: gid, group read/write (read only on a read-only mount),
// search and setgid on folders. Symlinks are not followed. "OnRootMismatch" does nothing when the
// root of the volume is right already. Yields to the event loop between folders: volumes may be
// large.
Task<Status> apply_fs_group(std::string path, grpc::FSGroup group);

// Same for the one folder behind `folder`, as ephemeral and local volumes want with `fsgid=`.
Status give_folder_to_group(int folder, unsigned gid);

}  // namespace kata::agent
