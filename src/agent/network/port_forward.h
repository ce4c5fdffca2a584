#pragma once

#include "base/task.h"

namespace kata::agent {

// Serves ttrpc/forward.h: the host's connections to TCP ports of the guest's loopback. Inside a
// guest only; the listener takes connections of the host alone.
Task<> serve_port_forward();

}  // namespace kata::agent
