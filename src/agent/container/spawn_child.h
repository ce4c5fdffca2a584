#pragma once

#include <sys/types.h>

#include <vector>

#include "agent/container/launcher.h"
#include "base/error.h"
#include "base/unique_fd.h"

namespace kata::agent {

// What a child of the launcher is born with.
struct ChildPlan {
  uint64_t clone_flags = 0;  // CLONE_NEW* made by the clone itself
  int cgroup_dir = -1;       // v2: born there (CLONE_INTO_CGROUP)
  int channel = -1;          // becomes kChannelFd
  int config = -1;           // becomes kConfigFd
  std::vector<int> extra;    // become kFirstNamespaceFd, ...
  const Stdio* stdio = nullptr;
  const char* mode = "init";
};

struct Child {
  pid_t pid = 0;
  UniqueFd pidfd;
};

// Clones this process and executes the sealed image in the child as "kata-agent <mode>" with an
// empty environment, default signal handling and no other descriptors. A failure before that exec
// ends the child with status 125; its channel is closed then.
Result<Child> spawn_child(const ChildPlan& plan);

// Kills and reaps; someone else may have reaped it already.
void kill_and_reap(const Child& child);

}  // namespace kata::agent
