#pragma once

#include "base/error.h"
#include "shim/options.h"

namespace kata::shim {

// Serves the Task service on the inherited socket (fd 3, or -socket) until containerd's Shutdown or
// a SIGTERM, then ends the process when events and loggers are done; comes back only on failure to
// begin. The process has a mount namespace of its own from then on. Connections come and go with
// containerd, they decide nothing.
Status run_daemon(const Options& options);

}  // namespace kata::shim
