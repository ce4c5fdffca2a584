#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace kata::shim {

// The daemon that served a task before containerd asked for its clean-up.
struct OldDaemon {
  std::string id;      // of the sandbox
  std::string socket;  // path it listened on
  uint32_t pid = 0;    // from shim.pid, 0 = unknown
};

// Makes sure that the daemon no longer holds the task. containerd has given the task up when it
// calls `delete`, so a daemon that still has it is asked to end (SIGTERM: it frees its sandbox),
// and killed when it does not. False = it answers and does not have the task: it is told to end
// unless it has others (Shutdown). A daemon that has freed its address is ending by itself already.
Result<bool> end_old_daemon(const OldDaemon& daemon);

}  // namespace kata::shim
