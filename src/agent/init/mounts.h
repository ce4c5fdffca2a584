#pragma once

#include "base/error.h"

// What PID 1 mounts before anything else can work (facts/agent-behaviour.md sections 1.3 and 1.4).
namespace kata::agent {

// proc, sysfs, devtmpfs, /dev/shm, /dev/pts and /run; what is there already is left alone. Reports
// the first failure after trying all of them.
Status mount_base_filesystems();

// cgroup v2 whenever the kernel has it, else every v1 controller in a folder of its own.
Status mount_cgroups();

}  // namespace kata::agent
