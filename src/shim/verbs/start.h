#pragma once

#include <string>

#include "base/error.h"
#include "shim/options.h"

namespace kata::shim {

// The `start` action, in the bundle (facts/shim-v2.md section 2.3, facts/runtime-behaviour.md
// section 3.1): makes sure that a shim listens for the sandbox and returns its address, the only
// text that may reach stdout or stderr. A container of a pod gets the address of its pod's shim;
// nothing is spawned for it. On failure nothing is left.
Result<std::string> start(const Options& options);

}  // namespace kata::shim
