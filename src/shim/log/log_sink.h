#pragma once

#include <string>

#include "base/error.h"

// Where the daemon's log goes: containerd's fifo and the system log.
namespace kata::shim {

// Puts the fifo `log` of the bundle (the working directory) in place of stderr, so that crash texts
// reach containerd's log too. Opened for reading as well: containerd may go away without raising
// SIGPIPE. Non-blocking: what does not fit into a full fifo is dropped (facts/shim-v2.md
// section 3.1). Without a fifo (CRI-O of old, a test) stderr is /dev/null.
Status redirect_stderr_to_log_fifo(const std::string& path = "log");

// Logfmt lines with upstream's keys to stderr, and to /dev/log under the name "kata" when a system
// log listens there (facts/runtime-behaviour.md section 13).
void set_up_log(const std::string& sandbox_id, bool debug);

}  // namespace kata::shim
