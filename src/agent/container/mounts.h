#pragma once

#include "agent/container/rootfs_context.h"
#include "base/error.h"

namespace kata::agent {

// Makes the mounts of the spec, in their order (runtime-spec "mounts"). Error texts name both ends:
// `error mounting "src" to rootfs at "/dst": ...`.
Status mount_all(RootfsContext* context);

// Sets the mounts read-only whose content had to be made first (/dev, tmpfs).
Status finish_readonly(RootfsContext* context);

// True when the container gets /dev as it is from elsewhere (a bind mount): nothing is made there.
bool dev_is_bind(const grpc::Spec& spec);

}  // namespace kata::agent
