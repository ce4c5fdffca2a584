#pragma once

#include "base/error.h"

// The steps of an agent that is PID 1 of the guest, in the order main.cc calls them. None of them
// ends the process: a guest with a missing piece that still answers beats a kernel panic, so each
// failure is logged and the next step runs.
namespace kata::agent {

// Mounts, console on fds 0-2, the program's one copy, kernel modules: what must exist before
// parameters are read. Starts the program once more, with the same arguments.
void init_early(char** argv);
// cgroups, session and PATH, hostname, loopback, OOM protection.
void init_late();

// For every mode: orphans become our children, so that the agent reaps them.
void become_subreaper();
// OOM score of the agent itself; containers get their specification's value back.
void protect_from_oom();
// Brings `lo` up. A system with an init of its own does this itself.
Status loopback_up();

// Writes caches back and switches the machine off; returns only when the kernel refuses.
void power_off();

}  // namespace kata::agent
