#pragma once

#include "agent/container/capabilities.h"
#include "agent/oci.pb.h"
#include "base/error.h"

namespace kata::agent {

// Becomes the process's user: gives it the standard streams, drops the bounding set, sets groups,
// gid, uid and umask, and leaves the capabilities of `sets` plus CAP_SYS_ADMIN (needed to install a
// seccomp filter without no_new_privs). finish_capabilities() takes that one away.
Status become_user(const grpc::Process& process, const CapabilitySets& sets);
Status finish_capabilities(const CapabilitySets& sets);

// chdir to process.cwd, made when missing; refuses to end up outside the root, which would mean
// that a descriptor of the agent leaked (runc CVE-2024-21626).
Status enter_cwd(const grpc::Process& process);

}  // namespace kata::agent
