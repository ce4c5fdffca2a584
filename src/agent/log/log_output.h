#pragma once

#include <cstdint>

#include "base/task.h"
#include "base/unique_fd.h"

// Where the agent's log goes: one JSON object per line (facts/agent-behaviour.md section 15), on
// standard output or to the one reader of the vsock log port.
namespace kata::agent {

// Sets the format and the common fields, and writes to `fd` (not owned) until a reader is there.
void log_to_fd(int fd);

// Listens on the log port and moves the log to whoever connects; when the reader goes, the log goes
// back to standard output and the next reader is awaited. Lines that a slow reader does not take
// are dropped and counted, never waited for. Inside a guest only.
Task<> serve_log_port(uint32_t port);

}  // namespace kata::agent
