#pragma once

#include "agent/agent.pb.h"
#include "base/error.h"
#include "base/unique_fd.h"

// A network namespace of the pod's own, for a pod with a user namespace: rights over a network are
// rights in the user namespace that its namespace belongs to. The agent moves into it together with
// all interfaces, so that everything it does with the network, and every process it starts, is
// there. The kernel keeps putting new interfaces into the first one.
namespace kata::agent {

// Moves interfaces, addresses, routes and permanent neighbours into the namespace, and the calling
// (only) thread with them. Returns the one left behind. A failure may leave the network half moved:
// the pod cannot go on then.
Result<UniqueFd> move_network(int netns);

// Whether the namespace that the agent lives in has a link with this MAC.
bool has_interface(const std::string& mac);

// Before an update of an interface: if it is one that the kernel has put into `outer`, brings it
// here. Its PCI path then says nothing any more and is cleared; the MAC names it.
Status fetch_interface(int outer, types::Interface* wanted);

}  // namespace kata::agent
