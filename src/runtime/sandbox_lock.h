#pragma once

#include "base/error.h"
#include "base/unique_fd.h"
#include "runtime/sandbox_paths.h"

namespace kata::runtime {

// Ownership of a sandbox id on this host: an flock(2) on its state folder, held by the shim as long
// as it lives. Ids are unique only within a namespace of one containerd, the folders are not: the
// lock keeps a second sandbox, or a clean-up, from taking the first one's resources for leftovers.
//
// Empty when the folder does not exist; kAlreadyExists when somebody else holds the lock.
Result<UniqueFd> lock_sandbox(const SandboxPaths& paths);

// Tries for a tenth of a second: `kata-runtime gc` looks at locks by taking them, for a moment.
Result<UniqueFd> lock_sandbox_patiently(const SandboxPaths& paths);

}  // namespace kata::runtime
