#pragma once

#include "base/process.h"
#include "shim/options.h"

namespace kata::shim {

// Starts the daemon: this very program without an action word, in a process group of its own, with
// the listening socket as fd 3 and /dev/null as standard streams (facts/shim-v2.md section 4).
Result<Process> launch_daemon(const Options& options, int listener);

}  // namespace kata::shim
