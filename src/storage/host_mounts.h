#pragma once

#include <sys/mount.h>

#include <functional>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

// The mounts of the host, that is of whoever started this process, seen from a mount namespace of
// our own. Mounts that others make later reach the latter only where the host passes mounts on;
// not where / is private, as in many containers, nor below folders that are private on purpose
// (CRI-O's storage). What a container manager names is therefore looked up on the host.
namespace kata::storage {

// Moves the process into a mount namespace of its own: what the host passes on comes in, nothing
// goes out, and our mounts vanish with the last process in it. The host's namespace is kept for the
// functions below until the process ends. Once, before the process has a second thread.
Status leave_host_mounts();

// Runs `act` where paths mean what they mean on the host: on a thread of its own, or right here
// when leave_host_mounts() was never called. Descriptors that it opens are good everywhere. Any
// thread; blocks until `act` is done.
Status in_host_mounts(const std::function<Status()>& act);

// open_file() and clone_mount() (bind.h) on the host. The copy of a mount may be attached here.
Result<UniqueFd> open_on_host(const std::string& path, int flags);
Result<UniqueFd> clone_on_host(int fd, bool recursive, uint64_t propagation = MS_PRIVATE);

}  // namespace kata::storage
