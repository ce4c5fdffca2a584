#pragma once

#include <sys/types.h>

#include "agent/oci.pb.h"
#include "base/error.h"

// Properties of a process that the agent sets from outside, while the child waits: the agent has
// more rights than a child in a user namespace.
namespace kata::agent {

// RLIMIT_* resource of a spec's word; -1 when unknown.
int rlimit_resource(std::string_view word);
// In two steps: the agent raises hard limits where the child may not be able to; later, when it
// needs nothing more itself, the child sets the final values.
Status raise_hard_limits(pid_t pid, const grpc::Process& process);
Status set_own_rlimits(const grpc::Process& process);

// oom_score_adj of the spec; without one, a protected agent (negative value) gives its children 0
// back. Lowering without the right to is not an error.
Status set_oom_score(pid_t pid, const grpc::Process& process);

// Scheduler policy and io priority.
Status set_scheduling(pid_t pid, const grpc::Process& process);

}  // namespace kata::agent
