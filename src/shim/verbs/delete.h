#pragma once

#include <string>

#include "base/error.h"
#include "shim/options.h"

namespace kata::shim {

// The `delete` action (facts/shim-v2.md section 2.4): frees what a task left on the host and
// returns a serialized DeleteResponse, the only text that may reach stdout. It runs after a crash,
// at containerd's start for shims that do not answer, and after every normal deletion, once per
// container of a pod. So it succeeds when all is gone, and for a container of a pod it never
// touches the pod's sandbox. Takes less than 5 s.
Result<std::string> delete_leftovers(const Options& options);

}  // namespace kata::shim
