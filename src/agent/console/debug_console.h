#pragma once

#include <cstdint>
#include <string>

#include "base/task.h"

namespace kata::agent {

// Gives administrators a shell in the guest (agent.debug_console): with a port, every vsock
// connection gets a new pty and a shell of its own; without, one shell on /dev/console. A guest
// without a shell says so to whoever connects. Inside a guest only.
Task<> serve_debug_console(uint32_t port);

// First shell of the guest image that can be run; kNotFound names those tried.
Result<std::string> find_shell();

}  // namespace kata::agent
