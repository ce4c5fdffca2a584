#pragma once

#include <string>

#include "agent/sandbox/container.h"

namespace kata::agent {

// What the container wrote to its Kubernetes termination message file: at most 4096 bytes, invalid
// UTF-8 replaced. The path is the container's word, so it is resolved inside its root. Empty when
// there is no such file; kInvalidArgument without the annotation that names it.
Result<std::string> read_termination_log(const Container& container);

}  // namespace kata::agent
