#pragma once

#include <string>

#include "agent/oci.pb.h"

namespace kata::storage {

// Makes the missing mount points (and the working folder) of a container in its root file system,
// as runc does before it turns the root read-only: a guest that gets the root read-only cannot.
// `root` holds the root; paths are resolved as the container would, never out of it. Relative bind
// sources are below `bundle`. What cannot be made is logged: the guest reports it with the mount.
void make_mount_points(int root, const grpc::Spec& spec, const std::string& bundle);

}  // namespace kata::storage
