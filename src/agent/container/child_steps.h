#pragma once

#include "agent/container/launch_config.h"
#include "base/error.h"

// What a child of the launcher does, step by step; docs/design/container-process.md gives the order
// and the reasons. Both only come back on failure.
namespace kata::agent {

// A container's first process: furnishes the namespaces and the root, then runs the program.
Status init_process(const LaunchConfig& config);

// A further process of a running container.
Status extra_process(const LaunchConfig& config);

// Shared last part, inside the container's root. `console` holds the pty when there is one.
struct Console;
Status run_program(const LaunchConfig& config, const Console& console);

}  // namespace kata::agent
