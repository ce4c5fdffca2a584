#pragma once

#include <memory>

#include "http/server.h"
#include "runtime/sandbox.h"

namespace kata::shim {

// GET /memory: whose memory it is, for `kata-runtime memory`; not in upstream. JSON with the pids
// of shim, VMM and file-system daemon (0 without one) and, per container, what the guest's control
// group counts in bytes. A container whose figures the guest does not give has an "error" instead.
Task<http::Response> answer_memory(std::shared_ptr<runtime::Sandbox> sandbox);

}  // namespace kata::shim
