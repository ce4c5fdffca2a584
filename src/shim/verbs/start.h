#pragma once

#include <string>

#include "base/error.h"
#include "shim/options.h"

namespace kata::shim {

// The `start` action, in the bundle (facts/shim-v2.md section 2.3, facts/runtime-behaviour.md
// section 3.1): makes sure that a shim listens for the sandbox and returns its address, the only
// text that may reach stdout or stderr. A container of a pod gets the address of its pod's shim;
// nothing is spawned for it. A bundle without config.json is that of a sandbox of the Sandbox API;
// its runtime options are read from standard input. On failure nothing is left.
Result<std::string> start(Options options);

}  // namespace kata::shim
