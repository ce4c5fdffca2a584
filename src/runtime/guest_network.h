#pragma once

#include <map>
#include <set>
#include <string>

#include "network/sandbox_network.h"
#include "runtime/agent_client.h"

namespace kata::runtime {

// What a guest was told of its network, so that only what differs is told again: an update may cost
// an interface its routes and open connections.
struct ToldNetwork {
  std::map<std::string, std::string> interfaces;  // by device
  std::string routes;
  std::set<std::string> neighbors;
};

// Tells the guest what its interfaces, routes and neighbours are, as far as it differs from `told`,
// which is kept up to date. An interface whose driver has not come up yet is waited for. One that
// the guest refuses does not keep the others from their routes; the first error is returned.
// `agent` and `told` must outlive the task.
Task<Status> give_network(AgentClient& agent, network::GuestNetwork network, ToldNetwork* told);

}  // namespace kata::runtime
