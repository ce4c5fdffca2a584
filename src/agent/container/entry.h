#pragma once

#include <vector>

#include "agent/container/launch_config.h"
#include "agent/container/launcher.h"
#include "base/error.h"

// How a child of the launcher comes into namespaces that exist already and cannot be visited by the
// agent: those of a running container, and a user namespace.
namespace kata::agent {

// The order of entering: the user namespace last, because before it the agent's rights are needed;
// the mount namespace just before, because it takes the agent's files away.
std::vector<const NamespaceFd*> entry_order(const std::vector<NamespaceFd>& all);

// In the child. Waits for the agent, enters the namespaces of `config.enter` and forks the process
// that is born inside, in new namespaces `made` (CLONE_NEW*) of its own; only that one comes back,
// when the agent has taken it over. It is a child of the agent, like the first, and a tracer inside
// finds nothing of the agent's in it (runc CVE-2016-9962).
Status enter_by_birth(const LaunchConfig& config, uint32_t made);

}  // namespace kata::agent
